// Adds and removes rows of a criteria form ([data-criteria]). Without it the two buttons
// submit the form, and the server answers with one row more or less.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-criteria-add], [data-criteria-remove]");
  const row = button?.closest(".criteria-row");
  const rows = row?.closest("[data-criteria]");
  if (!rows) return;
  event.preventDefault();
  if (button.matches("[data-criteria-add]")) {
    const copy = row.cloneNode(true);
    copy.querySelectorAll("[id]").forEach((element) => element.removeAttribute("id"));
    copy.querySelectorAll("input").forEach((input) => { input.value = ""; });
    row.after(copy);
    copy.querySelector("input, select")?.focus();
  } else if (rows.querySelectorAll(".criteria-row").length > 1) {
    const all = [...rows.querySelectorAll(".criteria-row")];
    const near = all[all.indexOf(row) - 1] ?? all[1];
    near.querySelector("[data-criteria-remove]")?.focus();
    row.remove();
  } else {
    row.querySelectorAll("input").forEach((input) => { input.value = ""; });
  }
  rows.querySelectorAll(".criteria-row > .joint").forEach((joint, at) => {
    joint.textContent = at ? "and" : "where";
  });
});
