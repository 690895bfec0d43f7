// The page: its sections from the data that the program wrote into it.

const DATA = JSON.parse(document.getElementById("data").textContent);
const WORDS = { done: "Done", doubtful: "Done, with doubts", unfinished: "Not finished", failed: "Failed" };
const sections = [];

function section(id, title, ...children) {
  const shown = children.flat().filter((child) => child != null);
  if (shown.length) sections.push({ id, title, made: element("section", { id, "aria-labelledby": `${id}-title` }, element("h2", { id: `${id}-title` }, title), ...shown) });
}

function status() {
  return element("p", { class: "status", "aria-live": "polite" });
}

// A slider over points, a button that plays them, and the structure at the one that is picked.
function player(points, pick, name) {
  const steps = points.filter((point) => point.structure != null);
  if (steps.length < 2) return null;
  const slider = element("input", { type: "range", min: 0, max: steps.length - 1, step: 1, value: 0, "aria-label": `${name}: point` });
  const button = element("button", { type: "button", "aria-pressed": "false" }, "\u25b6 play");
  let timer = null, direction = 1;
  const stop = () => {
    clearInterval(timer);
    timer = null;
    button.textContent = "\u25b6 play";
    button.setAttribute("aria-pressed", "false");
  };
  const go = (index) => pick(steps[index]);
  slider.addEventListener("input", () => { stop(); go(Number(slider.value)); });
  button.addEventListener("click", () => {
    if (timer) { stop(); return; }
    button.textContent = "\u275a\u275a pause";
    button.setAttribute("aria-pressed", "true");
    timer = setInterval(() => {
      let next = Number(slider.value) + direction;
      if (next < 0 || next >= steps.length) { direction = -direction; next = Number(slider.value) + direction; }
      slider.value = next;
      go(next);
    }, 250);
  });
  const follow = (point) => {
    const index = steps.indexOf(point);
    if (index >= 0) slider.value = index;
    slider.setAttribute("aria-valuetext", point.words);
  };
  const xyz = xyzOf(DATA.structures, steps.map((point) => point.structure), steps.map((point) => point.words));
  const file = download({ name: `${name.replace(/[^A-Za-z0-9]+/g, "-")}.xyz`, mime: "chemical/x-xyz", content: xyz });
  file.textContent = "these structures (xyz, 0.001 \u00c5)";
  return { made: element("div", { class: "controls" }, button, slider, file), follow };
}

// A plot on the left, the structure at its point on the right.
function linked(name, plotted, points, first, extra, pointOf = (found) => found) {
  const view = new StructureView(DATA.structures, name), told = status();
  let run = null;
  const pick = (found) => {
    const point = pointOf(found);
    plot.highlight(found);
    told.textContent = point.words;
    if (run) run.follow(found.point ? found.point : found);
    if (point.structure != null) view.show(point.structure, point.words);
  };
  const plot = plotted(pick);
  run = player(points.map(pointOf), (point) => pick(points.find((found) => pointOf(found) === point)), name);
  if (first) pick(first);
  return element("div", { class: "pair" },
    element("div", { class: "card" }, plot.legend, plot.host, run && run.made, told, extra),
    element("div", { class: "card" }, view.whole));
}

function chartPart(chart) {
  const points = chart.series[0].points;
  const lowest = points.reduce((best, point) => (point.y < best.y - 1e-6 ? point : best), points[0]);
  return linked(chart.title, (pick) => chartPlot(chart, pick), points, lowest, list(chart.remarks, "remarks"));
}

function mapPart(map) {
  const lowest = map.cells.reduce((best, cell) => (cell.point.y < best.point.y ? cell : best), map.cells[0]);
  const way = map.way.map((index) => map.cells[index]);
  let pick = null;
  const place = { row: lowest.row, column: lowest.column };
  const choose = (axis, values, label) => {
    const slider = element("input", { type: "range", min: 0, max: values.length - 1, value: place[axis], "aria-label": label });
    slider.addEventListener("input", () => {
      place[axis] = Number(slider.value);
      slider.setAttribute("aria-valuetext", String(values[place[axis]]));
      const cell = map.cells.find((found) => found.row === place.row && found.column === place.column);
      if (cell) pick(cell);
    });
    return element("label", { class: "controls" }, label, slider);
  };
  const extra = element("div", {}, choose("row", map.rows, map.down), choose("column", map.columns, map.across),
    way.length ? element("p", {}, "The line is the lowest way across; play goes along it.") : null, list(map.remarks, "remarks"));
  return linked(map.title, (chosen) => {
    const plot = mapPlot(map, (cell) => pick(cell));
    pick = (cell) => { Object.assign(place, { row: cell.row, column: cell.column }); chosen(cell); };
    return plot;
  }, way.length ? way : map.cells, lowest, extra, (cell) => cell.point);
}

