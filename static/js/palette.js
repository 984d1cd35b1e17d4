// Suggestions below the search field, and the list of keys. htmx brings the options; the
// focus stays in the field, and aria-activedescendant names the chosen one.
(() => {
  const field = () => document.getElementById("search");
  const palette = () => document.getElementById("palette");
  const options = () => [...palette().querySelectorAll('[role="option"]')];
  const typing = (element) => element.closest("input, select, textarea, [contenteditable]");

  const choose = (option) => {
    options().forEach((one) => { one.setAttribute("aria-selected", String(one === option)); });
    if (option) {
      field().setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else field().removeAttribute("aria-activedescendant");
  };
  const show = (open) => {
    palette().hidden = !open;
    field().setAttribute("aria-expanded", String(open));
    if (!open) choose(null);
  };
  const move = (step) => {
    const all = options();
    const at = all.findIndex((one) => one.getAttribute("aria-selected") === "true");
    const next = at < 0 && step < 0 ? all.length - 1 : at + step;
    choose(next < 0 || next >= all.length ? null : all[next]);
  };
  const reach = () => {
    const toggle = document.getElementById("nav-toggle");
    if (toggle && !field().offsetParent) toggle.checked = true;
    field().focus();
    field().select();
  };

  document.addEventListener("DOMContentLoaded", () => {
    if (!field()) return;
    // Only with a script is the field more than a field.
    field().setAttribute("role", "combobox");
    field().setAttribute("aria-autocomplete", "list");
    field().setAttribute("aria-controls", "palette");
    field().setAttribute("aria-expanded", "false");
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target !== palette()) return;
    show(document.activeElement === field() && options().length > 0);
  });
  document.addEventListener("focusout", (event) => {
    const form = event.target.closest("form.search");
    if (form && !form.contains(event.relatedTarget)) show(false);
  });
  document.addEventListener("keydown", (event) => {
    if (!field() || event.altKey) return;
    const command = event.ctrlKey || event.metaKey;
    const free = !typing(event.target) && !command;
    if ((event.key === "/" && free) || (event.key.toLowerCase() === "k" && command)) {
      event.preventDefault();
      reach();
    } else if (event.key === "?" && free) {
      document.getElementById("keys")?.showModal();
    } else if (event.target === field() && !palette().hidden) {
      choosing(event);
    }
  });
  const choosing = (event) => {
    const chosen = palette().querySelector('[aria-selected="true"]');
    if (event.key === "ArrowDown") move(1);
    else if (event.key === "ArrowUp") move(-1);
    else if (event.key === "Escape") show(false);
    else if (event.key === "Enter" && chosen) chosen.click();
    else return;
    event.preventDefault();
  };
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-keys]")) document.getElementById("keys")?.showModal();
  });
})();
