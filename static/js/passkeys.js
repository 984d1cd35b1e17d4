// Joins the one passkey button of a page to the script of django-allauth, and says what went wrong.
(() => {
  const part = document.querySelector("[data-passkey]");
  if (!part) return;
  const kind = part.dataset.passkey;
  const button = document.getElementById("passkey-button");
  const error = document.getElementById("passkey-error");
  if (!window.PublicKeyCredential) {
    button.hidden = true;
    document.getElementById("passkey-unknown").hidden = false;
    return;
  }
  const sentences = {
    InvalidStateError: "This device already has a passkey for your account.",
    NotAllowedError: "No passkey was used: the browser was cancelled, or it has none for this console.",
    SecurityError: "The browser allows no passkey for this address.",
  };
  document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    const name = event.detail.exception.name;
    error.querySelector("p").textContent = sentences[name] || "The browser could not use a passkey. Reload the page and try again.";
    error.hidden = false;
  });
  button.addEventListener("click", () => { error.hidden = true; });
  window.allauth.webauthn.forms[`${kind}Form`]({
    ids: {
      [kind]: "passkey-button",
      credential: "passkey-credential",
      data: "passkey-question",
      passwordless: "passkey-alone",
    },
  });
})();
