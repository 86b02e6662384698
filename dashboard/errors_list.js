// The videos of a cell: a click on one opens it. One part for all of them, as a part for each takes a page far longer.
// `data` is what cells.py gives.

// Where the page's files are: behind a proxy that may be below a path which the server does not know.
const home = document.querySelector('script[src*="static/js/"]')?.src.split("/static/js/")[0] ?? "";

function picture(source) {
  if (!source) return make("span", "picture blank", "audio");
  const made = make("img", "picture");
  made.alt = "";
  made.src = home + source;
  return made;
}

function bar({ share, colour }) {
  const made = make("span", "bar");
  made.append(track(share, colour), make("span", "number", share.toFixed(2)));
  return made;
}

function card(video) {
  const words = make("span", "words");
  words.append(make("span", "title", video.title), ...video.lines.map((line) => make("span", "line", line)), bar(video));
  const made = make("button");
  made.type = "button";
  made.dataset.id = video.id;
  made.setAttribute("aria-label", `Open ${video.title}`);
  made.setAttribute("aria-description", [...video.lines, video.share.toFixed(2)].join(", "));
  made.append(picture(video.picture), words);
  const item = make("li");
  item.append(made);
  return item;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".errors_list");
  const shown = JSON.stringify(data.videos);
  if (root.shown !== shown) {
    const focused = root.getRootNode().activeElement?.dataset.id;
    const list = make("ul");
    list.append(...data.videos.map(card));
    root.shown = shown;
    root.replaceChildren(list);
    [...root.querySelectorAll("button")].find((one) => one.dataset.id === focused)?.focus({ preventScroll: true });
  }
  for (const one of root.querySelectorAll("button")) one.ariaCurrent = String(one.dataset.id === data.chosen);
  root.onclick = (event) => {
    const clicked = event.target.closest("button");
    if (clicked) setTriggerValue("open", [...data.cell, clicked.dataset.id]);
  };
}
