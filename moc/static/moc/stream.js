// Numbers and times that are brought up to date by server-sent events: data-moc-stream names the address, data-moc-live the field of the event.
(function () {
  "use strict";

  const number = new Intl.NumberFormat("en-US", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

  document.querySelectorAll("[data-moc-stream]").forEach(function (place) {
    const source = new EventSource(place.dataset.mocStream);
    source.addEventListener("state", function (event) {
      const state = JSON.parse(event.data);
      place.querySelectorAll("[data-moc-live]").forEach(function (cell) {
        const value = state[cell.dataset.mocLive];
        if (typeof value === "number") cell.textContent = number.format(value);
        else if (typeof value === "string") cell.textContent = value;
      });
    });
    window.addEventListener("pagehide", () => source.close());
  });
})();
