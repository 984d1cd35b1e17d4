// Says the slot of a [data-chart] below the pointer; with the arrow keys, one beside it.
// Without this each slot has its title, and the table has all values.
(() => {
  const show = (chart, slot) => {
    chart.querySelector(".slot.is-current")?.classList.remove("is-current");
    slot.classList.add("is-current");
    chart.querySelector("[data-chart-text]").textContent = slot.dataset.text;
  };
  document.addEventListener("pointerover", (event) => {
    const slot = event.target.closest?.("[data-chart] .slot");
    if (slot) show(slot.closest("[data-chart]"), slot);
  });
  document.addEventListener("keydown", (event) => {
    const chart = event.target.closest?.("[data-chart]");
    if (!chart || event.target !== chart) return;
    const slots = [...chart.querySelectorAll(".slot")];
    const at = slots.findIndex((slot) => slot.matches(".is-current"));
    const from = at < 0 ? slots.length : at;
    const to = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: slots.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    show(chart, slots[Math.min(Math.max(to, 0), slots.length - 1)]);
  });
})();
