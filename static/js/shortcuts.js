// "/" goes to the search; Escape and a click elsewhere close a menu.
(() => {
  const typing = (element) => element.closest("input, select, textarea, [contenteditable]");
  const close = (menu) => { menu.open = false; };

  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !typing(event.target) && !event.ctrlKey && !event.metaKey) {
      const search = document.getElementById("search");
      if (!search) return;
      event.preventDefault();
      const toggle = document.getElementById("nav-toggle");
      if (toggle && !search.offsetParent) toggle.checked = true;
      search.focus();
      search.select();
    }
    if (event.key === "Escape") {
      const menu = event.target.closest("details.menu[open]");
      if (!menu) return;
      close(menu);
      menu.querySelector("summary").focus();
    }
  });
  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.menu[open]").forEach((menu) => {
      if (!menu.contains(event.target)) close(menu);
    });
  });
})();
