// What the parts of a page share: it comes before each of them (errors_component.py).

const make = (tag, className, text) => {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
};

// A share 0..1 of a category as a bar in its colour.
function track(share, colour) {
  const made = make("span", "track");
  const fill = make("span", "fill");
  fill.style.width = `${100 * share}%`;
  fill.style.background = colour;
  made.append(fill);
  return made;
}

// Streamlit puts a player to its own start as soon as it knows the length: until then, seek again afterwards.
function seek(sound, second) {
  sound.currentTime = second;
  if (sound.readyState > 0) return;
  sound.dataset.waits = "for its data";
  const loaded = () => {
    delete sound.dataset.waits;
    sound.currentTime = second;
  };
  sound.addEventListener("loadeddata", loaded, { once: true });
}
