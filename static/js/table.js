// Selection of rows (.select-all, .select-row, .bulk-bar in one [data-selection]) and density.
(() => {
  const refresh = (scope) => {
    const rows = [...scope.querySelectorAll("input.select-row")];
    const chosen = rows.filter((row) => row.checked).length;
    const all = scope.querySelector(".select-all");
    if (all) {
      all.checked = rows.length > 0 && chosen === rows.length;
      all.indeterminate = chosen > 0 && chosen < rows.length;
    }
    const bar = scope.querySelector(".bulk-bar");
    if (!bar) return;
    bar.classList.toggle("is-active", chosen > 0);
    const count = bar.querySelector(".count");
    if (count) count.textContent = `${chosen} selected`;
  };
  const refreshAll = () => document.querySelectorAll("[data-selection]").forEach(refresh);

  // A page that is brought up to date under a person's hands keeps what is ticked.
  Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, element) =>
    !(name === "checked" && element.matches(".select-all, input.select-row"));

  document.addEventListener("change", (event) => {
    const scope = event.target.closest("[data-selection]");
    if (!scope || !event.target.matches(".select-all, input.select-row")) return;
    if (event.target.matches(".select-all")) {
      scope.querySelectorAll("input.select-row").forEach((row) => { row.checked = event.target.checked; });
    }
    refresh(scope);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-density-toggle]");
    if (!button) return;
    const root = document.documentElement;
    const compact = root.dataset.density !== "compact";
    if (compact) root.dataset.density = "compact";
    else delete root.dataset.density;
    button.setAttribute("aria-pressed", String(compact));
    try { localStorage.setItem("density", compact ? "compact" : ""); } catch { /* not remembered */ }
  });
  const showDensity = () => document.querySelectorAll("[data-density-toggle]").forEach((button) => {
    button.setAttribute("aria-pressed", String(document.documentElement.dataset.density === "compact"));
  });
  // A table that scrolls sideways and holds nothing to focus is scrolled by the keyboard.
  const makeReachable = () => document.querySelectorAll(".table-wrap").forEach((wrap) => {
    const scrolls = wrap.scrollWidth > wrap.clientWidth || wrap.scrollHeight > wrap.clientHeight;
    if (scrolls && !wrap.querySelector("a, button, input, select, [tabindex]")) wrap.tabIndex = 0;
  });
  const settle = () => { refreshAll(); showDensity(); makeReachable(); };
  document.addEventListener("DOMContentLoaded", settle);
  document.addEventListener("htmx:afterSettle", settle);
  // The link that was followed may be gone, as Next is on the last page: go on from there.
  document.addEventListener("htmx:afterSettle", (event) => {
    const gone = event.detail.requestConfig?.elt.isConnected === false;
    const scope = event.detail.target?.id && document.getElementById(event.detail.target.id);
    if (gone && document.activeElement === document.body && scope?.matches("[data-selection]")) {
      scope.focus({ preventScroll: true });
    }
  });
  addEventListener("pageshow", settle);
  addEventListener("resize", makeReachable);
})();
