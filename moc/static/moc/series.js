// Lines over time with uPlot. The data stand in a block of JSON beside the chart: {times, labels, values, unit}, times in seconds.
(function () {
  "use strict";

  const STROKES = ["#005ea2", "#c05600", "#4d8055", "#8168b3", "#e41d3d", "#00687d"];
  const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 5], [1, 4]];

  function options(data, width) {
    const line = (label, place) => ({ label: label, stroke: STROKES[place % 6], dash: DASHES[place % 6], width: 2, spanGaps: false });
    return {
      width: width,
      height: 260,
      series: [{ label: "Time" }].concat(data.labels.map(line)),
      axes: [{}, { label: data.unit, size: 64 }],
    };
  }

  document.querySelectorAll("[data-moc-series]").forEach(function (place) {
    const data = JSON.parse(document.getElementById(place.dataset.mocSeries).textContent);
    const chart = new uPlot(options(data, place.clientWidth), [data.times].concat(data.values), place);
    new ResizeObserver(() => chart.setSize({ width: place.clientWidth, height: 260 })).observe(place);
  });
})();
