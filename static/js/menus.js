// Menus by the keyboard: arrow keys, Home and End, Escape. A click elsewhere closes one.
(() => {
  const menus = () => [...document.querySelectorAll("details.menu")].filter((menu) => menu.offsetParent);
  const items = (menu) => [...menu.querySelectorAll(".menu-list :is(a, button)")].filter((item) => item.offsetParent);
  const close = (menu) => { menu.open = false; };
  const around = (all, at, step) => all[(at + step + all.length) % all.length];

  const toMenu = (from, step) => {
    const all = menus();
    const next = around(all, all.indexOf(from), step);
    const open = from.open;
    if (next !== from) close(from);
    next.open = open;
    if (open) items(next)[0]?.focus();
    else next.querySelector("summary").focus();
  };
  const within = (menu, key) => {
    const all = items(menu);
    const at = all.indexOf(document.activeElement);
    if (key === "Home") return all[0];
    if (key === "End") return all[all.length - 1];
    if (key === "ArrowDown") return around(all, at, 1);
    return at < 0 ? all[all.length - 1] : around(all, at, -1);
  };

  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest?.("details.menu");
    if (!menu || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Escape" && menu.open) {
      close(menu);
      menu.querySelector("summary").focus();
      return;
    }
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      toMenu(menu, event.key === "ArrowRight" ? 1 : -1);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      menu.open = true;
      within(menu, event.key)?.focus();
    } else if (menu.open && (event.key === "Home" || event.key === "End")) {
      within(menu, event.key)?.focus();
    } else return;
    event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.menu[open]").forEach((menu) => {
      if (!menu.contains(event.target)) close(menu);
    });
  });
})();
