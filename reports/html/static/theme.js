"use strict";
// Light or dark: what the system prefers, until the reader chooses.
const report = { data: JSON.parse(document.getElementById("data").textContent), onTheme: [] };

(() => {
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const store = "nas-report-theme";
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);

  // A custom property holds light-dark(): only a real property says which of the two is meant.
  report.color = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const told = () => report.onTheme.forEach((each) => each());
  const set = (theme) => {
    if (theme) root.dataset.theme = theme;
    else delete root.dataset.theme;
    told();
  };
  try {
    const kept = localStorage.getItem(store);
    if (kept === "light" || kept === "dark") root.dataset.theme = kept;
  } catch { /* a browser that keeps nothing for files */ }
  document.getElementById("theme").addEventListener("click", () => {
    const now = root.dataset.theme || (dark.matches ? "dark" : "light");
    const next = now === "dark" ? "light" : "dark";
    try { localStorage.setItem(store, next); } catch { /* likewise */ }
    set(next);
  });
  dark.addEventListener("change", told);

  let before;
  window.addEventListener("beforeprint", () => {
    before = root.dataset.theme;
    report.printing = true;
    set("light");
  });
  window.addEventListener("afterprint", () => {
    report.printing = false;
    set(before);
  });
})();
