"use strict";
// Names beside points: each where it covers no other name and few points, or else not at all.
(() => {
  const LETTER = 0.62, LINE = 1.3, GAP = 6, APART = 4;
  // How a name of this width and height lies beside its point, by Plotly's words for it.
  const SIDES = {
    "top left": [-1, -1], "top right": [0, -1], "bottom right": [0, 0], "bottom left": [-1, 0],
    "middle right": [0, -0.5], "middle left": [-1, -0.5],
    "top center": [-0.5, -1], "bottom center": [-0.5, 0],
  };

  const meets = (a, b) => a.x0 < b.x1 + APART && b.x0 < a.x1 + APART
    && a.y0 < b.y1 + APART && b.y0 < a.y1 + APART;
  const beside = (at, [across, down], width, height) => {
    const x0 = at.x + across * width + (across === 0 ? GAP : across === -1 ? -GAP : 0);
    const y0 = at.y + down * height + (across === -0.5 ? (down ? -GAP : GAP) : 0);
    return { x0, y0, x1: x0 + width, y1: y0 + height };
  };

  // For each trace with names: which of them are shown, and on which side.
  report.placeNames = (plot, traces) => {
    const { xaxis, yaxis } = plot._fullLayout;
    if (!xaxis || !traces.some((trace) => trace.text && trace.mode === "markers+text")) return;
    const place = (x, y) => ({ x: xaxis.d2p(x), y: yaxis.d2p(y) });
    const marked = traces.filter((trace) => (trace.mode || "").startsWith("markers"));
    const points = marked.flatMap((trace) => trace.x.map((x, i) => place(x, trace.y[i])));
    const taken = [];
    traces.forEach((trace, index) => {
      if (!trace.text || trace.mode !== "markers+text") return;
      const size = (trace.textfont || {}).size || plot._fullLayout.font.size;
      const shown = trace.text.map((name, i) => {
        if (!name) return ["", "top left"];
        const at = place(trace.x[i], trace.y[i]);
        const ways = Object.entries(SIDES).map(([side, shift]) => {
          const box = beside(at, shift, LETTER * size * name.length, LINE * size);
          const out = box.x0 < 0 || box.y0 < 0 || box.x1 > xaxis._length || box.y1 > yaxis._length;
          if (out || taken.some((other) => meets(box, other))) return null;
          const over = points.filter((p) => p.x > box.x0 - 4 && p.x < box.x1 + 4
            && p.y > box.y0 - 2 && p.y < box.y1 + 2).length;
          return { side, box, over };
        }).filter(Boolean).sort((a, b) => a.over - b.over);
        if (!ways.length || ways[0].over > 3) return ["", "top left"];
        taken.push(ways[0].box);
        return [name, ways[0].side];
      });
      const text = shown.map(([name]) => name), textposition = shown.map(([, side]) => side);
      Plotly.restyle(plot, { text: [text], textposition: [textposition] }, [index]);
    });
  };
})();
