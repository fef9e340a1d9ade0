// Runs in <head>, before anything is painted, so that a dark page never flashes light.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const stored = () => {
    try { return localStorage.getItem("oc-theme"); } catch { return null; } // storage may be refused
  };
  const apply = () => { root.dataset.bsTheme = stored() || (dark.matches ? "dark" : "light"); };
  root.dataset.script = "yes";
  apply();
  dark.addEventListener("change", apply);
  addEventListener("storage", apply);
  addEventListener("oc:theme", () => {
    const next = root.dataset.bsTheme === "dark" ? "light" : "dark";
    try { localStorage.setItem("oc-theme", next); } catch { /* this page only */ }
    root.dataset.bsTheme = next;
  });
})();
