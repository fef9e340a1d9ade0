// The end of a silence, changed without leaving the list: its form opens above it. Without this script it is a page of its own.

const OPEN = "#silence-extend";
const byId = (id) => document.getElementById(id);
let from = ""; // the link that opened it

const ask = (address, values) => fetch(address, {
  headers: { "HX-Request": "true" }, credentials: "same-origin", redirect: "manual", ...values,
});

async function show(response) {
  const text = await response.text();
  await htmx.swap({ text, sourceElement: byId("live"), target: byId("live"), swap: "none" });
}

async function open(link) {
  try {
    const response = await ask(link.href);
    if (!response.ok) throw new Error("not here");
    await show(response);
    from = link.id;
    byId("h-extend").focus();
  } catch {
    location.assign(link.href);
  }
}

function close() {
  byId("silence-extend").replaceChildren();
  byId(from)?.focus();
}

async function send(form) {
  if (form.dataset.sent) return;
  form.dataset.sent = "yes";
  try {
    const response = await ask(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (response.status === 409) { location.reload(); return; } // it is over: the page says so
    if (!response.ok && response.status !== 422) throw new Error("not done in place");
    await show(response);
    if (response.ok) (byId(from) ?? byId("h-active")).focus();
    else byId("extend-send").focus();
    delete byId("extend-form")?.dataset.sent;
  } catch {
    HTMLFormElement.prototype.submit.call(form); // the page that comes says what is wrong
  }
}

export function start() {
  if (!document.querySelector(OPEN)) return;
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-extend], #extend-cancel");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || !byId("silences")) return;
    event.preventDefault();
    if (link.id === "extend-cancel") close();
    else open(link);
  });
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "extend-form" || !byId("silences")) return;
    event.preventDefault();
    send(event.target);
  });
  // Whoever gives a date means it.
  document.addEventListener("input", (event) => { if (event.target.id === "extend-at-time") byId("extend-at").checked = true; });
}
