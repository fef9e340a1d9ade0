// Forms on the strict side: Enter in a field does not submit them, and a form is sent once.

export function start() {
  for (const form of document.querySelectorAll("form[data-strict]")) {
    form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target.matches("input")) event.preventDefault();
    });
  }
  for (const form of document.querySelectorAll("form[data-once]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
    });
  }
}
