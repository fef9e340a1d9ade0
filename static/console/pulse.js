// Parts that depend on the page's address, or on who looks: the page asks for them when a pulse says that something has changed.

const AGAIN_MS = 1000; // between two refreshes
const byId = (id) => document.getElementById(id);

let asking = false;
let askAgain = false;

function address() {
  const to = new URL(location.href);
  to.hash = "";
  return to;
}

async function refresh() {
  if (asking) { askAgain = true; return; }
  asking = true;
  try {
    const response = await fetch(address(), { headers: { "HX-Request": "true" }, credentials: "same-origin", redirect: "error" });
    if (response.ok) {
      const text = await response.text();
      await htmx.swap({ text, sourceElement: byId("live"), target: byId("live"), swap: "none" });
    }
  } catch { /* the link's own script says when the console is away */ }
  setTimeout(() => { asking = false; if (askAgain) { askAgain = false; refresh(); } }, AGAIN_MS);
}

export function start() {
  const pulse = () => [...document.querySelectorAll("[data-beat]")].map((element) => element.dataset.beat).join();
  let beat = pulse();
  document.addEventListener("htmx:after:swap", () => {
    if (pulse() === beat) return;
    beat = pulse();
    refresh();
  });
}
