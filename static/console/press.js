// Stop in two presses, in one place. Never optimistic: the bar says STOPPING only when the server's answer or the stream says so.

import { sayNow } from "./announce.js";

const BOUNCE_MS = 300; // a second press this soon is the first one's bounce
const CANCEL_MS = 15000;
const AGAIN_MS = 2000; // no answer by then: the same request once more, with the same key
const GIVE_UP_MS = 6000;

const root = document.documentElement;
const byId = (id) => document.getElementById(id);
const first = byId("stop");
const second = byId("stop-now");
const form = byId("stop-form");
const confirm = byId("confirm");
let armedAt = 0;
let timer = 0;
let before = ""; // what the bar said when the press was sent

const said = () => `${byId("state").dataset.state} ${byId("state").dataset.title}`;
const shown = (element) => Boolean(element) && element.getClientRects().length > 0;

export function arm() {
  if (!form || root.dataset.press === "sending" || root.dataset.press === "again") return;
  if (root.dataset.press === "armed") { second.focus(); return; }
  if (!shown(first)) return; // trading is stopped already
  root.dataset.press = "armed";
  byId("press").hidden = true;
  confirm.hidden = false;
  byId("stop-key").value = crypto.randomUUID?.() ?? `${performance.timeOrigin}-${performance.now()}-${Math.random()}`;
  armedAt = performance.now();
  second.focus({ preventScroll: true });
  clearTimeout(timer);
  timer = setTimeout(cancel, CANCEL_MS);
}

export function cancel() {
  if (root.dataset.press !== "armed" && root.dataset.press !== "failed") return false;
  const hadFocus = document.activeElement === second || confirm.contains(document.activeElement);
  close();
  if (hadFocus && shown(first)) first.focus({ preventScroll: true });
  return true;
}

function close() {
  clearTimeout(timer);
  root.dataset.press = "";
  confirm.hidden = true;
  byId("press").hidden = true;
}

function over(press, word, fact) {
  root.dataset.press = press;
  byId("press").hidden = false;
  byId("press-word").textContent = word;
  byId("press-fact").replaceChildren(...fact);
}

const code = (text) => Object.assign(document.createElement("code"), { textContent: text });

function failed(why) {
  over("failed", "NOT SENT", [`${why} Press again, or stop another way: `, code("manage.py killswitch activate"), " or, on the trading host, ", code("touch $OPSCLIENT_HALT_FILE")]);
  sayNow(`${why} Do not count on this press. Stop another way.`);
}

function request(body) {
  return fetch(form.action, { method: "POST", body, credentials: "same-origin", redirect: "manual", headers: { "HX-Request": "true" } });
}

async function answered(response) {
  if (response.type === "opaqueredirect" || response.status === 401) {
    location.assign(`/accounts/sign-in?next=/kill-switch/stop`);
    return;
  }
  const text = await response.text();
  if (!response.ok) {
    failed(response.status === 403 ? "The console refused: you may not stop trading, or the form was too old." : `The console answered ${response.status}.`);
    return;
  }
  close();
  // The stream may have been faster than this answer, and then what it brought is newer.
  if (said() === before) await htmx.swap({ text, sourceElement: byId("live"), target: byId("live"), swap: "none" });
  byId("state-now")?.focus({ preventScroll: true });
}

async function send() {
  clearTimeout(timer);
  before = said();
  const body = new URLSearchParams(new FormData(form));
  confirm.hidden = true;
  over("sending", "Sending…", ["Nothing is stopped until the console says so."]);
  byId("press-now").focus({ preventScroll: true });
  const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const firstTry = request(body);
  const secondTry = wait(AGAIN_MS).then(() => {
    if (root.dataset.press !== "sending") throw new Error("answered already");
    over("again", "Sending…", ["No answer for 2 s. Sent again with the same key: it stops once, not twice."]);
    return request(body);
  });
  const giveUp = wait(GIVE_UP_MS).then(() => { throw new Error("no answer"); });
  giveUp.catch(() => {}); // when the answer came first, nobody waits for this any more
  try {
    await answered(await Promise.race([Promise.any([firstTry, secondTry]), giveUp]));
  } catch {
    if (root.dataset.press) failed("The console did not answer.");
  }
}

// Somebody else was faster, or the answer was lost and the stream brought the stop: it is shown as ours.
function follow() {
  const state = byId("state").dataset.state;
  if (!root.dataset.press || (state !== "stopping" && state !== "stopped")) return;
  const held = [byId("press-now"), second].includes(document.activeElement);
  close();
  if (held) byId("state-now").focus({ preventScroll: true });
}

export function start() {
  if (!form) return; // whoever may not stop follows the link, which says who may
  first.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    arm();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (root.dataset.press !== "armed") return;
    if (performance.now() - armedAt < BOUNCE_MS) return;
    send();
  });
  // A key that is held down is one press, however long it repeats.
  document.addEventListener("keydown", (event) => {
    if (event.repeat && (event.key === "Enter" || event.key === " ") && event.target === second) event.preventDefault();
  });
  byId("keep").addEventListener("click", (event) => {
    event.preventDefault();
    cancel();
  });
  addEventListener("pagehide", cancel);
  document.addEventListener("htmx:after:swap", follow);
}
