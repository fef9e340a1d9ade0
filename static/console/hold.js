// Parts that wait while somebody is in them, and a page that stands still under the hand.
//
// A list (data-hold=list) keeps its rows and their order while focus or pointer is in it, or below it: then only the states in its rows follow,
// a row that is over says so, and the list's button says what waits: "2 new · show". Other controls (data-hold=whole) wait as they are.
// What waits is shown when nobody is there any more. Whatever else changes above the focus is made up for by scrolling.
//
// htmx tells of every swap before it makes it (htmx:before:swap), with a list of tasks from which one may be taken out (htmx.org 4.0.1).

const main = document.getElementById("main");
const REST_MS = 30000; // a pointer that has rested for so long belongs to nobody
const PRESS_MS = 300; // a press so soon after rows have moved was meant for another one
const ROWS = "[data-rows] > [id]";
const byId = (id) => document.getElementById(id);

const waiting = new Map(); // part's id: its newest content
let hand = null; // where the pointer was last, and when
let letThrough = false;
let mine = []; // ids of rows that one's own act has done with
const movedAt = new Map(); // part's id: when its rows moved last
let before = null; // what is to stay where it is on the screen

const rows = (root) => [...root.querySelectorAll(ROWS)];

function pointed() {
  if (!hand || document.hidden || performance.now() - hand.at > REST_MS) return null;
  return document.elementFromPoint(hand.x, hand.y);
}

const focused = () => (document.activeElement === main || !main.contains(document.activeElement) ? null : document.activeElement);

const inOrBelow = (element, part) => part.contains(element) || Boolean(part.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING);

function inUse(part) {
  const there = [focused(), pointed()].filter((element) => element && main.contains(element));
  if (part.dataset.hold === "whole") return there.some((element) => part.contains(element)) || Boolean(part.querySelector("details[open]"));
  return there.some((element) => inOrBelow(element, part));
}

// Rows that moved a moment ago, or what is below them, were not what the press was meant for.
function tooSoon(row) {
  const now = performance.now();
  return [...movedAt].some(([id, at]) => now - at < PRESS_MS && byId(id) && inOrBelow(row, byId(id)));
}

function copy(from, to) {
  if (!from || !to) return;
  if (to.className !== from.className) to.className = from.className;
  if (to.innerHTML !== from.innerHTML) to.innerHTML = from.innerHTML;
}

function over(row, words) {
  row.dataset.over = "yes";
  const state = row.querySelector(".oc-due");
  if (state) { state.className = "oc-st oc-due oc-muted"; state.textContent = words; }
}

// What may follow without moving anything: the states in the rows, and the sum in the list's head.
function follow(part, fresh) {
  for (const row of rows(part)) {
    const news = fresh.querySelector(`#${CSS.escape(row.id)}`);
    if (news) row.querySelectorAll(".oc-st").forEach((cell, at) => copy(news.querySelectorAll(".oc-st")[at], cell));
    else if (mine.includes(row.id)) row.remove();
    else if (row.parentElement.dataset.over) over(row, row.parentElement.dataset.over);
  }
  const sum = byId(`${part.id}-sum`);
  if (sum && part.contains(sum)) copy(fresh.querySelector(`#${part.id}-sum`), sum);
}

function words(part, fresh) {
  const old = rows(part).map((row) => row.id);
  const now = rows(fresh).map((row) => row.id);
  const added = now.filter((id) => !old.includes(id)).length;
  if (added) return `${added} new · show`;
  return old.join() === now.join() ? "" : "Changed · show";
}

function tell(part, text) {
  const button = byId(`${part.id}-show`);
  if (!button) return;
  button.hidden = !text;
  if (button.textContent !== text) button.textContent = text;
}

function keep(part, fragment) {
  const fresh = document.createElement("div");
  fresh.append(fragment.cloneNode(true));
  waiting.set(part.id, fresh.innerHTML);
  if (part.dataset.hold !== "list") return;
  follow(part, fresh);
  tell(part, words(part, fresh));
}

// A list that is empty, or becomes so, has nothing that could move.
const empties = (part, fragment) => part.dataset.hold === "list" && !(rows(part).length && rows(fragment).length);

function beforeSwap({ tasks }) {
  for (const task of [...tasks]) {
    const part = typeof task.target === "string" ? document.querySelector(task.target) : task.target;
    if (!part?.id) continue;
    if (!letThrough && part.dataset.hold && inUse(part) && !empties(part, task.fragment)) {
      keep(part, task.fragment);
      tasks.splice(tasks.indexOf(task), 1);
    } else {
      waiting.delete(part.id);
      tell(part, "");
      if (rows(part).length && words(part, task.fragment)) movedAt.set(part.id, performance.now());
    }
  }
  const anchor = focused() ?? (main.contains(pointed()) ? pointed() : null);
  before = anchor && { anchor, list: anchor.closest("[data-rows]"), top: anchor.getBoundingClientRect().top };
  if (before?.list) before.listTop = before.list.getBoundingClientRect().top;
}

function afterSwap() {
  if (!before) return;
  const { anchor, list, top, listTop } = before;
  let by = 0;
  if (anchor.isConnected) by = anchor.getBoundingClientRect().top - top;
  else if (list?.isConnected) by = list.getBoundingClientRect().top - listTop;
  before = null;
  if (Math.abs(by) >= 1) scrollBy({ top: by, behavior: "instant" });
}

async function put(id) {
  const html = waiting.get(id);
  waiting.delete(id);
  letThrough = true;
  try {
    const text = `<hx-partial hx-target="#${id}">${html}</hx-partial>`;
    await htmx.swap({ text, sourceElement: byId("live"), target: byId("live"), swap: "none" });
  } finally { letThrough = false; }
}

function release() {
  for (const id of waiting.keys()) if (byId(id) && !inUse(byId(id))) put(id);
}

// Rows that the act to come has done with go at once, whatever waits.
export const doneWith = (ids) => { mine = ids; };

export function start() {
  const seen = (event) => { hand = { x: event.clientX, y: event.clientY, at: performance.now() }; };
  for (const name of ["pointermove", "pointerdown"]) document.addEventListener(name, seen, { passive: true });
  document.documentElement.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") hand = null; });
  addEventListener("scroll", () => { if (hand) hand.at = performance.now(); }, { passive: true });
  document.addEventListener("htmx:before:swap", (event) => beforeSwap(event.detail));
  document.addEventListener("htmx:after:swap", afterSwap);
  document.addEventListener("click", async (event) => {
    const show = event.target.closest?.("[data-shows]");
    if (show) {
      await put(show.dataset.shows);
      byId(show.dataset.heading)?.focus();
      return;
    }
    const row = event.target.closest?.("[data-rows] > *");
    const early = event.detail > 0 && row && tooSoon(row);
    const gone = row?.dataset.over && !event.target.closest("a");
    if (row && (early || gone)) { event.preventDefault(); event.stopPropagation(); }
  }, true);
  setInterval(release, 500);
}
