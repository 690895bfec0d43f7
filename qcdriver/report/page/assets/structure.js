// Structures in space, drawn by 3Dmol.js; turned by the pointer or, with the focus on them, by the arrow keys.

const NONMETALS = new Set("H He B C N O F Ne Si P S Cl Ar Ge As Se Br Kr Sb Te I Xe At Rn".split(" "));
const GUIDE_COLOURS = ["#2f7fd1", "#d1622f", "#8a4fbf"];

// The atoms of a structure as 3Dmol.js takes them, without those that are not wanted.
function atomsOf(structures, index, ligands) {
  const item = structures.items[index];
  const symbols = structures.symbols[item.symbols], pairs = structures.bonds[item.bonds];
  const sites = structures.sites[item.sites];
  const metal = symbols.map((symbol) => !NONMETALS.has(symbol));
  const wanted = symbols.map((_, atom) => ligands || metal[atom] || atom in sites || !metal.includes(true));
  if (!ligands) {
    for (let k = 0; k < pairs.length; k += 2) {
      if (metal[pairs[k]]) wanted[pairs[k + 1]] = true;
      if (metal[pairs[k + 1]]) wanted[pairs[k]] = true;
    }
  }
  const kept = [...symbols.keys()].filter((atom) => wanted[atom]);
  const place = new Map(kept.map((atom, count) => [atom, count]));
  const atoms = kept.map((atom) => ({
    elem: symbols[atom], serial: atom, index: place.get(atom), bonds: [], bondOrder: [], site: sites[atom] || "",
    x: item.places[3 * atom] / 1000, y: item.places[3 * atom + 1] / 1000, z: item.places[3 * atom + 2] / 1000,
  }));
  for (let k = 0; k < pairs.length; k += 2) {
    const one = place.get(pairs[k]), other = place.get(pairs[k + 1]);
    if (one === undefined || other === undefined) continue;
    atoms[one].bonds.push(other); atoms[one].bondOrder.push(1);
    atoms[other].bonds.push(one); atoms[other].bondOrder.push(1);
  }
  return atoms;
}

function xyzOf(structures, indices, comments) {
  return indices.map((index, count) => {
    const item = structures.items[index], symbols = structures.symbols[item.symbols];
    const lines = symbols.map((symbol, atom) =>
      `${symbol} ${[0, 1, 2].map((axis) => (item.places[3 * atom + axis] / 1000).toFixed(3)).join(" ")}`);
    return `${symbols.length}\n${comments[count].replace(/\s+/g, " ")}\n${lines.join("\n")}\n`;
  }).join("");
}

