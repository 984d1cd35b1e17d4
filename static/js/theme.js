// Light, dark, or what the system says; remembered in this browser only.
(() => {
  const root = document.documentElement;
  const read = (key) => {
    try { return localStorage.getItem(key) || ""; } catch { return ""; }
  };
  const write = (key, value) => {
    try { localStorage.setItem(key, value); } catch { /* a private window has no storage */ }
  };
  const apply = (theme) => {
    if (theme) root.dataset.theme = theme;
    else delete root.dataset.theme;
    document.querySelectorAll("[data-theme-choice]").forEach((button) => {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === theme));
    });
  };
  root.classList.add("js");
  if (read("density") === "compact") root.dataset.density = "compact";
  apply(read("theme"));
  document.addEventListener("DOMContentLoaded", () => apply(read("theme")));
  document.addEventListener("click", (event) => {
    const choice = event.target.closest("[data-theme-choice]");
    if (!choice) return;
    write("theme", choice.dataset.themeChoice);
    apply(choice.dataset.themeChoice);
  });
})();
