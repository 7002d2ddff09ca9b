// A map without tiles (no other server learns what is looked at): areas, a grid of degrees, and points, from a block of JSON
// {points: [{lat, lon, label, url}], outline: GeoJSON or null}.
(function () {
  "use strict";

  function degree(map, place, value) {
    const options = { permanent: true, direction: "right", offset: [0, -8], className: "moc-map__degree" };
    L.tooltip(options).setLatLng(place).setContent(value.toFixed(1) + "°").addTo(map);
  }

  function grid(map, bounds) {
    const south = bounds.getSouth(), north = bounds.getNorth(), west = bounds.getWest(), east = bounds.getEast();
    const step = Math.max(north - south, east - west) > 1.2 ? 0.5 : 0.1;
    const line = (ends) => L.polyline(ends, { className: "moc-map__grid", interactive: false }).addTo(map);
    for (let lat = Math.ceil(south / step) * step; lat <= north; lat += step) {
      line([[lat, west], [lat, east]]);
      degree(map, [lat, east - 0.12 * (east - west)], lat);
    }
    for (let lon = Math.ceil(west / step) * step; lon <= east; lon += step) {
      line([[south, lon], [north, lon]]);
      degree(map, [north - 0.04 * (north - south), lon], lon);
    }
  }

  function words(point) {
    const text = document.createElement(point.url ? "a" : "span");
    text.textContent = point.label;
    if (point.url) text.href = point.url;
    return text;
  }

  document.querySelectorAll("[data-moc-map]").forEach(function (place) {
    const data = JSON.parse(document.getElementById(place.dataset.mocMap).textContent);
    const map = L.map(place, { attributionControl: false, scrollWheelZoom: false, zoomSnap: 0.25 });
    const layers = L.featureGroup();
    if (data.outline) layers.addLayer(L.geoJSON(data.outline, { style: { className: "moc-map__area" }, interactive: false }));
    data.points.forEach(function (point) {
      layers.addLayer(L.circleMarker([point.lat, point.lon], { radius: 7, className: "moc-map__point" }).bindPopup(words(point)));
    });
    layers.addTo(map);
    const bounds = layers.getBounds();
    if (!bounds.isValid()) return;
    map.fitBounds(data.outline ? bounds.pad(0.05) : bounds.pad(0.3), { maxZoom: 9 });
    if (!data.outline) grid(map, map.getBounds());
    L.control.scale().addTo(map);
  });
})();
