// Plots as SVG: energies over a coordinate, a map of two, a disconnectivity graph. Each calls `pick` with a point.

function ticks(low, high, count) {
  const rough = (high - low) / Math.max(count, 1) || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((value) => value >= rough);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) found.push(Number((k * step).toPrecision(12)));
  return found;
}

// Angles have marks at round parts of a turn.
function angleTicks(low, high, count) {
  const step = [1, 2, 3, 6, 12, 15, 30, 45, 60, 90, 180].find((value) => (high - low) / value <= count) || 360;
  const found = [];
  for (let value = Math.ceil(low / step - 1e-9) * step; value <= high + 1e-9; value += step) found.push(value);
  return found.length > 1 ? found : ticks(low, high, count);
}

const MARKS = [
  (x, y, r) => `M${x - r},${y}a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0`,
  (x, y, r) => `M${x},${y - 1.25 * r}l${1.25 * r},${1.25 * r}l${-1.25 * r},${1.25 * r}l${-1.25 * r},${-1.25 * r}z`,
  (x, y, r) => `M${x - r},${y - r}h${2 * r}v${2 * r}h${-2 * r}z`,
  (x, y, r) => `M${x},${y - 1.2 * r}l${1.2 * r},${2.2 * r}h${-2.4 * r}z`,
];
const LOST = { up: (x, y) => `M${x - 4},${y - 4}l6,4l-6,4z`, down: (x, y) => `M${x + 4},${y - 4}l-6,4l6,4z` };

function extent(values, margin) {
  const low = Math.min(...values), high = Math.max(...values), room = (high - low || 1) * margin;
  return [low - room, high + room];
}

// A panel of a chart: its axes, and functions that place a value.
function panel(svg, box, xs, ys, labels, sizes) {
  const x = (value) => box.left + ((value - xs[0]) / (xs[1] - xs[0])) * (box.right - box.left);
  const y = (value) => box.bottom - ((value - ys[0]) / (ys[1] - ys[0])) * (box.bottom - box.top);
  for (const value of ticks(ys[0], ys[1], (box.bottom - box.top) / 45)) {
    svg.append(shape("line", { class: "grid", x1: box.left, x2: box.right, y1: y(value), y2: y(value) }),
      shape("text", { x: box.left - 6, y: y(value) + 4, "text-anchor": "end" }, String(value)));
  }
  if (labels.x) {
    const marks = (/\(deg\)$/.test(labels.x) ? angleTicks : ticks)(xs[0], xs[1], (box.right - box.left) / 60);
    for (const value of marks) {
      svg.append(shape("line", { class: "grid", x1: x(value), x2: x(value), y1: sizes.top, y2: box.bottom }),
        shape("text", { x: x(value), y: box.bottom + 17, "text-anchor": "middle" }, String(value)));
    }
    svg.append(shape("text", { x: (box.left + box.right) / 2, y: box.bottom + 36, "text-anchor": "middle" }, labels.x));
  }
  const middle = (box.top + box.bottom) / 2;
  svg.append(shape("path", { class: "axis", d: `M${box.left},${box.top}V${box.bottom}H${box.right}` }),
    shape("text", { x: 14, y: middle, "text-anchor": "middle", transform: `rotate(-90 14 ${middle})` }, labels.y));
  return { x, y };
}

// Draw into a host, and again whenever its width changes.
function drawnIn(host, draw) {
  let width = 0;
  new ResizeObserver(() => requestAnimationFrame(() => {
    const now = Math.max(Math.round(host.clientWidth), 240);
    if (now !== width) draw((width = now));
  })).observe(host);
}

function nearest(event, svg, marks) {
  const box = svg.getBoundingClientRect(), scale = svg.viewBox.baseVal.width / box.width;
  const x = (event.clientX - box.left) * scale, y = (event.clientY - box.top) * scale;
  let best = null, least = Infinity;
  for (const mark of marks) {
    const far = Math.hypot(3 * (mark.x - x), mark.y - y);
    if (far < least) [best, least] = [mark, far];
  }
  return best;
}

