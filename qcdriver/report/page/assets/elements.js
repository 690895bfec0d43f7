// Small helpers: elements of the page and of a plot, tables that sort, files to download.

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

function shape(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value != null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function list(lines, name) {
  return lines.length ? element("ul", { class: name }, ...lines.map((line) => element("li", {}, line))) : null;
}

function download(file) {
  const href = `data:${file.mime};charset=utf-8,${encodeURIComponent(file.content)}`;
  return element("a", { href, download: file.name }, file.name);
}

// A table whose columns sort; `show` is called with the structure of a row, by a button in its first cell.
function table(content, show) {
  const body = element("tbody");
  const rows = content.rows.map((cells, row) => {
    const structure = content.structures.length ? content.structures[row] : null;
    const made = element("tr", {}, ...cells.map((text, column) => {
      const kind = content.columns[column].kind;
      if (column === 0 && structure != null && show) {
        const choose = () => show(structure, text);
        return element("td", {}, element("button", { type: "button", onclick: choose, title: "show its structure" }, text));
      }
      const state = text === "undecided" ? "undecided" : text === "failed" ? "failed" : kind === "text" ? null : kind;
      return element("td", { class: state }, text);
    }));
    made.structure = structure;
    return { cells, made };
  });
  body.append(...rows.map((row) => row.made));
  const heads = content.columns.map((column, index) => {
    const sort = element("button", { type: "button" }, column.heading || "\u00a0");
    const head = element("th", { scope: "col", class: column.kind === "text" ? null : column.kind }, sort);
    sort.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const ordered = [...rows].sort((a, b) => (up ? 1 : -1) * compare(a.cells[index], b.cells[index], column.kind));
      body.append(...ordered.map((row) => row.made));
    });
    return head;
  });
  const whole = element("table", {}, element("caption", {}, content.title), element("thead", {}, element("tr", {}, ...heads)), body);
  return element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": content.title || "table" }, whole);
}

function compare(one, other, kind) {
  if (kind === "text") return one.localeCompare(other, undefined, { numeric: true });
  const values = [one, other].map((text) => parseFloat(text.replace(/^[<>~\s]+/, "")));
  return (isNaN(values[0]) ? Infinity : values[0]) - (isNaN(values[1]) ? Infinity : values[1]) || 0;
}
