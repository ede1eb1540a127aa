// The map of reports. Land and points come from this server; names from the data are only ever set as text.
"use strict";
(() => {
  const box = document.getElementById("map"), words = box ? box.dataset : null;
  if (!box || !window.L) return;
  const page = document.documentElement, language = page.lang, isRtl = page.dir === "rtl";
  const numbers = new Intl.NumberFormat(language);
  const days = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeZone: "UTC" });
  const countries = new Intl.DisplayNames([language], { type: "region" });
  const colour = (name) => getComputedStyle(page).getPropertyValue(`--${name}`).trim();
  const PROVINCES_FROM = 6.5; // zoom

  box.replaceChildren();
  const map = L.map(box, { zoomControl: false, attributionControl: false, minZoom: 3, maxZoom: 15, zoomSnap: 0.5, scrollWheelZoom: false });
  map.setView([35, 55], 4);
  L.control.zoom({ position: isRtl ? "topright" : "topleft", zoomInTitle: words.zoomIn, zoomOutTitle: words.zoomOut }).addTo(map);
  map.on("focus", () => map.scrollWheelZoom.enable()).on("blur", () => map.scrollWheelZoom.disable());
  map.on("popupopen", (event) => {
    event.popup.getElement().querySelector(".leaflet-popup-close-button")?.setAttribute("aria-label", words.close);
  });
  map.createPane("land").style.zIndex = 250;
  map.createPane("names").style.zIndex = 300;

  const element = (tag, className, text) => Object.assign(document.createElement(tag), { className, textContent: text });

  async function get(address) {
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  }

  // points

  function popup([, , form, flags, report, date, who, address], forms) {
    const card = element("div", "point", "");
    card.dir = page.dir;
    card.append(element("strong", "", forms[form].title), element("span", "code", report));
    card.append(element("span", "", [days.format(new Date(date)), who].filter(Boolean).join(" · ")));
    if (flags) card.append(element("span", "tag bad", flags));
    const link = element("a", "", words.open);
    link.href = address;
    card.append(link);
    return card;
  }

  function drawPoints({ forms, points, is_complete: isComplete }) {
    const renderer = L.canvas({ padding: 0.3, tolerance: 6 });
    for (const point of [...points].reverse()) {
      const isFlagged = point[3] !== "";
      L.circleMarker([point[0], point[1]], {
        renderer,
        radius: 6,
        weight: isFlagged ? 2.5 : 1,
        color: colour(isFlagged ? "bad" : "card"),
        fillColor: colour(`form-${forms[point[2]].colour}`),
        fillOpacity: 0.9,
      }).bindPopup(() => popup(point, forms), { minWidth: 180 }).addTo(map);
    }
    if (points.length) map.fitBounds(L.latLngBounds(points.map(([latitude, longitude]) => [latitude, longitude])), { padding: [40, 40], maxZoom: 10, animate: false });
    const sentence = points.length === 0 ? words.none : isComplete ? words.shown : words.newest;
    document.getElementById("map-count").textContent = sentence.replace("{n}", numbers.format(points.length));
  }

  // land: province lines are thin, lines between countries and coasts are stronger

  const rings = (feature) => (feature.geometry.type === "Polygon" ? [feature.geometry.coordinates] : feature.geometry.coordinates).flat();
  const edge = (a, b) => (a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]) ? `${a}|${b}` : `${b}|${a}`);

  function outlines(features) {
    const owners = new Map(); // how many provinces of one country an edge belongs to; 0 when countries differ
    for (const feature of features) {
      for (const ring of rings(feature)) {
        for (let i = 1; i < ring.length; i++) {
          const key = edge(ring[i - 1], ring[i]), other = owners.get(key);
          owners.set(key, other === undefined ? [feature.properties.country, 1] : other[0] === feature.properties.country ? [other[0], 2] : [other[0], 1]);
        }
      }
    }
    const lines = [];
    for (const ring of features.flatMap(rings)) {
      let line = null;
      for (let i = 1; i < ring.length; i++) {
        if (owners.get(edge(ring[i - 1], ring[i]))[1] === 2) { line = null; continue; }
        if (!line) lines.push((line = [[ring[i - 1][1], ring[i - 1][0]]]));
        line.push([ring[i][1], ring[i][0]]);
      }
    }
    return lines;
  }

  function drawLand({ features }) {
    const renderer = L.canvas({ pane: "land", padding: 0.3 });
    const common = { renderer, pane: "land", interactive: false };
    const land = L.geoJSON(features, { ...common, style: { fillColor: colour("land"), fillOpacity: 1, color: colour("province"), weight: 0.7 } }).addTo(map);
    L.polyline(outlines(features), { ...common, color: colour("border"), weight: 1.2 }).addTo(map);
    drawNames(land.getLayers());
  }

  // names, in the reader's language

  function largest(layer) {
    const parts = rings(layer.feature).map((ring) => L.latLngBounds(ring.map(([longitude, latitude]) => [latitude, longitude])));
    const size = (bounds) => (bounds.getEast() - bounds.getWest()) * (bounds.getNorth() - bounds.getSouth());
    return parts.sort((a, b) => size(b) - size(a))[0];
  }

  function drawNames(layers) {
    const names = L.layerGroup().addTo(map), byCountry = new Map();
    const provinces = layers.map((layer) => {
      const { country, name, [`name_${language}`]: own } = layer.feature.properties, bounds = largest(layer);
      byCountry.set(country, (byCountry.get(country) ?? L.latLngBounds(bounds.getCenter(), bounds.getCenter())).extend(bounds));
      return { text: (own || name).replace(/^استان /, ""), bounds, className: "province" }; // the word for "province"
    });
    const states = [...byCountry].map(([code, bounds]) => ({ text: countries.of(code), bounds, className: "country" }));
    const show = () => {
      names.clearLayers();
      const view = map.getBounds(), isNear = map.getZoom() >= PROVINCES_FROM;
      for (const { text, bounds, className } of isNear ? provinces : states) {
        const width = map.project(bounds.getNorthEast()).x - map.project(bounds.getSouthWest()).x;
        if (!view.contains(bounds.getCenter()) || width < text.length * 6) continue;
        const icon = L.divIcon({ className: `name ${className}`, html: element("span", "", text), iconSize: [0, 0] });
        L.marker(bounds.getCenter(), { icon, pane: "names", interactive: false, keyboard: false }).addTo(names);
      }
    };
    map.on("moveend", show);
    show();
  }

  Promise.all([get(words.points).then(drawPoints), get(words.boundaries).then(drawLand)]).catch(() => {
    document.getElementById("map-count").textContent = words.failed;
  });
})();