// Energies, and gaps where they are known, over one coordinate.
function chartPlot(chart, pick) {
  const host = element("div"), all = chart.series.flatMap((series) => series.points);
  let picked = null, marks = [];
  const highlight = () => {
    for (const mark of marks) mark.made.classList.toggle("picked", mark.point === picked);
    const cursor = host.querySelector(".cursor"), at = marks.find((mark) => mark.point === picked);
    if (cursor && at) for (const end of ["x1", "x2"]) cursor.setAttribute(end, at.x);
  };
  const gaps = all.some((point) => point.gap != null);
  drawnIn(host, (width) => {
    const height = gaps ? 430 : 330, sizes = { top: 10 };
    const svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": `${chart.title}: ${chart.y_label} over ${chart.x_label}` });
    const left = 58, right = width - 14, split = gaps ? 262 : height - 44;
    const xs = extent(all.map((point) => point.x), 0.04);
    const lost = chart.series.flatMap((series) => [...series.lost.map((found) => found[1]), ...series.branches.flatMap((branch) => branch.points.map((point) => point.y))]);
    const top = panel(svg, { left, right, top: 10, bottom: split }, xs, extent([...all.map((point) => point.y), ...lost], 0.08),
      { x: gaps ? "" : chart.x_label, y: chart.y_label }, sizes);
    const panels = [[top, (point) => point.y]];
    if (gaps) {
      const known = all.filter((point) => point.gap != null).map((point) => point.gap);
      const below = panel(svg, { left, right, top: split + 18, bottom: height - 44 }, xs, extent(known, 0.12), { x: chart.x_label, y: "gap (eV)" }, sizes);
      panels.push([below, (point) => point.gap]);
    }
    svg.append(shape("line", { class: "cursor", x1: -9, x2: -9, y1: 10, y2: height - 44 }));
    marks = [];
    chart.series.forEach((series, count) => {
      const group = shape("g", { class: `s${count % 4}` });
      for (const curve of series.curves) {
        group.append(shape("path", { class: "curve", d: curve.map(([x, y], k) => `${k ? "L" : "M"}${top.x(x)},${top.y(y)}`).join("") }));
      }
      series.branches.forEach((branch, which) => {
        for (const line of branch.lines) {
          group.append(shape("path", { class: `branchline b${which % 3}`, d: line.map(([x, y], k) => `${k ? "L" : "M"}${top.x(x)},${top.y(y)}`).join("") }));
        }
        for (const point of branch.points.filter((found) => found.hollow)) {
          const x = top.x(point.x), y = top.y(point.y);
          const made = shape("path", { class: "mark hollow branchmark", d: MARKS[0](x, y, 3), tabindex: 0, role: "button", "aria-label": point.words,
            onfocus: () => pick(point) }, shape("title", {}, point.words));
          group.append(made);
          marks.push({ made, point, x, y });
        }
      });
      for (const [x, y, direction] of series.lost) group.append(shape("path", { class: "mark lost", d: LOST[direction](top.x(x), top.y(y)) }));
      for (const [where, value] of panels) {
        for (const point of series.points.filter((found) => value(found) != null)) {
          const x = where.x(point.x), y = where.y(value(point));
          const isButton = where === top && count > 0;  // the others are reached by the slider
          const made = shape("path", { class: `mark${point.hollow ? " hollow" : ""}`, d: MARKS[count % 4](x, y, 4.5),
            tabindex: isButton ? 0 : null, role: isButton ? "button" : "img", "aria-label": point.words,
            onfocus: () => pick(point) }, shape("title", {}, point.words));
          group.append(made);
          marks.push({ made, point, x, y });
        }
      }
      svg.append(group);
    });
    const scrub = (event) => { const found = nearest(event, svg, marks); if (found && found.point !== picked) pick(found.point); };
    svg.addEventListener("pointermove", scrub);
    svg.addEventListener("pointerdown", scrub);
    host.replaceChildren(svg);
    highlight();
  });
  return { host, legend: legend(chart), highlight(point) { picked = point; highlight(); } };
}

function legend(chart) {
  const sign = (kind, d) => shape("svg", { viewBox: "0 0 26 16", "aria-hidden": "true" }, shape("path", { class: kind, d }));
  const entries = chart.series.map((series, count) => element("li", { class: `s${count % 4}` }, sign("mark", MARKS[count % 4](13, 8, 4.5)), ` ${series.name}`));
  const points = chart.series.flatMap((series) => series.points);
  if (points.some((point) => point.hollow)) entries.push(element("li", { class: "s0" }, sign("mark hollow", MARKS[0](13, 8, 4.5)), " by symmetry"));
  chart.series.forEach((series, count) => series.branches.forEach((branch, which) => {
    if (!branch.lines.length) return;
    entries.push(element("li", { class: `s${count % 4}` }, sign(`branchline b${which % 3}`, "M1,8H25"), ` descends from ${branch.name}, above the lowest`));
  }));
  if (chart.series.some((series) => series.lost.length)) {
    entries.push(element("li", { class: "s0" }, sign("mark lost", LOST.up(13, 8)), " came along the arrow: higher, not kept"));
  }
  return element("ul", { class: "legend" }, ...entries);
}

