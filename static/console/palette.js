// The palette: go to a page, run what a page offers, or search the audit trail.

import { arm } from "./press.js";

const dialog = document.getElementById("palette");
const input = document.getElementById("palette-input");
const options = [...dialog.querySelectorAll("[role=option]")];
let chosen = null;

const visible = () => options.filter((option) => !option.parentElement.hidden);

function choose(option) {
  chosen?.removeAttribute("aria-selected");
  chosen = option ?? null;
  if (!chosen) { input.removeAttribute("aria-activedescendant"); return; }
  chosen.setAttribute("aria-selected", "true");
  chosen.scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", chosen.id);
}

function filter() {
  const words = input.value.trim().toLowerCase();
  for (const place of dialog.querySelectorAll(".palette-words")) place.textContent = input.value.trim();
  for (const option of options) {
    const search = "search" in option.dataset;
    option.parentElement.hidden = search ? !words : !option.textContent.toLowerCase().includes(words);
  }
  choose(visible()[0]);
}

function run(option) {
  dialog.close();
  if (option.dataset.run === "stop" && document.getElementById("stop-form")) arm();
  else if (option.dataset.run === "keys") document.getElementById("keys").showModal();
  else if (option.dataset.run === "theme") dispatchEvent(new CustomEvent("oc:theme"));
  else if (option.dataset.search) location.assign(option.dataset.search + encodeURIComponent(input.value.trim()));
  else location.assign(option.href);
}

export function openPalette() {
  if (dialog.open) return;
  input.value = "";
  filter();
  dialog.showModal();
  input.focus();
}

export function start() {
  document.getElementById("open-palette").addEventListener("click", openPalette);
  input.addEventListener("input", filter);
  input.addEventListener("keydown", (event) => {
    const list = visible();
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && list.length) {
      event.preventDefault();
      choose(list[(list.indexOf(chosen) + step + list.length) % list.length]);
    } else if (event.key === "Enter" && chosen) {
      event.preventDefault();
      run(chosen);
    }
  });
  dialog.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) { event.preventDefault(); run(option); }
    else if (event.target === dialog) dialog.close();
  });
}
