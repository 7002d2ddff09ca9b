// Lines over time with uPlot. The data stand in a block of JSON beside the chart: {times, labels, looks, values, unit, zone}, times in
// seconds, shown on the zone's clock and not the browser's. A thin line marks now, where now is in the chart; until the pointer is over
// the chart, the legend says the values of now.
(function () {
  "use strict";

  const STROKES = ["#005ea2", "#c05600", "#4d8055", "#8168b3", "#e41d3d", "#00687d"];
  const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 5], [1, 4]];

  const DAY = 86400;
  const FONT = '13px "Source Sans Pro Web", sans-serif';
  const MUTED = "#565c65";
  const NUMBER = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });

  function clock(zone) {
    const parts = { timeZone: zone, month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    const format = new Intl.DateTimeFormat("en-US", parts);
    const named = (time) => Object.fromEntries(format.formatToParts(time * 1000).map((part) => [part.type, part.value]));
    return {
      day: (time) => { const now = named(time); return now.month + " " + now.day; },
      hour: (time) => { const now = named(time); return now.hour + ":" + now.minute; },
    };
  }

  // The place among the times that holds now, or null.
  function present(times) {
    const now = Date.now() / 1000;
    const later = times.findIndex((time) => time > now);
    return later > 0 ? later - 1 : null;
  }

  function mark(plot) {
    const now = Date.now() / 1000;
    if (now < plot.scales.x.min || now > plot.scales.x.max) return;
    const context = plot.ctx, box = plot.bbox, x = Math.round(plot.valToPos(now, "x", true)), size = uPlot.pxRatio;
    context.save();
    context.strokeStyle = context.fillStyle = MUTED;
    context.lineWidth = size;
    context.setLineDash([]);
    context.beginPath();
    context.moveTo(x, box.top);
    context.lineTo(x, box.top + box.height);
    context.stroke();
    context.font = FONT.replace("13px", 13 * size + "px");
    context.textBaseline = "top";
    context.textAlign = x > box.left + box.width - 40 * size ? "right" : "left";
    context.fillText("now", x + (context.textAlign === "left" ? 4 : -4) * size, box.top + 2 * size);
    context.restore();
  }

  function options(data, width) {
    const local = clock(data.zone);
    const said = (plot, place, line) => (place === null ? null : plot.data[line][place]);
    const at = (index) => (index === null || index === undefined ? present(data.times) : index);
    const value = (plot, given, line, index) => { const found = said(plot, at(index), line); return found === null || found === undefined ? "" : NUMBER.format(found); };
    const moment = (plot, time, line, index) => {
      const found = said(plot, at(index), 0);
      return found === null ? "" : (index === null || index === undefined ? "now, " : "") + local.day(found) + " " + local.hour(found);
    };
    const line = (label, place) => {
      const look = data.looks[place] % 6;
      return { label: label, stroke: STROKES[look], dash: DASHES[look], width: 2, spanGaps: false, value: value };
    };
    const dated = (time, place, times) => place === 0 || local.day(time) !== local.day(times[place - 1]);
    const named = (time, place, times) => local.hour(time) + (dated(time, place, times) ? "\n" + local.day(time) : "");
    const ticks = (plot, times, axis, space, step) => times.map(step >= DAY ? local.day : named);
    const room = (plot, values) => 16 + 8 * Math.max(4, ...(values || []).map((value) => String(value).length));
    return {
      width: width,
      height: 260,
      tzDate: (time) => uPlot.tzDate(new Date(time * 1000), data.zone),
      series: [{ label: "Time", value: moment }].concat(data.labels.map(line)),
      axes: [{ font: FONT, values: ticks, space: 56 }, { font: FONT, size: room }],
      hooks: { draw: [mark] },
    };
  }

  document.querySelectorAll("[data-moc-series]").forEach(function (place) {
    const data = JSON.parse(document.getElementById(place.dataset.mocSeries).textContent);
    const chart = new uPlot(options(data, place.clientWidth), [data.times].concat(data.values), place);
    new ResizeObserver(() => chart.setSize({ width: place.clientWidth, height: 260 })).observe(place);
  });
})();
