// Row selection: a box for the whole page, a count, and the offer of every row in the filter. The boxes work without it.
(function () {
  "use strict";

  const number = new Intl.NumberFormat("en-US");

  function start(bar, table) {
    const boxes = Array.from(table.querySelectorAll("input[name=selected]"));
    const page = bar.querySelector("[data-moc-select-page]");
    const count = bar.querySelector(".moc-selection__count");
    const all = bar.querySelector(".moc-selection__all");
    const every = all ? all.querySelector("input") : null;
    let last = null;

    function show() {
      const chosen = boxes.filter((box) => box.checked).length;
      const whole = chosen === boxes.length;
      page.checked = whole;
      page.indeterminate = chosen > 0 && !whole;
      if (all) {
        all.hidden = !whole;
        if (!whole) every.checked = false;
      }
      count.textContent = every && every.checked ? "Every row in the filter is selected" : chosen ? number.format(chosen) + " selected on this page" : "";
    }

    function range(box, checked) {
      const ends = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
      boxes.slice(ends[0], ends[1] + 1).forEach((between) => { between.checked = checked; });
    }

    page.closest("[hidden]").hidden = false;
    page.addEventListener("change", function () {
      boxes.forEach((box) => { box.checked = page.checked; });
      show();
    });
    table.addEventListener("click", function (event) {
      if (event.target.name !== "selected") return;
      if (event.shiftKey && last) range(event.target, event.target.checked);
      last = event.target;
      show();
    });
    if (every) every.addEventListener("change", show);
    show();
  }

  document.querySelectorAll("[data-moc-selection]").forEach(function (bar) {
    const table = bar.parentElement.querySelector("[data-moc-select]");
    if (table) start(bar, table);
  });
})();