class StructureView {
  constructor(structures, name) {
    this.structures = structures;
    this.shown = null;
    this.canvas = element("div", { class: "canvas", tabindex: 0, role: "img", "aria-label": `${name}: no structure chosen yet` });
    this.canvas.addEventListener("keydown", (event) => this.turn(event));
    this.names = this.box("names", false);
    this.ligands = this.box("ligands", true);
    this.guides = this.box("guides", true);
    const reset = element("button", { type: "button", onclick: () => this.reset() }, "reset view");
    const boxes = [this.ligands];
    if (structures.guides.some((guides) => guides.length)) boxes.push(this.guides);
    if (structures.sites.some((sites) => Object.keys(sites).length)) boxes.push(this.names);
    const labels = boxes.map((box) => element("label", {}, box, ` ${box.value}`));
    this.whole = element("div", {}, this.canvas, element("div", { class: "controls" }, ...labels, reset));
    new IntersectionObserver((seen, observer) => {
      if (!seen.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      this.begin();
    }, { rootMargin: "400px" }).observe(this.canvas);
    let width = 0;
    new ResizeObserver(() => requestAnimationFrame(() => {
      if (!this.viewer || this.canvas.clientWidth === width) return;
      width = this.canvas.clientWidth;
      this.viewer.resize();
      this.viewer.render();
    })).observe(this.canvas);
  }

  box(name, checked) {
    return element("input", { type: "checkbox", value: name, checked, onchange: () => this.draw() });
  }

  begin() {
    try {
      this.viewer = $3Dmol.createViewer(this.canvas, { antialias: true, disableFog: true, minimumZoomToDistance: 2.5 });
    } catch (error) {
      this.viewer = null;
    }
    if (!this.viewer) {
      this.canvas.textContent = "This browser has no WebGL, which draws structures; the XYZ files below have them.";
      return;
    }
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const paint = () => this.viewer.setBackgroundColor(dark.matches ? "#1d232b" : "#eef1f4", 1);
    dark.addEventListener("change", () => { paint(); this.viewer.render(); });
    paint();
    this.draw(true);
  }

  show(index, words) {
    this.shown = index;
    this.canvas.setAttribute("aria-label", `structure: ${words}; arrow keys turn it, plus and minus zoom`);
    this.draw();
  }

  draw(anew = false) {
    const viewer = this.viewer;
    if (!viewer || this.shown === null) return;
    const atoms = atomsOf(this.structures, this.shown, this.ligands.checked);
    const first = anew || !this.placed;
    viewer.removeAllModels();
    viewer.removeAllShapes();
    viewer.removeAllLabels();
    const model = viewer.addModel();
    model.addAtoms(atoms);
    model.setStyle({}, { stick: { radius: 0.09 }, sphere: { scale: 0.22 } });
    const metals = [...new Set(atoms.map((atom) => atom.elem))].filter((symbol) => !NONMETALS.has(symbol));
    if (metals.length) model.setStyle({ elem: metals }, { stick: { radius: 0.05 }, sphere: { scale: 0.36 } });
    model.setHoverable({}, true, (atom, view) => {
      this.label = view.addLabel(`${atom.elem}${atom.serial} ${atom.site}`.trim(), { position: atom, fontSize: 13, backgroundOpacity: 0.8 });
    }, (atom, view) => { if (this.label) view.removeLabel(this.label); this.label = null; });
    if (this.guides.checked) this.drawGuides(viewer);
    if (this.names.checked) {
      for (const atom of atoms.filter((atom) => atom.site)) {
        viewer.addLabel(atom.site, { position: atom, fontSize: 11, backgroundOpacity: 0.55, inFront: true });
      }
    }
    if (first) {
      viewer.zoomTo();
      this.placed = true;
    }
    viewer.render();
  }

  drawGuides(viewer) {
    const item = this.structures.items[this.shown];
    const at = (atom) => ({ x: item.places[3 * atom] / 1000, y: item.places[3 * atom + 1] / 1000, z: item.places[3 * atom + 2] / 1000 });
    this.structures.guides[item.guides].forEach((guide, count) => {
      const color = guide.dashed ? "#d11f1f" : GUIDE_COLOURS[count % GUIDE_COLOURS.length];
      for (let k = 1; k < guide.atoms.length; k++) {
        viewer.addCylinder({ start: at(guide.atoms[k - 1]), end: at(guide.atoms[k]), radius: guide.dashed ? 0.1 : 0.13,
          color, alpha: 0.9, dashed: guide.dashed, dashLength: 0.25, gapLength: 0.2, fromCap: 1, toCap: 1 });
      }
    });
  }

  reset() {
    if (!this.viewer) return;
    this.viewer.setView([0, 0, 0, 0, 0, 0, 0, 1]);
    this.viewer.zoomTo();
    this.viewer.render();
  }

  turn(event) {
    if (!this.viewer) return;
    const turns = { ArrowLeft: [-10, "y"], ArrowRight: [10, "y"], ArrowUp: [-10, "x"], ArrowDown: [10, "x"] };
    if (turns[event.key]) this.viewer.rotate(...turns[event.key]);
    else if (event.key === "+" || event.key === "=") this.viewer.zoom(1.15);
    else if (event.key === "-") this.viewer.zoom(0.87);
    else return;
    event.preventDefault();
    this.viewer.render();
  }
}
