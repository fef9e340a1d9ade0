// The live link: htmx's SSE extension holds it, this script watches it.
//
// Read in the source of htmx.org 4.0.1, dist/ext/hx-sse.js, and what follows from it here:
// - pauseOnBackground is on for hx-sse:connect: a hidden tab would drop its stream, and title and favicon would lie. Set off below.
// - A stream that ended is fetched again after 0.5 s, doubling; the ceiling of 60 s is set to 3 s.
// - A *first* connect that fails is never tried again, and an error body would be swapped in. So this script asks for the connect
//   again (oc:connect is in hx-trigger; hx-sync drops it while one is under way), and noSwap covers 4xx and 5xx.
// - htmx begins by a timer when its script is deferred, which may be before the extension's script has come: it would pass over hx-sse:connect for
//   good. So the element has no such attribute until this script, which runs after both, gives it one and asks for the first connect.
// - A reconnect that is refused with 401 goes on for ever. Here it ends with "signed out".
// - A link that dies without a word is never noticed. No heartbeat for 5 s is STALE, and the reader is cancelled, which makes
//   the extension connect anew.
// - morph (dist/htmx.js, #copyAttributes) overwrites attributes but not the value of the focused field, and pairs elements without an id by
//   place: so every row and control in a live part has an id, forms stay outside, and `open` and `style` are in morphIgnore.

import { serverNow, sync, timeOf, span } from "./clock.js";
import { sayNow } from "./announce.js";

const root = document.documentElement;
const live = document.getElementById("live");
const STALE_MS = 5000;
const RETRY_MS = 3000;
const byId = (id) => document.getElementById(id);

const SETTINGS = { pauseOnBackground: false, reconnectDelay: 500, reconnectMaxDelay: RETRY_MS, connectTimeout: 4000 };

let connection = null;
let heard = performance.now(); // when anything came; monotonic
let heardAt = serverNow();
let beat = heard; // when the link last gave a sign of life, whatever it said
let tried = performance.now();
let tries = 0;
let over = false; // signed out: nothing more is asked
let database = true;

function fresh() {
  heard = performance.now();
  heardAt = serverNow();
}

function signedOut() {
  if (over) return;
  over = true;
  location.assign(`/accounts/sign-in?next=${encodeURIComponent(location.pathname + location.search)}&why=ended`);
}

document.addEventListener("htmx:sse:before:connection", (event) => {
  connection = event.detail.connection;
  tried = performance.now();
  tries += 1;
  if (over) event.preventDefault();
});
document.addEventListener("htmx:sse:after:connection", () => { tried = performance.now(); });
document.addEventListener("htmx:sse:before:message", () => {
  beat = performance.now();
  if (database) fresh();
});
document.addEventListener("htmx:sse:error", (event) => {
  if (event.detail.status === 401 || event.detail.status === 403) signedOut();
});
document.addEventListener("htmx:sse:close", () => { connection = null; });
document.addEventListener("htmx:before:response", (event) => {
  if (event.target === live && event.detail.ctx.response.raw.status === 401) signedOut();
});
live.addEventListener("signed-out", signedOut);
live.addEventListener("heartbeat", (event) => {
  const news = JSON.parse(event.detail.data);
  sync(news.now);
  database = news.database !== false; // the console lives, but cannot read: what the page shows is as old as the last read
  if (database) fresh();
});

function showStale(age) {
  const state = byId("state");
  byId("stale").hidden = false;
  byId("as-of").hidden = false;
  byId("stale-age").textContent = byId("as-of-age").textContent = span(Math.floor(age / 1000) * 1000).replace(/\.00/, "");
  byId("stale-known").textContent = `${state.dataset.title} at ${timeOf(heardAt)}`;
  byId("stale-why").textContent = database ? "" : "The console cannot read its database. ";
  byId("stale-try").textContent = tries;
  byId("as-of-time").textContent = timeOf(heardAt);
}

function watch() {
  if (over) return;
  const age = performance.now() - heard;
  if (age > STALE_MS) {
    showStale(age);
    if (root.dataset.link !== "stale") {
      root.dataset.link = "stale";
      sayNow(`Link lost. Last known: ${byId("state").dataset.title}. Stop still works.`);
    }
    if (performance.now() - Math.max(tried, beat) > RETRY_MS) {
      tried = performance.now();
      if (connection?.reader) connection.reader.cancel().catch(() => {}); // already gone: the extension reconnects by itself
      else if (!connection) live.dispatchEvent(new CustomEvent("oc:connect"));
    }
  } else if (tries > 0) {
    if (root.dataset.link === "stale") sayNow(`Link is back. ${byId("state").dataset.title}.`);
    root.dataset.link = "live";
    byId("stale").hidden = byId("as-of").hidden = true;
    if (connection) tries = 1;
  } else {
    live.dispatchEvent(new CustomEvent("oc:connect"));
  }
}

export function start() {
  // A page that slept must not show what it knew before as if it were now.
  document.addEventListener("visibilitychange", watch);
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  setInterval(watch, 250);
  const attributes = {
    "hx-sse:connect": live.dataset.url,
    "hx-trigger": "oc:connect",
    "hx-sync": "this:drop",
    "hx-swap": "none",
    "hx-config": JSON.stringify({ sse: SETTINGS }),
  };
  for (const [name, value] of Object.entries(attributes)) live.setAttribute(name, value);
  htmx.process(live);
  watch();
}
