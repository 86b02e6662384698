// Shares of categories as bars on one scale from 0 to 1: what the classifier says of the whole video, and its neighbours.
// `data` is what evidence_card.py gives.

function bar({ name, colour, share }) {
  const line = make("li");
  line.append(make("span", "name", name), track(share, colour), make("span", "number", share.toFixed(2)));
  return line;
}

function side({ title, rows, note }) {
  const made = make("section");
  const bars = make("ul");
  bars.append(...rows.map(bar));
  made.append(make("h4", "", title), bars);
  if (note) made.append(make("p", "", note));
  return made;
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".errors_shares");
  const shown = JSON.stringify(data);
  if (root.shown === shown) return;
  root.shown = shown;
  root.replaceChildren(...data.sides.map(side));
}
