// The strip of a video's fragments: a click plays from there, and the strip follows the player. Strangers' words enter
// as text nodes only. `data` is what timeline.py's `strip` gives; the player is the page's own, found by its class.

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

const shares = ({ categories }, fragment, least, most) =>
  categories
    .map(({ name }, at) => [name, fragment.shares[at]])
    .filter(([, share]) => share >= least)
    .sort((one, other) => other[1] - one[1])
    .slice(0, most)
    .map(([name, share]) => `${name} ${share.toFixed(2)}`)
    .join(", ");

const heard = ({ heard: words }) => {
  if (words === null) return "";
  return words ? `words heard, unsure: “${words}”` : "no words heard";
};

const described = (data, fragment) =>
  [`${fragment.clock}: ${shares(data, fragment, 0.1)}`, heard(fragment), fragment.misled ? "misleading" : ""]
    .filter(Boolean)
    .join("; ");

function head(data) {
  const top = make("div", "head");
  const legend = make("ul", "legend");
  for (const { name, colour } of data.categories) {
    const entry = make("li");
    const dot = make("span", "dot");
    dot.style.background = colour;
    entry.append(dot, make("span", "name", name));
    legend.append(entry);
  }
  top.append(make("h4", "", "Every 5 seconds"), legend);
  return top;
}

function column(data, fragment, at) {
  const button = make("button", fragment.misled ? "fragment misled" : "fragment");
  button.type = "button";
  button.style.flexGrow = Math.max(fragment.end - fragment.start, 0.1);
  button.tabIndex = at ? -1 : 0;
  button.dataset.start = fragment.start;
  button.setAttribute("aria-label", described(data, fragment));
  data.categories.forEach(({ colour }, category) => {
    const part = make("span");
    part.style.background = colour;
    part.style.flexGrow = fragment.shares[category];
    button.append(part);
  });
  return button;
}

function placed(className, data, start, end) {
  const box = make("div", className);
  const first = data.fragments[0].start;
  const length = data.fragments.at(-1).end - first;
  box.style.left = `${(100 * (start - first)) / length}%`;
  if (end !== undefined) box.style.width = `${(100 * (end - start)) / length}%`;
  return box;
}

function axis(data) {
  const line = make("div", "axis");
  line.setAttribute("aria-hidden", "true");
  const first = data.fragments[0].start;
  const last = data.fragments.at(-1).end;
  for (let second = Math.ceil(first / 10) * 10; second <= last; second += 10) {
    const label = placed("tick", data, second);
    label.textContent = clock(second);
    line.append(label);
  }
  return line;
}

function table(data) {
  const details = make("details");
  const grid = make("table");
  const row = (tag, cells) => {
    const line = make("tr");
    cells.forEach((cell, at) => {
      const made = make(at ? tag : "th", "", cell);
      if (tag === "th" || !at) made.scope = tag === "th" ? "col" : "row";
      line.append(made);
    });
    return line;
  };
  const names = data.categories.map(({ name }) => name);
  const listened = data.fragments.some((fragment) => fragment.heard !== null);
  grid.append(row("th", ["seconds", ...names, "misleading", ...(listened ? ["words heard, unsure"] : [])]));
  for (const fragment of data.fragments) {
    const numbers = fragment.shares.map((share) => share.toFixed(2));
    const words = listened ? [fragment.heard ?? ""] : [];
    grid.append(row("td", [fragment.clock, ...numbers, fragment.misled ? "yes" : "", ...words]));
  }
  const wide = make("div", "wide");
  wide.append(grid);
  details.append(make("summary", "", "As a table"), wide);
  return details;
}

function build(root, data) {
  const bars = make("div", "bars");
  bars.setAttribute("role", "group");
  bars.setAttribute("aria-label", `Fragments of 5 seconds. ${data.hint} Arrows move by a fragment, space plays or pauses.`);
  const buttons = data.fragments.map((fragment, at) => column(data, fragment, at));
  bars.append(...buttons);
  if (data.frames.length) bars.classList.add("framed");
  for (const [start, end] of data.frames) bars.append(placed("frame", data, start, end));
  const cursor = placed("cursor", data, data.fragments[0].start);
  cursor.hidden = true;
  bars.append(cursor);
  const foot = make("div", "foot");
  const words = make("p", "heard");
  const similar = make("button", "similar", "Similar moments");
  similar.type = "button";
  foot.append(words, similar);
  root.replaceChildren(head(data), bars, axis(data), foot, table(data));
  return { buttons, cursor, words, similar };
}

