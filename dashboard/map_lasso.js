// A line that is drawn freely around points of the map: over the chart lies a sheet that takes the line, and gives it
// as shares of the extent of the points. `data` has the chart's place in the page and its padding in pixels.

const NEAREST_PIXELS = 4;
const MOST_POINTS = 400;

function svg(tag, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

// Vega draws the ground of the points as the first path of its root.
const ground = (data) => document.querySelector(`${data.chart} svg .role-frame.root path.background`);

function sheet(box) {
  const made = svg("svg", { "aria-hidden": "true" });
  Object.assign(made.style, {
    position: "fixed",
    left: `${box.left}px`,
    top: `${box.top}px`,
    width: `${box.width}px`,
    height: `${box.height}px`,
    cursor: "crosshair",
    touchAction: "none",
    zIndex: "1000",
    color: getComputedStyle(document.querySelector('[data-testid="stApp"]')).color,
  });
  made.append(svg("path", { fill: "currentColor", "fill-opacity": "0.12", stroke: "currentColor", "stroke-width": "1.5" }));
  return made;
}

// A line without end stays within its points: when there are too many, every second one goes.
function take(over, line, event) {
  const box = over.getBoundingClientRect();
  const point = [event.clientX - box.left, event.clientY - box.top];
  const last = line.at(-1);
  if (last && Math.hypot(point[0] - last[0], point[1] - last[1]) < NEAREST_PIXELS) return;
  line.push(point);
  if (line.length > MOST_POINTS) line.splice(0, line.length, ...line.filter((_, at) => at % 2 === 0));
  over.firstChild.setAttribute("d", `M${line.map((one) => one.join(" ")).join("L")}Z`);
}

// The points lie within the ground less the padding; y grows upwards.
function shares(line, box, padding) {
  const along = (at, size) => (at - padding) / Math.max(size - 2 * padding, 1);
  return line.map(([x, y]) => [along(x, box.width), 1 - along(y, box.height)]);
}

function draw(button, data, ask) {
  const found = ground(data);
  if (!found) return;
  const over = sheet(found.getBoundingClientRect());
  const line = [];
  const heard = new AbortController();
  const end = () => {
    heard.abort();
    over.remove();
    button.setAttribute("aria-pressed", "false");
  };
  const on = (where, what, does) => where.addEventListener(what, does, { signal: heard.signal, capture: true });
  on(over, "pointerdown", (event) => {
    over.setPointerCapture(event.pointerId);
    take(over, line, event);
  });
  on(over, "pointermove", (event) => line.length && take(over, line, event));
  on(over, "pointerup", () => {
    const outline = shares(line, over.getBoundingClientRect(), data.padding);
    end();
    if (outline.length > 2) ask("outline", outline);
  });
  on(over, "pointercancel", end);
  on(document, "keydown", (event) => event.key === "Escape" && end());
  on(document, "scroll", end);
  on(window, "resize", end);
  on(button, "click", (event) => (event.stopImmediatePropagation(), end()));
  document.body.append(over);
  button.setAttribute("aria-pressed", "true");
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".map_lasso");
  if (root.firstChild) return;
  const button = make("button", "", data.words);
  button.type = "button";
  button.title = data.help;
  button.setAttribute("aria-pressed", "false");
  button.onclick = () => draw(button, data, setTriggerValue);
  root.append(button);
}
