// The alert pages: keys in lists (those of the breakers, too), acknowledging in place, and the announcer for new alerts.
// What comes while somebody is in a list waits (hold.js).

import { sayQuietly } from "./announce.js";
import { doneWith } from "./hold.js";
import { onKey } from "./keys.js";

const SAY_MS = 10000; // one summary in so long, at most
const byId = (id) => document.getElementById(id);
const rows = () => [...document.querySelectorAll("[data-keys] > [id]")];
const row = () => document.activeElement.closest?.("[data-keys] > [id]");

// Announcements

const heard = new Set();
const waiting = [];
let said = -SAY_MS;
let timer = 0;

const news = () => [...document.querySelectorAll("#alerts-news > [data-key]")];

function speak() {
  timer = 0;
  if (!waiting.length) return;
  said = performance.now();
  const more = waiting.length - 1;
  sayQuietly(`New alert. ${waiting[0]}${more ? `, and ${more} more` : ""}.`);
  waiting.length = 0;
}

function listen() {
  for (const item of news()) {
    if (heard.has(item.dataset.key)) continue;
    heard.add(item.dataset.key);
    waiting.push(item.textContent);
  }
  if (waiting.length && !timer) timer = setTimeout(speak, Math.max(0, said + SAY_MS - performance.now()));
}

// Lists

function step(by) {
  const all = rows();
  const at = all.indexOf(row());
  const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by];
  next?.querySelector("a").focus();
}

function go(link) {
  if (!link) return false;
  location.assign(link.href);
  return true;
}

function pick() {
  const box = row()?.querySelector("input[type=checkbox]");
  if (box) box.click();
}

function picked() {
  return [...document.querySelectorAll("[data-keys] input[type=checkbox]:checked")];
}

function count() {
  const bar = byId("bulk-bar");
  if (!bar) return;
  const number = picked().length;
  bar.hidden = number === 0;
  byId("bulk-count").textContent = `${number} selected`;
}

function acknowledge() {
  const one = byId("act-ack");
  if (one) { one.click(); return; }
  if (picked().length) { byId("bulk-ack").click(); return; }
  const pk = row()?.dataset.alert;
  byId(`alert-${pk}-ack`)?.click();
}

function silence() {
  if (go(byId("act-silence"))) return;
  const pk = row()?.dataset.alert;
  if (pk) location.assign(`/alerts/silences/new?alert=${encodeURIComponent(pk)}`);
}

const KEYS = {
  j: () => { if (!go(byId("alert-next"))) step(1); },
  k: () => { if (!go(byId("alert-previous"))) step(-1); },
  x: pick,
  a: acknowledge,
  s: silence,
  z: () => { const button = byId("undo"); if (button?.getClientRects().length) button.click(); },
};

// After a row has gone, the focus goes to the same control of the next one.

function next(pk) {
  const all = rows().filter((item) => item.id === `alert-${item.dataset.alert}`).map((item) => item.dataset.alert);
  const at = all.indexOf(pk);
  return all[at + 1] ?? all[at - 1];
}

async function send(event) {
  const form = event.target;
  const button = event.submitter;
  if (!button || form.dataset.sent) return;
  event.preventDefault();
  form.dataset.sent = "yes";
  const pk = button.name === "one" ? button.value : "";
  const follow = pk ? next(pk) : "";
  const control = pk && document.activeElement.id.endsWith("-open") ? "open" : "ack";
  try {
    const response = await fetch(form.action, {
      method: "POST", body: new URLSearchParams(new FormData(form, button)), credentials: "same-origin", redirect: "manual",
      headers: { "HX-Request": "true" },
    });
    if (!response.ok) throw new Error("not done in place");
    const text = await response.text();
    doneWith([...new FormData(form).getAll("alert"), pk].map((done) => `alert-${done}`));
    await htmx.swap({ text, sourceElement: byId("live"), target: byId("live"), swap: "none" });
    doneWith([]);
    if (pk) (byId(`alert-${follow}-${control}`) ?? byId("h-needing"))?.focus();
    count();
    delete form.dataset.sent;
  } catch {
    HTMLFormElement.prototype.submit.call(withValue(form, button)); // the page that comes says what is wrong
  }
}

function withValue(form, button) {
  form.append(Object.assign(document.createElement("input"), { type: "hidden", name: button.name, value: button.value }));
  return form;
}

export function start() {
  for (const item of news()) heard.add(item.dataset.key);
  document.addEventListener("htmx:after:swap", () => {
    listen();
    count();
  });
  onKey((event) => KEYS[event.key]?.());
  document.addEventListener("change", (event) => { if (event.target.form?.id === "bulk") count(); });
  byId("bulk")?.addEventListener("submit", send);
  count();
}