function follow(data, parts, player) {
  const first = data.fragments[0].start;
  const length = data.fragments.at(-1).end - first;
  let pointed = null;
  let chosen = null;
  const at = (second) => data.fragments.findIndex(({ start, end }) => second >= start && second < end);
  const tell = () => {
    const fragment = data.fragments[pointed ?? chosen ?? -1];
    const lines = fragment ? [`${fragment.clock} · ${shares(data, fragment, 0.1, 3)}`, heard(fragment)] : [data.hint];
    parts.words.replaceChildren(...lines.map((line) => make("span", "", line)));
    parts.similar.classList.toggle("off", chosen === null);
  };
  const choose = (index) => {
    chosen = index;
    parts.buttons.forEach((button, one) => {
      button.tabIndex = one === Math.max(index, 0) ? 0 : -1;
      if (one === index) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    });
    tell();
  };
  const moved = () => {
    const sound = player();
    if (!sound || sound.readyState === 0 || sound.dataset.waits) return;
    parts.cursor.hidden = false;
    parts.cursor.style.left = `${Math.min(Math.max((100 * (data.begins + sound.currentTime - first)) / length, 0), 100)}%`;
    const index = at(data.begins + sound.currentTime);
    if (index >= 0 && index !== chosen) {
      pointed = null;
      choose(index);
    }
    if (!sound.paused) requestAnimationFrame(moved);
  };
  const point = (index) => {
    pointed = index;
    tell();
  };
  tell();
  return { choose, moved, point, chosen: () => chosen };
}

function controls(data, parts, player, strip, ask) {
  const go = (index, playing) => {
    const sound = player();
    strip.choose(index);
    if (!sound) {
      if (playing && data.asks) ask("start", data.fragments[index].start);
      return;
    }
    seek(sound, data.fragments[index].start - data.begins);
    if (playing) sound.play().catch(() => {});
    else strip.moved();
  };
  const toggle = () => {
    const sound = player();
    if (!sound) go(strip.chosen() ?? 0, true);
    else if (sound.paused) sound.play().catch(() => {});
    else sound.pause();
  };
  const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
  const pressed = (event, index) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " ") toggle();
    else if (event.key in steps) {
      const to = Math.min(Math.max(index + steps[event.key], 0), parts.buttons.length - 1);
      parts.buttons[to].focus();
      go(to, false);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  parts.buttons.forEach((button, index) => {
    button.onclick = () => go(index, true);
    button.onkeydown = (event) => pressed(event, index);
    button.onkeyup = (event) => event.key === " " && event.preventDefault();
    button.onpointerenter = button.onfocus = () => strip.point(index);
    button.onpointerleave = button.onblur = () => strip.point(null);
  });
  parts.similar.onclick = () => ask("similar", data.fragments[strip.chosen() ?? 0].start);
  return toggle;
}

const typing = "input, textarea, select, [contenteditable], [role='combobox'], [role='textbox']";
const pressable = "button, a, audio, summary, [role='button'], [role='radio'], [role='tab']";

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".timeline");
  const shown = JSON.stringify(data);
  if (root.shown === shown) return root.stop;
  root.stop?.();
  root.shown = shown;
  const player = () => document.querySelector(`.st-key-${data.player} audio`);
  const parts = build(root, data);
  const strip = follow(data, parts, player);
  const toggle = controls(data, parts, player, strip, setTriggerValue);
  const heardOf = (event) => event.target === player() && strip.moved();
  const keyed = (event) => {
    const focus = event.composedPath()[0];
    if (!data.keys || event.ctrlKey || event.metaKey || event.altKey || focus.matches?.(typing)) return;
    if (event.key !== "p" && (event.key !== " " || focus.closest?.(pressable))) return;
    event.preventDefault();
    if (!event.repeat) toggle();
  };
  const events = ["play", "pause", "seeked", "timeupdate"];
  events.forEach((name) => document.addEventListener(name, heardOf, true));
  document.addEventListener("keydown", keyed);
  root.stop = () => {
    events.forEach((name) => document.removeEventListener(name, heardOf, true));
    document.removeEventListener("keydown", keyed);
    root.shown = null;
  };
  return root.stop;
}