// Viridis (doi:10.1371/journal.pone.0199239), coarse.
const VIRIDIS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];

function colour(part) {
  const at = Math.min(Math.max(part, 0), 1) * (VIRIDIS.length - 1), k = Math.min(Math.floor(at), VIRIDIS.length - 2);
  return VIRIDIS[k].map((low, channel) => Math.round(low + (at - k) * (VIRIDIS[k + 1][channel] - low)));
}

function mapPlot(map, pick) {
  const host = element("div");
  let picked = null, made = new Map();
  const highlight = () => made.forEach((rect, cell) => {
    rect.classList.toggle("picked", cell === picked);
    if (cell === picked) rect.parentNode.append(rect);
  });
  const energies = map.cells.map((cell) => cell.point.y);
  const over = map.way.length ? 3 * Math.max(...map.way.map((index) => map.cells[index].point.y)) : Infinity;
  const top = Math.min(Math.max(...energies), Math.max(over, 1)) || 1;
  drawnIn(host, (width) => {
    const left = 58, bottom = 48, cellWidth = (width - left - 10) / map.rows.length;
    const cellHeight = Math.max(Math.min(cellWidth, 46), 22), height = cellHeight * map.columns.length + bottom + 10;
    const svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": `${map.title}; darker is lower` });
    const x = (row) => left + row * cellWidth, y = (column) => 10 + (map.columns.length - 1 - column) * cellHeight;
    const cells = shape("g"), words = shape("g", { "pointer-events": "none", "font-size": 11 });
    made = new Map(map.cells.map((cell) => {
      const rgb = colour(cell.point.y / top);
      const rect = shape("rect", { class: "cell", x: x(cell.row), y: y(cell.column), width: cellWidth, height: cellHeight,
        fill: `rgb(${rgb})`, onpointerenter: () => pick(cell), onpointerdown: () => pick(cell) }, shape("title", {}, cell.point.words));
      if (cellWidth > 30) {
        const light = rgb[0] * 0.3 + rgb[1] * 0.6 + rgb[2] * 0.1 > 130;
        words.append(shape("text", { x: x(cell.row) + cellWidth / 2, y: y(cell.column) + cellHeight / 2 + 4, "text-anchor": "middle",
          style: `fill: ${light ? "#000" : "#fff"}` }, cell.point.y.toFixed(cellWidth > 40 ? 2 : 1)));
      }
      cells.append(rect);
      return [cell, rect];
    }));
    svg.append(cells);
    const every = Math.ceil(34 / cellWidth);
    map.rows.forEach((value, row) => row % every || svg.append(shape("text", { x: x(row) + cellWidth / 2, y: height - bottom + 18, "text-anchor": "middle" }, String(value))));
    map.columns.forEach((value, column) => svg.append(shape("text", { x: left - 6, y: y(column) + cellHeight / 2 + 4, "text-anchor": "end" }, String(value))));
    const middle = (height - bottom) / 2;
    svg.append(shape("text", { x: (left + width) / 2, y: height - 8, "text-anchor": "middle" }, map.down),
      shape("text", { x: 14, y: middle, "text-anchor": "middle", transform: `rotate(-90 14 ${middle})` }, map.across));
    // A step round the end of a coordinate that closes on itself is no line across the map.
    const steps = map.way.map((index) => map.cells[index]);
    const d = steps.map((cell, k) => {
      const jump = !k || Math.abs(cell.column - steps[k - 1].column) > map.columns.length / 2;
      return `${jump ? "M" : "L"}${x(cell.row) + cellWidth / 2},${y(cell.column) + cellHeight / 2}`;
    }).join("");
    if (d) svg.append(shape("path", { class: "way under", d }), shape("path", { class: "way", d }));
    svg.append(words);
    host.replaceChildren(svg);
    highlight();
  });
  return { host, highlight(cell) { picked = cell; highlight(); } };
}

