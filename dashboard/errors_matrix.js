// The confusion matrix as a table of buttons: cells, and the names and totals of rows and columns, open their videos.
// `data` is what errors_matrix.py gives.

function button(className, label, where, open) {
  const made = make("button", className);
  made.type = "button";
  made.setAttribute("aria-label", label);
  made.where = where;
  made.onclick = () => open(where);
  return made;
}

function named(tag, scope, name, label, where, open) {
  const made = make(tag, scope);
  made.scope = scope;
  const inside = button("name", label, where, open);
  inside.title = name;
  inside.append(make("span", "", name));
  made.append(inside);
  return made;
}

function box(cell, where, open) {
  const made = make("td");
  const inside = button(`cell ${cell.tone}`, cell.said, where, open);
  inside.style.setProperty("--level", `${Math.round(100 * cell.level)}%`);
  inside.append(make("span", "n", cell.main));
  if (cell.sub) inside.append(make("small", "", cell.sub));
  made.append(inside);
  return made;
}

function total(n, label, where, open) {
  const made = make("td");
  const inside = button("cell total", label, where, open);
  inside.append(make("span", "", n));
  made.append(inside);
  return made;
}

function build(data, ask) {
  const { names, rows, columns } = data;
  const open = (where) => ask("cell", where);
  const grid = make("table", names.length > 6 ? "many" : "");
  grid.append(make("caption", "", data.caption));
  const top = make("tr");
  top.append(make("td"));
  names.forEach((name, at) =>
    top.append(named("th", "col", name, columns[at].said, ["", name], open)),
  );
  const all = make("th", "all", "all");
  all.scope = "col";
  top.append(all);
  const head = make("thead");
  head.append(top);
  const body = make("tbody");
  rows.forEach((row, at) => {
    const whole = [names[at], ""];
    const line = make("tr");
    line.append(named("th", "row", names[at], row.said, whole, open));
    row.cells.forEach((cell, to) => line.append(box(cell, [names[at], names[to]], open)));
    line.append(total(row.n, row.said, whole, open));
    body.append(line);
  });
  const last = make("tr");
  const foot = make("th", "all", "all");
  foot.scope = "row";
  last.append(foot);
  names.forEach((name, at) => last.append(total(columns[at].n, columns[at].said, ["", name], open)));
  last.append(make("td", "all", data.n));
  body.append(last);
  grid.append(head, body);
  return grid;
}

// One stop of the tabulator for the whole table; arrows go on from there.
function arrows(root, [label, predicted]) {
  for (const one of root.querySelectorAll("button")) {
    one.ariaPressed = String(one.where[0] === label && one.where[1] === predicted);
    one.tabIndex = -1;
  }
  const lines = [...root.querySelectorAll("tr")].map((line) => [...line.children]);
  const at = (row, column) => lines[row]?.[column]?.querySelector("button");
  const start = root.querySelector('.cell[aria-pressed="true"]') ?? root.querySelector("button");
  if (start) start.tabIndex = 0;
  const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  root.onkeydown = (event) => {
    const step = steps[event.key];
    const from = event.target.closest("th, td");
    if (!step || !from || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const row = lines.findIndex((line) => line.includes(from));
    const next = at(row + step[0], lines[row].indexOf(from) + step[1]);
    if (!next) return;
    root.querySelectorAll("button").forEach((one) => (one.tabIndex = -1));
    next.tabIndex = 0;
    next.focus();
  };
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".errors_matrix");
  const whole = JSON.stringify(data);
  if (root.whole === whole) return;
  root.whole = whole;
  const shown = JSON.stringify({ ...data, chosen: null });
  if (root.shown !== shown) {
    const focused = [...root.querySelectorAll("button")].indexOf(root.getRootNode().activeElement);
    root.shown = shown;
    root.replaceChildren(build(data, setTriggerValue));
    if (focused >= 0) root.querySelectorAll("button")[focused]?.focus();
  }
  arrows(root, data.chosen);
}
