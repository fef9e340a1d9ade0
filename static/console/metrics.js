// The charts of System, Trading, Cost and Risk: drawn from what the page carries, and from its newest points every ten seconds while somebody
// looks. A gap stays a gap. The values above the charts are live parts, and no business of this script.

import { serverNow } from "./clock.js";

const AGAIN_MS = 10000;
const HEIGHT = 180;
const root = document.documentElement;
const grid = document.getElementById("charts");
const zone = document.getElementById("clock").dataset.zone;
const charts = new Map();
let data = JSON.parse(document.getElementById("metrics-data").textContent);

// Colours come from the stylesheet's tokens; a canvas knows neither var() nor light-dark().

const probe = document.body.appendChild(Object.assign(document.createElement("span"), { hidden: true }));
function colour(token) {
  probe.style.color = `var(--${token})`;
  return getComputedStyle(probe).color;
}
let ink = {};
function readColours() {
  ink = Object.fromEntries(["quiet", "line", "bad", "bad-bg", "warn-mark", "warn-bg", "link", "fill", "line-1", "line-2", "line-3", "line-4"].map((token) => [token, colour(token)]));
}

// Numbers, as monitoring/metrics/units.py writes them

const fixed = (value, digits) => value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
const STATES = { breakers: ["closed", "half-open", "OPEN"], switch: ["trading", "stopped"] };

function shown(value, unit, key) {
  if (value === null || value === undefined) return "–";
  return plain(value, unit, key).replace("-", "\u2212");
}
function plain(value, unit, key) {
  if (unit === "state") return STATES[key]?.[Math.round(value)] ?? String(value);
  if (unit === "usd") return `${value < 0 ? "-" : ""}$${fixed(Math.abs(value), Math.abs(value) >= 0.01 || !value ? 2 : 4)}`;
  if (unit === "percent") return `${fixed(value, 1)}%`;
  if (unit === "bps") return `${fixed(value, 1)}\u00a0bps`;
  if (unit === "seconds") return Math.abs(value) < 0.9995 ? `${fixed(value * 1000, 0)}\u00a0ms` : `${fixed(value, 2)}\u00a0s`;
  if (unit === "per_second") return `${fixed(value, 2)}/s`;
  if (unit === "ratio") return fixed(value, 2);
  return fixed(value, Number.isInteger(value) ? 0 : 2);
}
// On an axis only as many digits as tell its ticks apart.
function digits(step) {
  let found = 0;
  while (found < 6 && Math.abs(step * 10 ** found - Math.round(step * 10 ** found)) > 1e-6) found += 1;
  return found;
}
function tick(value, unit, key, step) {
  if (unit === "state") return Number.isInteger(value) ? plain(value, unit, key) : "";
  // There is no half of what is counted.
  const counted = unit === "" && data.panels[key].style === "bars";
  if (counted && !Number.isInteger(value)) return "";
  const small = counted ? 0 : digits(step);
  const short = (number, digits) => (Math.abs(number) >= 10000
    ? number.toLocaleString("en-US", { notation: "compact", maximumSignificantDigits: Math.max(2, Math.ceil(Math.log10(Math.abs(number) / step)) + 1) })
    : fixed(number, digits));
  let text;
  if (unit === "usd") text = `${value < 0 ? "-" : ""}$${short(Math.abs(value), small)}`;
  else if (unit === "percent") text = `${short(value, small)}%`;
  else if (unit === "seconds") text = step >= 1 ? `${short(value, 0)} s` : `${short(value * 1000, Math.max(0, small - 3))} ms`;
  else text = short(value, small);
  return text.replace("-", "\u2212");
}

// Marks: a tinted stretch behind the lines, with a solid foot before them

const MARKS = { stop: ["bad-bg", "bad", []], breaker: ["warn-bg", "warn-mark", []], drill: [null, "link", [4, 3]] };

