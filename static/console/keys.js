// Keys. Each is also a visible control; single keys can be switched off and are silent inside fields. No key re-arms.

import { arm, cancel } from "./press.js";
import { openPalette } from "./palette.js";

const sheet = document.getElementById("keys");
const toggle = document.getElementById("single-keys");
let goes = -Infinity; // G was pressed: when
let others = () => {}; // what a page's own script does with a single key

export const onKey = (act) => { others = act; };

const singles = () => {
  try { return localStorage.getItem("oc-single-keys") !== "off"; } catch { return true; }
};
const inField = (target) => target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]");

function search() {
  const field = document.querySelector("main input[type=search]");
  if (field) field.focus();
  else openPalette();
}

function go(key) {
  const link = document.querySelector(`#palette-list [data-go="${CSS.escape(key)}"]`);
  if (link) location.assign(link.href);
}

function single(event) {
  const key = event.key;
  if (event.shiftKey && key.toLowerCase() === "s") {
    event.preventDefault();
    if (event.repeat) return;
    if (document.getElementById("stop-form")) arm();
    else location.assign(document.getElementById("stop").href);
  } else if (key === "?") sheet.showModal();
  else if (key === "/") { event.preventDefault(); search(); }
  else if (performance.now() - goes < 1500) { goes = -Infinity; go(key.toLowerCase()); }
  else if (key.toLowerCase() === "g" && !event.shiftKey) goes = performance.now();
  else if (!event.shiftKey && !event.repeat) others(event);
}

export function start() {
  toggle.checked = singles();
  toggle.addEventListener("change", () => {
    try { localStorage.setItem("oc-single-keys", toggle.checked ? "on" : "off"); } catch { /* this page only */ }
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      openPalette();
      return;
    }
    if (event.key === "Escape" && !document.querySelector("dialog[open]")) { cancel(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || inField(event.target)) return;
    if (document.querySelector("dialog[open]") || !singles()) return;
    single(event);
  });
  document.addEventListener("click", (event) => {
    const opener = event.target.closest?.("[data-opens]");
    if (opener) document.getElementById(opener.dataset.opens).showModal();
    if (event.target.closest?.("#theme, [data-theme-switch]")) dispatchEvent(new CustomEvent("oc:theme"));
  });
}
