// One stop for the Tab key in a [data-matrix]; arrow keys, Home and End move between its
// cells, and what the cell says stands below. Without this every cell is a plain link.
(() => {
  const links = (box) => [...box.querySelectorAll("tbody a")];
  const enter = (box) => {
    const all = links(box);
    all.forEach((link, index) => { link.tabIndex = index ? -1 : 0; });
    const caption = box.parentElement.querySelector("[data-matrix-caption]");
    if (caption && !caption.textContent) caption.textContent = "Arrow keys move between cells.";
  };
  const beside = (link, key) => {
    const cell = link.closest("td, th");
    const row = cell.parentElement;
    const rows = [...row.parentElement.rows];
    const [x, y] = [cell.cellIndex, rows.indexOf(row)];
    const step = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[key];
    const [dx, dy] = step || (key === "End" ? [-1, 0] : [1, 0]);
    let [cx, cy] = step ? [x + dx, y + dy] : [key === "End" ? row.cells.length - 1 : 0, y];
    for (; rows[cy] && rows[cy].cells[cx]; cx += dx, cy += dy) {
      const found = rows[cy].cells[cx].querySelector("a");
      if (found) return found;
    }
    return null;
  };
  // The cells of a dense matrix leave the names of the clusters to its heads.
  const ends = (link) => {
    const cell = link.closest("td");
    const home = cell.parentElement.querySelector("th a").title;
    return `${home} to ${cell.closest("table").tHead.rows[0].cells[cell.cellIndex].title}`;
  };
  const tell = (event) => {
    const link = event.target.closest("[data-matrix] tbody a");
    const caption = link && link.closest("[data-matrix]").parentElement.querySelector("[data-matrix-caption]");
    if (caption) caption.textContent = link.closest(".dense td") ? `${ends(link)}: ${link.title}` : link.title;
  };
  document.addEventListener("keydown", (event) => {
    const link = event.target.closest("[data-matrix] tbody a");
    const keys = ["ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp", "Home", "End"];
    if (!link || !keys.includes(event.key) || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const next = beside(link, event.key);
    if (!next) return;
    link.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
  document.addEventListener("focusin", tell);
  document.addEventListener("mouseover", tell);
  document.querySelectorAll("[data-matrix]").forEach(enter);
  document.addEventListener("htmx:afterSettle", () => {
    document.querySelectorAll("[data-matrix]").forEach((box) => {
      if (!box.querySelector('tbody a[tabindex="0"]')) enter(box);
    });
  });
})();
