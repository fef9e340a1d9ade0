// The server's clock, and whatever on the page counts with it. The browser's own clock may be wrong and is never shown.

const root = document.documentElement;
const clock = document.getElementById("clock");
const zone = clock.dataset.zone;
const format = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
let offset = Date.parse(clock.getAttribute("datetime")) - Date.now();
let measured = false;

export const serverNow = () => Date.now() + offset;
export const timeOf = (ms) => format.format(ms);

// A heartbeat can only arrive late, so the largest offset seen lately is the nearest to the truth.
// Slow drift is followed by letting the old value sink a little with each beat.
export function sync(iso) {
  const seen = Date.parse(iso) - Date.now();
  if (Number.isNaN(seen)) return;
  offset = measured && Math.abs(seen - offset) < 5000 ? Math.max(seen, offset - 2) : seen;
  measured = true;
}

export function span(ms) {
  const left = Math.max(0, ms);
  if (left < 60000) return `${(left / 1000).toFixed(left < 10000 ? 2 : 0)}\u00a0s`;
  if (left < 3600000) return `${Math.floor(left / 60000)}\u00a0min`;
  if (left >= 86400000) {
    const days = Math.floor(left / 86400000);
    return `${days}\u00a0day${days === 1 ? "" : "s"} ${Math.floor((left % 86400000) / 3600000)}\u00a0h`;
  }
  return `${Math.floor(left / 3600000)}\u00a0h ${String(Math.floor((left % 3600000) / 60000)).padStart(2, "0")}\u00a0min`;
}

// x of a duration on the proof's logarithmic axis: 10 ms at 0, the term at 90 (percent). The server draws with the same rule.
export function axis(ms, term) {
  return Math.min(97, Math.max(0, (90 * Math.log10(Math.max(ms, 10) / 10)) / Math.log10(term / 10)));
}

// An age needs no hundredths.
const age = (ms) => (ms < 10000 ? `${Math.floor(Math.max(0, ms) / 1000)}\u00a0s` : span(ms));

const set = (element, text) => { if (element.textContent !== text) element.textContent = text; };

function tick() {
  const now = serverNow();
  set(clock, timeOf(now));
  if (root.dataset.link === "stale") return; // what is stale stands still
  for (const element of document.querySelectorAll("[data-until]")) set(element, span(Date.parse(element.dataset.until) - now));
  for (const element of document.querySelectorAll("[data-since]")) set(element, span(now - Date.parse(element.dataset.since)));
  for (const element of document.querySelectorAll("[data-age]")) set(element, age(now - Date.parse(element.dataset.age)));
  for (const element of document.querySelectorAll("[data-hide-at]")) element.hidden = Date.parse(element.dataset.hideAt) <= now;
  for (const element of document.querySelectorAll("[data-grow]")) {
    // By the page's guess of the server's clock it may be yet to come.
    const gone = Math.max(0, now - Date.parse(element.dataset.grow));
    const term = Number(element.dataset.term);
    if (element.tagName === "line") element.setAttribute("x2", `${axis(gone, term)}%`);
    else element.setAttribute("width", `${Math.min(100, (100 * gone) / term)}%`);
  }
}

// Fast only while something counts down; a clock needs no more than a few beats a second.
export function start() {
  tick();
  setTimeout(start, document.querySelector("[data-until], [data-grow]") && !document.hidden ? 100 : 500);
}

// A time also in the reader's own zone, when it is not the desk's.
document.addEventListener("pointerover", (event) => {
  const time = event.target.closest?.("time[datetime]:not([data-told])");
  if (!time || !time.title) return;
  time.dataset.told = "yes";
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (own !== zone) time.title += `; ${new Date(time.dateTime).toLocaleString("en-GB", { timeZone: own })} ${own}`;
});
