// The confusion matrix as a table of buttons: cells, and the names and totals of rows and columns, open their videos.
// `data` is what errors_matrix.py gives.

function button(className, label, pressed, open) {
  const made = make("button", className);
  made.type = "button";
  made.setAttribute("aria-label", label);
  made.setAttribute("aria-pressed", String(pressed));
  made.tabIndex = -1;
  made.onclick = open;
  return made;
}

function named(tag, scope, name, label, pressed, open) {
  const made = make(tag, scope);
  made.scope = scope;
  const inside = button("name", label, pressed, open);
  inside.title = name;
  inside.append(make("span", "", name));
  made.append(inside);
  return made;
}

function box(cell, pressed, open) {
  const made = make("td");
  const inside = button(`cell ${cell.tone}`, cell.said, pressed, open);
  inside.style.setProperty("--level", `${Math.round(100 * cell.level)}%`);
  inside.append(make("span", "n", cell.main));
  if (cell.sub) inside.append(make("small", "", cell.sub));
  made.append(inside);
  return made;
}

function total(n, label, pressed, open) {
  const made = make("td");
  const inside = button("cell total", label, pressed, open);
  inside.append(make("span", "", n));
  made.append(inside);
  return made;
}

function build(data, ask) {
  const { names, rows, columns } = data;
  const open = (label, predicted) => () => ask("cell", [label, predicted]);
  const chosen = (label, predicted) => data.chosen[0] === label && data.chosen[1] === predicted;
  const grid = make("table", names.length > 6 ? "many" : "");
  grid.append(make("caption", "", data.caption));
  const top = make("tr");
  top.append(make("td"));
  names.forEach((name, at) =>
    top.append(named("th", "col", name, columns[at].said, chosen("", name), open("", name))),
  );
  const all = make("th", "all", "all");
  all.scope = "col";
  top.append(all);
  const head = make("thead");
  head.append(top);
  const body = make("tbody");
  rows.forEach((row, at) => {
    const line = make("tr");
    line.append(named("th", "row", names[at], row.said, chosen(names[at], ""), open(names[at], "")));
    row.cells.forEach((cell, to) => line.append(box(cell, chosen(names[at], names[to]), open(names[at], names[to]))));
    line.append(total(row.n, row.said, chosen(names[at], ""), open(names[at], "")));
    body.append(line);
  });
  const last = make("tr");
  const foot = make("th", "all", "all");
  foot.scope = "row";
  last.append(foot);
  names.forEach((name, at) => last.append(total(columns[at].n, columns[at].said, chosen("", name), open("", name))));
  last.append(make("td", "all", data.n));
  body.append(last);
  grid.append(head, body);
  return grid;
}

// One stop of the tabulator for the whole table; arrows go on from there.
function arrows(root) {
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
  const shown = JSON.stringify(data);
  if (root.shown === shown) return;
  const focused = [...root.querySelectorAll("button")].indexOf(root.getRootNode().activeElement);
  root.shown = shown;
  root.replaceChildren(build(data, setTriggerValue));
  arrows(root);
  if (focused >= 0) root.querySelectorAll("button")[focused]?.focus();
}