const tint = (plot) => eachMark(plot, ({ ctx, bbox }, [fill], left, width) => {
  if (!fill) return;
  ctx.fillStyle = ink[fill];
  ctx.fillRect(left, bbox.top, width, bbox.height);
});
const foot = (plot) => eachMark(plot, ({ ctx, bbox }, [, edge, dash], left, width) => {
  ctx.strokeStyle = ink[edge];
  ctx.lineWidth = 3 * devicePixelRatio;
  ctx.setLineDash(dash.map((length) => length * devicePixelRatio));
  ctx.beginPath();
  ctx.moveTo(left, bbox.top + bbox.height - ctx.lineWidth / 2);
  ctx.lineTo(left + width, bbox.top + bbox.height - ctx.lineWidth / 2);
  ctx.stroke();
});

function eachMark(plot, act) {
  const { ctx, bbox } = plot;
  const end = serverNow() / 1000;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const mark of data.marks) {
    const left = plot.valToPos(mark.from, "x", true);
    const width = Math.max(2 * devicePixelRatio, plot.valToPos(mark.to ?? end, "x", true) - left);
    act(plot, MARKS[mark.kind], left, width);
  }
  ctx.restore();
}

// Charts

const times = () => Array.from({ length: data.count }, (_, number) => data.start + number * data.step);
const columns = (panel) => [times(), ...(panel.style === "bars" ? stacked(panel) : panel.lines.map((line) => line.values))];
const names = (panel) => panel.lines.map((line) => line.label).join("\n");

// Bars stand on each other: the first is drawn first and as high as all of them, the next over its lower part.
function stacked(panel) {
  const sums = Array(data.count).fill(null);
  return panel.lines.toReversed().map((line) => {
    line.values.forEach((value, at) => { if (value !== null) sums[at] = (sums[at] ?? 0) + value; });
    return [...sums];
  }).toReversed();
}

// What is filled begins with a grey: so much ink would cry.
function series(key, panel) {
  const tokens = panel.style === "bars" ? ["fill", "line-2", "line-3", "line-4"] : ["line-1", "line-2", "line-3", "line-4"];
  return panel.lines.map((line, index) => ({
    label: line.label,
    stroke: () => ink[tokens[index % 4]],
    width: panel.style === "bars" ? 0 : 1.5,
    dash: index >= 4 ? [5, 3] : undefined,
    fill: panel.style === "bars" ? () => ink[tokens[index % 4]] : undefined,
    paths: panel.style === "bars" ? uPlot.paths.bars({ size: [0.9, 100], align: 1 }) : panel.style === "steps" ? uPlot.paths.stepped({ align: 1 }) : undefined,
    points: panel.style === "bars" ? { show: false } : { size: 4, filter: lonely },
    spanGaps: false,
    value: (plot, _value, _index, at) => (at === null ? "–" : shown(data.panels[key].lines[index].values[at], panel.unit, key)),
  }));
}

// A value between two gaps has no line; it gets a point.
function lonely(plot, index) {
  const values = plot.data[index];
  return values.flatMap((value, at) => (value != null && values[at - 1] == null && values[at + 1] == null ? [at] : []));
}

