"use strict";
// Tables: sorted by any column, unknown figures last; filtered by state.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const value = (row, index) => row.cells[index].textContent.trim();
  const order = (index, sign) => (a, b) => {
    const [x, y] = [value(a, index), value(b, index)];
    const [p, q] = [Number.parseFloat(x), Number.parseFloat(y)];
    const unknown = Number(x === "–") - Number(y === "–");
    if (unknown) return unknown;
    if (Number.isNaN(p) || Number.isNaN(q)) return sign * x.localeCompare(y);
    return sign * (p - q);
  };
  heads.forEach((head, index) => {
    head.querySelector("button").addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      body.append(...[...body.rows].sort(order(index, up ? 1 : -1)));
    });
  });
  const filter = table.closest(".listing").querySelector("[data-filter]");
  filter?.addEventListener("change", () => {
    for (const row of body.rows) {
      row.hidden = filter.value !== "" && row.dataset.state !== filter.value;
    }
  });
}