function pathsPart(charts) {
  const choice = element("select", { "aria-label": "path" }, ...charts.map((chart, index) => element("option", { value: index }, chart.title)));
  const room = element("div");
  const parts = new Map();
  const show = () => {
    const index = Number(choice.value);
    if (!parts.has(index)) parts.set(index, chartPart(charts[index]));
    room.replaceChildren(parts.get(index));
  };
  choice.addEventListener("change", show);
  show();
  return [charts.length > 1 ? element("p", {}, element("label", {}, "path: ", choice)) : element("h3", {}, charts[0].title), room];
}

function conformerPart() {
  const views = DATA.views, places = [];
  const side = (number) => {
    const view = new StructureView(DATA.structures, `structure ${number + 1}`);
    const choice = element("select", { "aria-label": `conformer ${number + 1}` }, ...views.map((found, index) => element("option", { value: index }, found.name)));
    const facts = element("dl", { class: "facts" });
    const show = () => {
      const found = views[Number(choice.value)];
      view.show(found.structure, found.name);
      facts.replaceChildren(...found.facts.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))));
      for (const row of document.querySelectorAll("#conformers tbody tr")) {
        row.classList.toggle("chosen", row.structure != null && places.some((place) => place.now() === row.structure));
      }
    };
    choice.addEventListener("change", show);
    places.push({ show, now: () => views[Number(choice.value)].structure, choose(structure) {
      choice.value = views.findIndex((found) => found.structure === structure);
      show();
    } });
    choice.value = Math.min(number, views.length - 1);
    return element("div", { class: "card" }, element("div", { class: "controls" }, choice, facts), view.whole);
  };
  const sides = views.length ? [...Array(Math.min(views.length, 2)).keys()].map(side) : [];
  let turn = 0;
  const show = (structure) => { places[turn % places.length].choose(structure); turn += 1; };
  const tables = DATA.conformers.map((content) => table(content, places.length ? show : null));
  section("conformers", "Conformers", ...tables, list(DATA.conformer_notes, "remarks"),
    sides.length ? element("h3", {}, sides.length > 1 ? "Structures side by side" : "Structure") : null,
    sides.length ? element("div", { class: "pair" }, ...sides) : null);
  return () => places.forEach((place) => place.show());
}

// A column without a heading is lines to read.
function ownTable(content) {
  if (content.columns.length > 1 || content.columns[0].heading) return table(content);
  return element("div", {}, content.title ? element("h3", {}, content.title) : null, list(content.rows.map((cells) => cells[0]), "remarks"));
}

function terms(pairs) {
  return element("dl", { class: "terms" }, ...pairs.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}

function folded(title, ...children) {
  return element("details", {}, element("summary", {}, title), ...children);
}

function build() {
  const ready = conformerPart();
  section("profile", "Along the scan", ...DATA.charts.map(chartPart), ...DATA.maps.map(mapPart));
  section("paths", "Paths between conformers", ...DATA.path_tables.map((content) => table(content)), ...(DATA.paths.length ? pathsPart(DATA.paths) : []));
  section("network", "Minima and saddles", ...DATA.network_tables.map((content) => table(content)), list(DATA.network_notes, "remarks"),
    ...DATA.trees.flatMap((tree) => [element("h3", {}, tree.title),
      linked(tree.title, (pick) => treePlot(tree, pick), [...tree.minima, ...tree.saddles], tree.minima[0])]));
  for (const [stage, tables] of Object.entries(DATA.own)) {
    const spectrum = DATA.spectra[stage];
    section(`stage-${stage}`, stage[0].toUpperCase() + stage.slice(1), spectrum ? spectrumPlot(spectrum) : null, ...tables.map(ownTable));
  }
  section("checks", "Checks", list(DATA.checks, "remarks"));
  const count = DATA.dropped.reduce((sum, group) => sum + group.items.length, 0);
  section("dropped", `Not carried on: ${count}`, ...DATA.dropped.map((group) => folded(`${group.reason}: ${group.items.length}`, list(group.items, "remarks"))),
    count ? null : element("p", {}, "Nothing was dropped."));
  section("origin", "Where the numbers come from", table(DATA.levels), terms(DATA.provenance),
    element("p", {}, "The same again, from the records as far as they go: ", element("code", {}, DATA.command)),
    DATA.input_text ? folded(`input: ${DATA.input_name}`, element("pre", { tabindex: 0 }, DATA.input_text)) : null);
  section("downloads", "Files", element("ul", { class: "downloads" }, ...DATA.downloads.map((file) => element("li", {}, download(file)))));
  const verdict = element("div", { class: `verdict ${DATA.state}`, role: "status" }, element("strong", {}, `${WORDS[DATA.state]}. `), DATA.verdict,
    ...DATA.advice.map((line) => element("p", {}, line)), list(DATA.failed, "remarks"), list(DATA.warnings.map((line) => `! ${line}`), "remarks"));
  const contents = element("nav", { "aria-label": "contents" }, element("ul", {}, ...sections.map(({ id, title }) => element("li", {}, element("a", { href: `#${id}` }, title)))));
  document.getElementById("page").replaceChildren(
    element("header", {}, element("h1", {}, DATA.title, " ", element("small", {}, DATA.formula)), verdict, contents),
    element("main", { id: "content" }, ...sections.map((found) => found.made)));
  ready();
}

build();
