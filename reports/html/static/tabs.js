"use strict";
// One tab a run; arrow keys move between them.
(() => {
  const tabs = [...document.querySelectorAll("[role=tab]")];
  const show = (tab, focus) => {
    for (const each of tabs) {
      const on = each === tab;
      each.setAttribute("aria-selected", String(on));
      each.tabIndex = on ? 0 : -1;
      document.getElementById(each.getAttribute("aria-controls")).hidden = !on;
    }
    if (focus) tab.focus();
  };
  tabs.forEach((tab, index) => {
    tab.addEventListener("click", () => show(tab, false));
    tab.addEventListener("keydown", ({ key }) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
      if (step) show(tabs[(index + step + tabs.length) % tabs.length], true);
    });
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-tab]");
    if (!link) return;
    show(document.getElementById(`tab-${link.dataset.tab}`), true);
    window.scrollTo({ top: 0 });
  });
  if (tabs.length) show(tabs[0], false);
})();
