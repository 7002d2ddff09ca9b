// Lines over time with uPlot. The data stand in a block of JSON beside the chart: {times, labels, values, unit, zone}, times in seconds,
// shown on the zone's clock and not the browser's.
(function () {
  "use strict";

  const STROKES = ["#005ea2", "#c05600", "#4d8055", "#8168b3", "#e41d3d", "#00687d"];
  const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 5], [1, 4]];

  const DAY = 86400;
  const FONT = '13px "Source Sans Pro Web", sans-serif';

  function clock(zone) {
    const parts = { timeZone: zone, month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    const format = new Intl.DateTimeFormat("en-US", parts);
    const named = (time) => Object.fromEntries(format.formatToParts(time * 1000).map((part) => [part.type, part.value]));
    return {
      day: (time) => { const now = named(time); return now.month + "-" + now.day; },
      hour: (time) => { const now = named(time); return now.hour + ":" + now.minute; },
    };
  }

  function options(data, width) {
    const local = clock(data.zone);
    const line = (label, place) => ({ label: label, stroke: STROKES[place % 6], dash: DASHES[place % 6], width: 2, spanGaps: false });
    const moment = (plot, time) => (time === null ? "–" : local.day(time) + " " + local.hour(time));
    const ticks = (plot, times, axis, space, step) => times.map(step >= DAY ? local.day : local.hour);
    const room = (plot, values) => 16 + 8 * Math.max(4, ...(values || []).map((value) => String(value).length));
    return {
      width: width,
      height: 260,
      tzDate: (time) => uPlot.tzDate(new Date(time * 1000), data.zone),
      series: [{ label: "Time", value: moment }].concat(data.labels.map(line)),
      axes: [{ font: FONT, values: ticks }, { font: FONT, size: room }],
    };
  }

  document.querySelectorAll("[data-moc-series]").forEach(function (place) {
    const data = JSON.parse(document.getElementById(place.dataset.mocSeries).textContent);
    const chart = new uPlot(options(data, place.clientWidth), [data.times].concat(data.values), place);
    new ResizeObserver(() => chart.setSize({ width: place.clientWidth, height: 260 })).observe(place);
  });
})();
