// A refresh that fails says so once, and keeps what was there; the next good one takes it back.
(() => {
  const show = (when) => {
    const notice = document.getElementById("connection");
    if (!notice) return;
    notice.querySelectorAll("[data-when]").forEach((text) => {
      text.hidden = text.dataset.when !== when;
    });
    notice.hidden = !when;
  };
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr } = event.detail;
    // A fragment is never a page without the frame: the session has ended.
    const signedOut = /<body class="plain"/.test(xhr.responseText);
    if (signedOut) event.detail.shouldSwap = false;
    if (signedOut) show("signed-out");
    else show(xhr.status >= 500 ? "silent" : "");
  });
  // A poll has no event behind it; the server must not take it for a person's visit.
  document.addEventListener("htmx:configRequest", (event) => {
    if (!event.detail.triggeringEvent) event.detail.headers["HX-Poll"] = "true";
  });
  // A page that nobody sees polls nothing; what it missed it reads when it is seen again.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const polls = /\bevery\b/.test(event.detail.elt.getAttribute("hx-trigger") || "");
    if (document.hidden && polls && !event.detail.requestConfig.triggeringEvent) event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || !window.htmx) return;
    document.querySelectorAll('[hx-trigger~="shown"]').forEach((part) => window.htmx.trigger(part, "shown"));
  });
  // What was said when a job began is outdated when it has ended.
  document.addEventListener("settled", () => {
    document.querySelectorAll("#messages > .notice.information").forEach((notice) => notice.remove());
  });
  // What is to be read before a form is sent is waited for: the page that comes back
  // would ask for the password again.
  document.addEventListener("submit", (event) => {
    const { target: form, submitter } = event;
    const awaited = form.querySelector("[data-read-first].htmx-request");
    if (!awaited) return;
    event.preventDefault();
    awaited.addEventListener("htmx:afterRequest", () => {
      if (!awaited.querySelector("[data-hold]")) return form.requestSubmit(submitter);
      const held = form.querySelector("[data-held]");
      held.hidden = false;
      held.scrollIntoView({ block: "nearest" });
    }, { once: true });
  });
  // A button that is busy keeps the focus, which one that is disabled would lose.
  document.addEventListener("submit", (event) => {
    if (!event.submitter?.matches("[aria-disabled=true]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-dismiss]");
    if (button) button.closest(".notice").remove();
  });
  document.addEventListener("htmx:sendError", () => show("silent"));
  document.addEventListener("htmx:timeout", () => show("silent"));
})();