function options(key, panel, width) {
  const axis = { stroke: () => ink.quiet, grid: { stroke: () => ink.line, width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
  return {
    width,
    height: HEIGHT,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
    cursor: { y: false, points: { size: 6 }, drag: { setScale: false } },
    legend: { live: true },
    scales: {
      x: { range: () => [data.start, data.start + data.step * data.count] },
      y: { range: (_, low, high) => span(panel, low, high) },
    },
    axes: [
      { ...axis, space: 60, size: 42, values: [
        [86400, "{D} {MMM}", null, null, null, null, null, null, 1],
        [3600, "{HH}:{mm}", "\n{D} {MMM}", null, "\n{D} {MMM}", null, null, null, 1],
        [60, "{HH}:{mm}", null, null, null, null, null, null, 1],
        [1, "{HH}:{mm}:{ss}", null, null, null, null, null, null, 1],
      ] },
      { ...axis, size: 62, values: (_, ticks, _axis, _space, step) => ticks.map((value) => tick(value, panel.unit, key, step)),
        ...(panel.unit === "state" ? { splits: () => STATES[key].map((_, number) => number) } : {}) },
    ],
    series: [{ value: (_, seconds) => (seconds == null ? "–" : clockTime(seconds)) }, ...series(key, panel)],
    hooks: { drawClear: [tint], draw: [foot] },
  };
}

const clock = new Intl.DateTimeFormat("en-GB", { timeZone: zone, day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const clockTime = (seconds) => clock.format(seconds * 1000);

function span(panel, low, high) {
  if (panel.unit === "state") return [-0.15, (panel.top ?? 1) + 0.15];
  if (low === null || low === undefined) return [0, panel.top ?? 1];
  const base = panel.style === "bars" || panel.top ? Math.min(0, low) : low;
  const top = Math.max(high, panel.top ?? high);
  if (base === top) return [base - (Math.abs(base) || 1) * 0.1, top + (Math.abs(top) || 1) * 0.1];
  const room = (top - base) * 0.05;
  return [base === 0 ? 0 : base - room, top === panel.top ? top : top + room];
}

function draw() {
  for (const holder of grid.querySelectorAll("[data-panel]")) {
    const key = holder.dataset.panel;
    const panel = data.panels[key];
    const known = charts.get(key);
    holder.hidden = panel.lines.every((line) => line.values.every((value) => value === null));
    if (holder.hidden) continue;
    if (known && known.names === names(panel)) { known.plot.setData(columns(panel)); continue; }
    known?.plot.destroy();
    const plot = new uPlot(options(key, panel, width(holder)), columns(panel), holder);
    charts.set(key, { plot, holder, names: names(panel) });
  }
}

const width = (holder) => Math.max(200, holder.clientWidth - 16);

// The newest points

function join(news) {
  const last = news.start + news.step * news.count;
  const kept = Math.max(0, Math.round((news.start - data.start) / data.step)); // steps that stay as they were
  const gone = Math.max(0, Math.round((last - data.start) / data.step) - data.count); // steps that leave at the left
  for (const [key, panel] of Object.entries(data.panels)) {
    const fresh = news.panels[key];
    if (names(fresh) !== names(panel)) return false;
    panel.lines.forEach((line, index) => { line.values = [...line.values.slice(0, kept), ...fresh.lines[index].values].slice(gone); });
  }
  data.start += gone * data.step;
  const before = data.marks.filter((mark) => mark.to !== null && mark.to <= news.start && mark.to > data.start);
  data.marks = [...before, ...news.marks];
  return true;
}

async function ask(since) {
  const to = new URL(grid.dataset.points, location.href);
  if (since !== undefined) to.searchParams.set("since", Math.floor(since));
  const response = await fetch(to, { credentials: "same-origin", redirect: "error" });
  if (!response.ok) throw new Error(`the points answered ${response.status}`);
  return response.json();
}

async function refresh() {
  if (document.hidden) return;
  try {
    // The last full step as well: what was late has changed it.
    const news = await ask(data.start + data.step * (data.count - 2));
    if (news.start > data.start + data.step * data.count || !join(news)) data = await ask();
    draw();
  } catch { /* the link's own script says when the console is away */ }
}

// The legend keeps the colours that it was made with, so every chart is made anew.
function recolour() {
  readColours();
  for (const { plot } of charts.values()) plot.destroy();
  charts.clear();
  draw();
}

function start() {
  readColours();
  draw();
  new ResizeObserver(() => {
    for (const { plot, holder } of charts.values()) {
      if (plot.width !== width(holder)) plot.setSize({ width: width(holder), height: HEIGHT });
    }
  }).observe(grid);
  new MutationObserver(recolour).observe(root, { attributeFilter: ["data-bs-theme"] });
  setInterval(refresh, AGAIN_MS);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
}

start();
