"use strict";
// The figures: drawn when they come into sight, and again when the theme changes.
(() => {
  const coarse = window.matchMedia("(pointer: coarse)");
  const config = {
    // The observer below resizes them: Plotly's own leaves out what is in a tab that is not shown.
    responsive: false, displaylogo: false,
    // Under a finger the bar never goes away, and covers the legend.
    displayModeBar: coarse.matches ? false : "hover",
    // By name: among the usual ones is one that sends the figure to a server.
    modeBarButtons: [["toImage"], ["zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]],
  };
  const plots = [...document.querySelectorAll(".plot")];
  const chosen = new Map();
  const drawn = new Map(); // to the width that it was drawn at

  const runOf = (plot) => plot.closest(".run").dataset.run;

  // Colours by name become those of the theme; everything else stays as it is.
  const themed = (value, colors) => {
    if (typeof value === "string") {
      if (value[0] !== "$") return value;
      if (!colors.has(value)) colors.set(value, report.color(value.slice(1)));
      return colors.get(value);
    }
    if (Array.isArray(value)) {
      return typeof value[0] === "object" || typeof value[0] === "string"
        ? value.map((each) => themed(each, colors)) : value;
    }
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, themed(v, colors)]));
    }
    return value;
  };

  const told = (trace, run) => {
    if (!trace.numbers) return trace;
    const { numbers, run: other, ...rest } = trace;
    const key = other === undefined ? run : `run-${other}`;
    const trials = report.data[key].trials;
    return {
      ...rest, hovertext: numbers.map((n) => (n === null ? "" : trials[n].hover)),
      hovertemplate: "%{hovertext}<extra></extra>",
      customdata: numbers.map((n) => (n === null ? null : [key, n])),
    };
  };

  const draw = (plot) => {
    const run = runOf(plot);
    const chart = report.data[run].charts[plot.dataset.chart];
    const { data, layout } = chart.variants[chosen.get(plot) || 0];
    const colors = new Map();
    const full = themed(layout, colors);
    full.dragmode = coarse.matches ? false : "zoom";
    // In a tab that is not shown it has no width: printed, Plotly's own does.
    if (plot.clientWidth) Object.assign(full, { width: plot.clientWidth, height: plot.clientHeight });
    const narrow = plot.clientWidth && plot.clientWidth < 520;
    if (narrow) {
      full.margin = { ...full.margin, l: 44, r: 8 };
      full.font = { ...full.font, size: 12 };
    }
    const first = !drawn.has(plot);
    drawn.set(plot, plot.clientWidth);
    const traces = data.map((trace) => told(themed(trace, colors), run));
    // A legend breaks its lines between names alone.
    for (const trace of narrow ? traces : []) {
      if (trace.name && trace.name.length > 32) trace.name = `${trace.name.slice(0, 31)}…`;
    }
    Plotly.react(plot, traces.map((trace) => ({ ...trace })), full, config);
    report.placeNames(plot, traces);
    if (!first) return;
    // Zoomed in, there is room for more names.
    plot.on("plotly_relayout", () => report.placeNames(plot, traces));
    plot.on("plotly_click", (event) => {
      const at = event.points.map((p) => p.customdata).find(Boolean);
      if (at) report.open(at[0], at[1], plot);
    });
  };

  const sight = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      sight.unobserve(target);
      if (!drawn.has(target)) draw(target);
    }
  }, { rootMargin: "300px" });

  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const width = target.clientWidth;
      if (width && drawn.has(target) && drawn.get(target) !== width) draw(target);
    }
  });

  for (const plot of plots) {
    sight.observe(plot);
    sizes.observe(plot);
    const buttons = plot.closest(".chart").querySelectorAll("[data-variant]");
    for (const button of buttons) {
      button.addEventListener("click", () => {
        buttons.forEach((b) => b.setAttribute("aria-pressed", String(b === button)));
        chosen.set(plot, Number(button.dataset.variant));
        draw(plot);
      });
    }
  }
  report.onTheme.push(() => {
    // On paper are also those that nobody has scrolled to.
    for (const plot of report.printing ? plots : drawn.keys()) draw(plot);
  });
})();