// A spectrum: for each isomer its curve, its states as sticks, and the measured peaks as dashed lines.
function spectrumPlot(chart) {
  const host = element("div"), told = status();
  drawnIn(host, (width) => {
    const drawn = chart.rows.map((row, count) => {
      const height = 230, last = count === chart.rows.length - 1, box = { left: 58, right: width - 48, top: 26, bottom: height - (last ? 46 : 16) };
      const svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": `${row.name}: ${chart.title}` });
      const heights = [...row.curve, ...row.beyond].map((place) => place[1]);
      const strongest = Math.max(...row.sticks.map((stick) => stick.strength), 1e-6);
      const at = panel(svg, box, [chart.low_nm, chart.high_nm], [0, 1.1 * Math.max(...heights, 1e-6)],
        { x: last ? "wavelength (nm)" : "", y: "1000 L/(mol cm)" }, { top: box.top });
      const path = (places) => places.map(([x, y], k) => `${k ? "L" : "M"}${at.x(x)},${at.y(y)}`).join("");
      svg.append(shape("text", { x: box.left, y: 16, class: "rowname" }, row.name),
        shape("text", { x: width - 6, y: 16, "text-anchor": "end" }, `f up to ${Number(strongest.toPrecision(2))}`));
      if (row.beyond.length) svg.append(shape("path", { class: "curve beyond", d: path(row.beyond) }));
      if (row.curve.length) svg.append(shape("path", { class: "curve s0", d: path(row.curve) }));
      for (const stick of row.sticks) {
        const x = at.x(stick.nm), y = box.bottom - (stick.strength / (1.1 * strongest)) * (box.bottom - box.top);
        svg.append(shape("path", { class: "stick s1", d: `M${x},${box.bottom}V${Math.min(y, box.bottom - 3)}`, tabindex: 0, role: "button", "aria-label": stick.words,
          onfocus: () => { told.textContent = stick.words; }, onpointerenter: () => { told.textContent = stick.words; } }, shape("title", {}, stick.words)));
      }
      for (const peak of row.measured_nm) {
        const x = at.x(peak);
        svg.append(shape("path", { class: "peak", d: `M${x},${box.top}V${box.bottom}` }),
          shape("text", { x: x + 3, y: box.top + 11, class: "peakname" }, `${peak} nm`));
      }
      return svg;
    });
    host.replaceChildren(...drawn);
  });
  const sign = (kind, d) => shape("svg", { viewBox: "0 0 26 16", "aria-hidden": "true" }, shape("path", { class: kind, d }));
  const measured = chart.rows.some((row) => row.measured_nm.length), beyond = chart.rows.some((row) => row.beyond.length);
  const key = element("ul", { class: "legend" }, element("li", {}, sign("curve s0", "M1,8H25"), " computed"), element("li", {}, sign("stick s1", "M13,15V2"), " states, as high as f"),
    measured ? element("li", {}, sign("peak", "M13,15V1"), " measured") : null, beyond ? element("li", {}, sign("curve beyond", "M1,8H25"), " higher states are missing") : null);
  return element("div", { class: "card" }, element("h3", {}, chart.title), key, host, told);
}

function treePlot(tree, pick) {
  const host = element("div"), points = [...tree.minima, ...tree.saddles];
  let picked = null, marks = [];
  const highlight = () => marks.forEach((mark) => mark.made.classList.toggle("picked", mark.point === picked));
  drawnIn(host, (width) => {
    const height = 340, svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": tree.title });
    const lines = [...tree.branches, ...tree.dotted].flat();
    const xs = extent([...points.map((point) => point.x), ...lines.map((place) => place[0])], 0.12);
    const at = panel(svg, { left: 58, right: width - 14, top: 14, bottom: height - 24 }, xs,
      extent([...points.map((point) => point.y), ...lines.map((place) => place[1])], 0.1), { x: "", y: "relative energy (kcal/mol)" }, {});
    const path = (places) => places.map(([x, y], k) => `${k ? "L" : "M"}${at.x(x)},${at.y(y)}`).join("");
    svg.append(...tree.dotted.map((line) => shape("path", { class: "dotted", d: path(line) })),
      ...tree.branches.map((line) => shape("path", { class: "branch", d: path(line) })));
    marks = points.map((point, count) => {
      const kind = count < tree.minima.length ? 0 : 1, x = at.x(point.x), y = at.y(point.y);
      const made = shape("path", { class: `mark s${kind}${point.hollow ? " hollow" : ""}`, d: MARKS[kind](x, y, 5.5), tabindex: 0, role: "button",
        "aria-label": point.words, onfocus: () => pick(point), onpointerenter: () => pick(point), onclick: () => pick(point) }, shape("title", {}, point.words));
      svg.append(made);
      if (points.length < 40) svg.append(shape("text", { x, y: y + (kind ? -10 : 20), "text-anchor": "middle" }, point.y.toFixed(2)));
      return { made, point };
    });
    host.replaceChildren(svg);
    highlight();
  });
  return { host, highlight(point) { picked = point; highlight(); } };
}
