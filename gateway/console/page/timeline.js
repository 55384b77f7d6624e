// Who was to be heard when: two tracks over the waveform of a call, with what happened on it.
//
// The caller stands above the line, the agent below. Of each `step` of time the node tells how loud
// both were, 0 to 100. Turns, sentences, tools and where the caller broke in come from the journal.

import { by, colours, drawing } from "./parts.js";

const STEP = 0.05;
const MOST = 3600 / STEP;
const SPANS = [15, 60, 300];
const ALL = "all";
const GRID = [1, 5, 30, 60, 300, 600];
const MOST_LINES = 15;
const LANE = 18;
const MARKS = {
  turn: { colour: "caller", text: (mark) => `turn ${mark.turn}` },
  broke: { colour: "bad", text: () => "broke in" },
  tool: { colour: "odd", text: (mark) => mark.text },
  over: { colour: "text", text: () => "over" },
};

export class Timeline {
  constructor(canvas) {
    this.canvas = canvas;
    this.span = SPANS[1];
    this.asked = 0;
    this.clear();
    const sizes = new ResizeObserver(() => this.soon());
    sizes.observe(canvas);
    for (const seconds of [...SPANS, ALL]) {
      by(`span-${seconds}`).addEventListener("click", () => this.show(seconds));
    }
  }

  /** So many seconds, the last ones; `ALL`: the whole of a call that is over. */
  show(seconds) {
    this.span = seconds === ALL ? this.whole : seconds;
    for (const each of [...SPANS, ALL]) {
      by(`span-${each}`).setAttribute("aria-pressed", String(each === seconds));
    }
    this.soon();
  }

  /** A call that is over went on between these unix times; `parts` as a store tells them. */
  past(first, last, parts) {
    for (const { at, caller, agent } of parts) {
      this.#put(this.caller, at, levels(caller));
      this.#put(this.agent, at, levels(agent));
    }
    this.end = Math.max(last, ...parts.map(({ at }) => at));
    this.whole = Math.max(1, this.end - first);
    by(`span-${ALL}`).hidden = false;
    this.show(ALL);
  }

  clear() {
    if (!this.whole || this.span === this.whole) this.show(SPANS[1]);
    this.whole = 0;
    by(`span-${ALL}`).hidden = true;
    this.caller = new Map();
    this.agent = new Map();
    this.sentences = new Map();
    this.marks = [];
    this.end = null;
    this.soon();
  }

  /** What the node has measured up to the unix time `at`. */
  add({ at, caller, agent }) {
    this.end = at;
    this.#put(this.caller, at, caller);
    this.#put(this.agent, at, agent);
    this.soon();
  }

  #put(track, at, levels) {
    const last = Math.round(at / STEP);
    levels.forEach((level, index) => {
      const step = last - levels.length + 1 + index;
      if (level) track.set(step, Math.max(level, track.get(step) ?? 0));
    });
    for (const old of track.keys()) {
      if (track.size <= MOST) break;
      track.delete(old);
    }
  }

  /** An entry of the call's journal. */
  entry(at, entry) {
    const sentence = `${entry.turn}.${entry.seq}`;
    switch (entry.type) {
      case "caller_turn":
        if (entry.text) this.marks.push({ at, kind: "turn", turn: entry.turn });
        break;
      case "agent_sentence":
        this.sentences.set(sentence, { from: at, to: null });
        break;
      case "sentence_heard":
      case "sentence_unsaid":
      case "interrupted":
        if (this.sentences.has(sentence)) this.sentences.get(sentence).to = at;
        if (entry.type === "interrupted") this.marks.push({ at, kind: "broke" });
        break;
      case "tool_exchange":
        this.marks.push({ at, kind: "tool", text: entry.tools.join(", ") });
        break;
      case "ended":
        this.marks.push({ at, kind: "over" });
        break;
    }
    this.soon();
  }

  soon() {
    this.asked ||= requestAnimationFrame(() => {
      this.asked = 0;
      this.#draw();
    });
  }

  #draw() {
    if (!this.canvas.clientWidth) return;
    const { context, width, height } = drawing(this.canvas);
    const named = colours();
    const last = this.end ?? Date.now() / 1000;
    const first = last - this.span;
    const x = (at) => ((at - first) / this.span) * width;
    const middle = LANE + (height - LANE) / 2;
    const half = (height - LANE) / 2 - 4;
    this.#seconds(context, named, first, last, x, height);
    context.fillStyle = named.faint;
    context.fillRect(0, middle - 0.5, width, 1);
    this.#sentences(context, named, last, x, middle, half);
    this.#track(context, named.caller, this.caller, first, last, x, middle, -half);
    this.#track(context, named.agent, this.agent, first, last, x, middle, half);
    this.#marks(context, named, first, x, width, height);
  }

  #seconds(context, named, first, last, x, height) {
    const every = GRID.find((step) => this.span / step <= MOST_LINES) ?? GRID.at(-1);
    context.fillStyle = named.faint;
    for (let at = Math.ceil(first / every) * every; at < last; at += every) {
      context.fillRect(Math.round(x(at)), LANE, 1, height - LANE);
    }
  }

  /** What is being said, also where nobody has measured how loud. */
  #sentences(context, named, last, x, middle, half) {
    context.globalAlpha = 0.16;
    context.fillStyle = named.agent;
    for (const { from, to } of this.sentences.values()) {
      context.fillRect(x(from), middle + 2, Math.max(1, x(to ?? last) - x(from) - 1), half - 2);
    }
    context.globalAlpha = 1;
  }

  #track(context, colour, track, first, last, x, middle, half) {
    const wide = Math.max(1, x(first + STEP) - 0.5);
    context.fillStyle = colour;
    let pixel = -1;
    let most = 0;
    for (let step = Math.floor(first / STEP); step <= last / STEP; step++) {
      const level = track.get(step) ?? 0;
      const at = Math.round(x(step * STEP));
      most = at === pixel ? Math.max(most, level) : level;
      pixel = at;
      if (most) context.fillRect(at, middle, wide, (most / 100) * half);
    }
  }

  #marks(context, named, first, x, width, height) {
    context.font = "11px system-ui, sans-serif";
    context.textBaseline = "top";
    let free = -1;
    for (const mark of this.marks) {
      if (mark.at < first) continue;
      const { colour, text } = MARKS[mark.kind];
      const at = Math.round(x(mark.at));
      context.fillStyle = named[colour];
      context.fillRect(at, 0, 1.5, height);
      const words = text(mark);
      const wide = context.measureText(words).width;
      // At the right edge words stand before their mark.
      const begins = at + 4 + wide > width ? at - 4 - wide : at + 4;
      if (begins < free) continue;
      context.fillText(words, begins, 2);
      free = begins + 6 + wide;
    }
  }
}

const levels = (coded) => Array.from(atob(coded), (each) => each.charCodeAt(0));
