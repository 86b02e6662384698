// Fragments of a video and of its neighbours that match best: a click plays this video's seconds, then the neighbour's.
// `data` is what pairs.py gives. The server brings the neighbour's player after the click; the order is kept here.

function part(sound, start, end, current) {
  return new Promise((done, failed) => {
    const over = (ok) => {
      for (const name of ["timeupdate", "pause", "ended"]) sound.removeEventListener(name, heard);
      if (ok) sound.pause();
      if (ok && current()) done();
      else failed(new Error("stopped"));
    };
    const heard = (event) => {
      const inside = sound.currentTime < end && !sound.ended;
      if (event.type === "pause" && inside && !sound.seeking) over(false);
      else if (!inside && !sound.seeking) over(true);
    };
    for (const name of ["timeupdate", "pause", "ended"]) sound.addEventListener(name, heard);
    seek(sound, start);
    sound.play().catch(() => over(false));
  });
}

function appears(selector, current) {
  return new Promise((done, failed) => {
    const look = () => {
      const sound = document.querySelector(selector);
      if (!current()) failed(new Error("stopped"));
      else if (sound) done(sound);
      else requestAnimationFrame(look);
    };
    look();
  });
}

async function inTurn(root, data) {
  const token = (root.token = {});
  const current = () => root.token === token && root.isConnected;
  const { number, player } = data.playing;
  const pair = data.pairs[number];
  const chips = [...root.querySelectorAll(".pair")[number].querySelectorAll(".chip")];
  const mark = (index) => chips.forEach((chip, at) => chip.classList.toggle("now", at === index));
  try {
    const theirs = await appears(`.st-key-${player} audio`, current);
    mark(0);
    await part(await appears(`.st-key-${data.player} audio`, current), pair.start, pair.end, current);
    mark(1);
    await part(theirs, pair.other_start, pair.other_end, current);
  } catch {
    // another click, or a person's pause: whoever plays now goes on
  } finally {
    if (current()) mark(-1);
  }
}

function pair(one, number, ask) {
  const line = make("button", "pair");
  line.type = "button";
  line.disabled = !one.plays;
  line.onclick = () => ask("play", number);
  line.setAttribute("aria-label", `Play ${one.clock} here, then ${one.other_clock} of ${one.title}; ${one.nearness}`);
  const here = make("span", "chip", `${one.plays ? "▶ " : ""}${one.clock} here`);
  const there = make("span", "chip there");
  const dot = make("span", "dot");
  dot.style.background = one.colour;
  there.append(dot, make("span", "", one.other_clock), make("span", "title", one.title));
  line.append(here, there, make("span", "near", one.nearness));
  return line;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".pairs");
  const shown = JSON.stringify(data.pairs);
  if (root.shown !== shown) root.replaceChildren(...data.pairs.map((one, number) => pair(one, number, setTriggerValue)));
  root.shown = shown;
  const asked = data.playing?.player ?? null;
  if (root.asked === asked) return;
  root.asked = asked;
  root.token = null;
  for (const chip of root.querySelectorAll(".now")) chip.classList.remove("now");
  if (asked) inTurn(root, data);
}
