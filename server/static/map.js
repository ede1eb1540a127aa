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
  const PROVINCES_FROM = 6.5, NEAREST = 14; // zoom
  const TOGETHER = 44; // pixels: reports nearer than this share a marker
  const MOST_IN_POPUP = 20;

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

  // points: those of one place share a marker with their number; a click goes nearer, and at last lists them

  function describe([, , form, flags, report, date, who, address], forms) {
    const card = element("div", "point", "");
    card.append(element("strong", "", forms[form].title), element("span", "code", report));
    card.append(element("span", "", [days.format(new Date(date)), who].filter(Boolean).join(" · ")));
    if (flags) card.append(element("span", "tag bad", flags));
    const link = element("a", "", words.open);
    link.href = address;
    card.append(link);
    return card;
  }

  function popup(members, forms) {
    const list = element("div", "list", "");
    list.dir = page.dir;
    list.append(...members.slice(0, MOST_IN_POPUP).map((point) => describe(point, forms)));
    return list;
  }

  function groups(points) {
    const view = map.getBounds().pad(0.1), found = [];
    for (const point of points) {
      if (!view.contains([point[0], point[1]])) continue;
      const { x, y } = map.project([point[0], point[1]]);
      const near = found.find((group) => Math.hypot(group.x - x, group.y - y) < TOGETHER);
      if (near) {
        near.members.push(point);
        near.x += (x - near.x) / near.members.length;
        near.y += (y - near.y) / near.members.length;
      } else {
        found.push({ x, y, members: [point] });
      }
    }
    return found.map((group) => group.members);
  }

  function commonest(members) {
    const counts = new Map();
    for (const [, , form] of members) counts.set(form, (counts.get(form) ?? 0) + 1);
    return [...counts].sort((a, b) => b[1] - a[1])[0][0];
  }

  function marker(members, forms) {
    const bounds = L.latLngBounds(members.map(([latitude, longitude]) => [latitude, longitude])), count = members.length;
    const size = count === 1 ? 14 : 24 + 6 * Math.floor(Math.log10(count) * 2);
    const style = ["pin", count > 1 ? "many" : "", `form-${forms[commonest(members)].colour}`, members.some((point) => point[3]) ? "flagged" : ""];
    const icon = L.divIcon({
      className: style.join(" "),
      html: element("span", "", count > 1 ? numbers.format(count) : ""),
      iconSize: [size, size],
    });
    const title = count > 1 ? words.shown.replace("{n}", numbers.format(count)) : `${forms[members[0][2]].title} ${members[0][4]}`;
    const centre = [0, 1].map((axis) => members.reduce((sum, point) => sum + point[axis], 0) / count);
    const made = L.marker(centre, { icon, title, alt: title });
    const isOnePlace = count === 1 || map.getZoom() >= NEAREST || bounds.getNorthEast().equals(bounds.getSouthWest(), 1e-4);
    if (isOnePlace) return made.bindPopup(() => popup(members, forms), { minWidth: 190, maxHeight: 260 });
    return made.on("click", () => map.fitBounds(bounds, { padding: [40, 40], maxZoom: NEAREST }));
  }

  function quantile(points, axis, share) {
    const values = points.map((point) => point[axis]).sort((a, b) => a - b);
    return values[Math.round(share * (values.length - 1))];
  }

  function drawPoints({ forms, points, is_complete: isComplete }) {
    const corner = (share) => [quantile(points, 0, share), quantile(points, 1, share)];
    if (points.length) map.fitBounds([corner(0.02), corner(0.98)], { padding: [30, 30], maxZoom: 10, animate: false }); // not misled by strays
    const layer = L.layerGroup().addTo(map);
    let zoom = null;
    const show = () => {
      if (map.getZoom() === zoom && layer.getLayers().some((made) => made.isPopupOpen())) return; // a popup may push the map
      zoom = map.getZoom();
      layer.clearLayers();
      for (const members of groups(points)) marker(members, forms).addTo(layer);
    };
    map.on("moveend", show);
    show();
    const seen = new Set(points.map((point) => point[2]));
    for (const entry of document.querySelectorAll("[data-form]")) entry.hidden = !seen.has(entry.dataset.form);
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

  Promise.all([get(words.points).then(drawPoints), get(words.boundaries).then(drawLand)]).catch((error) => {
    console.error(error);
    document.getElementById("map-count").textContent = words.failed;
  });
})();
