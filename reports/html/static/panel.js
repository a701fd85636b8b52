"use strict";
// The panel of one network: its figures and its configuration.
(() => {
  const at = (id) => document.getElementById(id);
  const panel = at("trial");
  let origin = null;

  const row = (name, text) => {
    const [dt, dd] = ["dt", "dd"].map((tag) => document.createElement(tag));
    dt.textContent = name;
    dd.textContent = text;
    return [dt, dd];
  };

  report.open = (run, number, from) => {
    const trial = report.data[run].trials[number];
    if (panel.hidden) origin = from;
    at("trial-title").textContent = trial.title;
    at("trial-state").textContent = trial.state;
    at("trial-figures").replaceChildren(...trial.figures.flatMap(([n, t]) => row(n, t)));
    at("trial-words").replaceChildren(...trial.words.map((line) => {
      const p = document.createElement("p");
      p.textContent = line;
      return p;
    }));
    at("trial-yaml").textContent = trial.yaml;
    const folder = at(run).dataset.folder;
    at("trial-hint").textContent =
      `nas export ${folder} --trial ${number} -o net.yaml writes the same file.`;
    panel.hidden = false;
    panel.scrollTop = 0;
    at("trial-title").focus({ preventScroll: true });
  };

  const close = () => {
    if (panel.hidden) return;
    panel.hidden = true;
    if (origin && origin.focus) origin.focus({ preventScroll: true });
  };

  const copied = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Browsers that keep the clipboard from pages on disk still copy a selection.
      const range = document.createRange();
      range.selectNodeContents(at("trial-yaml"));
      const selection = getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
      return document.execCommand("copy");
    }
  };

  at("trial-copy").addEventListener("click", async () => {
    const done = await copied(at("trial-yaml").textContent);
    at("trial-copy").textContent = done ? "Copied" : "Press Ctrl+C";
    at("told").textContent = done ? "Configuration copied" : "Selected; press Ctrl+C to copy";
    setTimeout(() => { at("trial-copy").textContent = "Copy"; }, 1600);
  });
  at("trial-close").addEventListener("click", close);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-trial]");
    if (button) report.open(button.closest(".run").dataset.run, button.dataset.trial, button);
  });
})();
