// Keeps "3 minutes ago" true while a page stays open; same words as the age filter.
(() => {
  const units = [["year", 31536000], ["month", 2592000], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60]];
  const words = (seconds) => {
    const past = seconds >= 0;
    const length = Math.abs(seconds);
    const unit = units.find(([, size]) => length >= size);
    if (!unit) return past ? "just now" : "in a moment";
    const count = Math.floor(length / unit[1]);
    const text = `${count} ${unit[0]}${count === 1 ? "" : "s"}`;
    return past ? `${text} ago` : `in ${text}`;
  };
  const refresh = () => document.querySelectorAll("time.age").forEach((time) => {
    const at = Date.parse(time.dateTime);
    const text = words((Date.now() - at) / 1000);
    if (!Number.isNaN(at) && time.textContent !== text) time.textContent = text;
  });
  setInterval(refresh, 30000);
})();
