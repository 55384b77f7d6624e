// Small parts that the pages are put together of. All text goes in as text, never as markup.

/** An element: `make("td", { class: "number", title: "…" }, "text", child)`. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

export const by = (id) => document.getElementById(id);

/** Put text into an element, if it is not there yet. */
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const drawn = new WeakMap();

/** What is told of these, drawn anew if it is not what stands there: a list that is read or scrolled stays. */
export function renew(element, told, draw) {
  const key = JSON.stringify(told);
  if (drawn.get(element) === key) return;
  drawn.set(element, key);
  element.replaceChildren(...told.map(draw));
}

export function button(text, act, attributes = {}) {
  const made = make("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", act);
  return made;
}

export const number = (value) => value.toLocaleString("en");

export function bytes(value) {
  if (!value) return "";
  if (value < 1000) return `${value} B`;
  if (value < 1e6) return `${(value / 1000).toFixed(value < 1e4 ? 1 : 0)} kB`;
  return `${(value / 1e6).toFixed(1)} MB`;
}

export const usd = (value) => `$${value.toFixed(value && value < 0.1 ? 4 : 2)}`;

export const ms = (seconds) => (seconds == null ? "" : `${Math.round(seconds * 1000)} ms`);

export function span(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

export const clock = (at) =>
  new Date(at * 1000).toLocaleTimeString("en-GB", { hour12: false });

/** A day and a time, as people of the page's place have it. */
export const when = (at) =>
  new Date(at * 1000).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });

/** The colours of the theme, for canvases. */
export function colours() {
  const style = getComputedStyle(document.documentElement);
  const named = (name) => style.getPropertyValue(name).trim();
  return {
    text: named("--text"),
    soft: named("--soft"),
    faint: named("--line"),
    accent: named("--accent"),
    odd: named("--odd"),
    caller: named("--caller"),
    agent: named("--agent"),
    bad: named("--bad"),
  };
}

/** A canvas's context at the size that it is shown at, cleared. */
export function drawing(canvas) {
  const ratio = devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  if (canvas.width !== width * ratio || canvas.height !== height * ratio) {
    canvas.width = width * ratio;
    canvas.height = height * ratio;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}
