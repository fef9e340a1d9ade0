// What a screen reader hears, and what the tab says: only changes of state, never counters.

const say = document.getElementById("say");
const sayAlert = document.getElementById("say-now");
const favicon = document.getElementById("favicon");
// The title is: state, number of open alerts if there are any, name of the page.
const pageName = document.title.split(" · ").slice(1).filter((part, index) => index || !/^\d+\+?$/.test(part)).join(" · ");
const open = () => document.querySelector("#nav-alerts > .oc-count")?.firstChild.data.trim();
const root = document.documentElement;
let last = "";

export const sayNow = (text) => { sayAlert.textContent = text; };
export const sayQuietly = (text) => { say.textContent = text; };

function follow() {
  const state = document.getElementById("state");
  const stale = root.dataset.link === "stale";
  document.title = [stale ? "STALE" : state.dataset.title, open(), pageName].filter(Boolean).join(" · ");
  const icon = favicon.getAttribute(`data-${stale ? "stale" : state.dataset.state}`);
  if (favicon.getAttribute("href") !== icon) favicon.setAttribute("href", icon);
  const now = `${state.dataset.state} ${state.dataset.title}`;
  if (last && now !== last) sayNow(state.dataset.say);
  last = now;
}

export function start() {
  follow();
  new MutationObserver(follow).observe(document.querySelector(".oc-bar"), {
    subtree: true, childList: true, attributes: true, attributeFilter: ["data-state", "data-title", "data-say"],
  });
  document.addEventListener("htmx:after:swap", follow);
  new MutationObserver(follow).observe(root, { attributes: true, attributeFilter: ["data-link"] });
}
