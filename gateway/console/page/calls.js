// The calls: the table of all, and one that is looked at: its transcript as it is said, who spoke
// when, and what each turn took.

import { by, clock, colours, drawing, make, ms, put, span, usd } from "./parts.js";

const SECONDS_SHOWN = 60;
const LEVELS_A_SECOND = 4;
const STAGES = [
  ["recognised", "words known"],
  ["first_token", "first token"],
  ["voice", "voice"],
];

/** What is known of a call's conversation, read off its journal. */
export class Transcript {
  constructor(list) {
    this.list = list;
    this.clear();
  }

  clear() {
    this.list.replaceChildren();
    this.sentences = new Map();
    this.said = null;
    this.last = 0;
  }

  add(rows) {
    const below = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 40;
    for (const [row, at, entry] of rows) {
      if (row > this.last) this.#entry(at, entry);
      this.last = Math.max(this.last, row);
    }
    if (rows.length && below) this.list.scrollTop = this.list.scrollHeight;
  }

  #line(at, who, kind, text) {
    const words = make("span", { class: "words" }, text);
    const item = make(
      "li",
      { class: kind },
      make("time", { class: "at" }, clock(at)),
      make("span", { class: "who" }, who),
      words,
    );
    this.list.append(item);
    return item;
  }

  #entry(at, entry) {
    switch (entry.type) {
      case "caller_segment": {
        if (!this.said) this.said = this.#line(at, "caller", "caller open", "");
        const words = this.said.querySelector(".words");
        words.textContent = `${words.textContent} ${entry.text}`.trim();
        break;
      }
      case "caller_turn":
        if (!entry.text) break;
        this.said ??= this.#line(at, "caller", "caller", "");
        this.said.querySelector(".words").textContent = entry.text;
        this.said.className = "caller";
        this.said = null;
        break;
      case "agent_sentence": {
        const item = this.#line(at, "agent", "agent open", entry.text);
        this.sentences.set(`${entry.turn}.${entry.seq}`, item);
        break;
      }
      case "sentence_heard":
        this.sentences.get(`${entry.turn}.${entry.seq}`)?.classList.remove("open");
        break;
      case "sentence_unsaid":
        this.sentences.get(`${entry.turn}.${entry.seq}`)?.classList.add("unsaid");
        break;
      case "interrupted":
        this.sentences.get(`${entry.turn}.${entry.seq}`)?.classList.add("cut");
        this.#line(at, "", "mark", `the caller broke in, ${percent(entry.fraction)} heard`);
        break;
      case "tool_exchange":
        this.#line(at, "", "mark", `${entry.failed ? "failed: " : ""}${entry.tools.join(", ")}`);
        break;
      case "transferring":
        this.#line(at, "", "mark", `is put through to ${entry.to}`);
        break;
      case "ended":
        this.#line(at, "", "mark", `the call is over: ${entry.reason}`);
        break;
    }
  }
}

const percent = (share) => `${Math.round(share * 100)} %`;

/** Two tracks, the caller's above and the agent's below, of the last minute. */
export class Timeline {
  constructor(canvas) {
    this.canvas = canvas;
    this.levels = [];
  }

  clear() {
    this.levels = [];
    this.draw();
  }

  add(level) {
    this.levels.push(level);
    if (this.levels.length > SECONDS_SHOWN * LEVELS_A_SECOND) this.levels.shift();
    this.draw();
  }

  draw() {
    if (!this.canvas.clientWidth) return;
    const { context, width, height } = drawing(this.canvas);
    const { caller, agent, faint } = colours();
    const middle = height / 2;
    const step = width / (SECONDS_SHOWN * LEVELS_A_SECOND);
    context.fillStyle = faint;
    context.fillRect(0, middle, width, 1);
    const first = SECONDS_SHOWN * LEVELS_A_SECOND - this.levels.length;
    this.levels.forEach(([heard, said], at) => {
      const x = (first + at) * step;
      const above = Math.max(heard > 0.002 ? 2 : 0, Math.sqrt(heard) * (middle - 3));
      context.fillStyle = caller;
      context.fillRect(x, middle - above, Math.max(1, step - 1), above);
      context.fillStyle = agent;
      if (said) context.fillRect(x, middle + 2, Math.max(1, step), middle - 8);
    });
  }
}

export class Calls {
  constructor(onChosen) {
    this.onChosen = onChosen;
    this.rows = new Map();
    this.chosen = "";
    this.body = by("calls-body");
    this.transcript = new Transcript(by("transcript"));
    this.timeline = new Timeline(by("timeline"));
    setInterval(() => this.#tick(), 1000);
  }

  clear() {
    this.rows.clear();
    this.body.replaceChildren();
    this.transcript.clear();
    by("turns-body").replaceChildren();
  }

  update({ rows, gone }) {
    for (const call of rows) {
      const held = this.rows.get(call.id) ?? this.#add(call);
      held.call = call;
      put(held.phase, call.phase);
      put(held.turn, call.turn == null ? "" : String(call.turn));
      put(held.caller, call.caller);
      put(held.model, short(call.model));
      put(held.response, ms(call.response));
      put(held.usd, usd(call.usd));
      this.#age(held);
    }
    for (const id of gone) {
      this.rows.get(id)?.element.remove();
      this.rows.delete(id);
      if (id === this.chosen) put(by("call-state"), "this call is over");
    }
    by("no-calls").hidden = this.rows.size > 0;
  }

  choose(id) {
    this.chosen = id;
    for (const { element, call } of this.rows.values()) {
      element.classList.toggle("chosen", call.id === id);
      element.querySelector("button").setAttribute("aria-pressed", String(call.id === id));
    }
    by("call").hidden = false;
    put(by("call-title"), id);
    put(by("call-state"), "");
    this.transcript.clear();
    this.timeline.clear();
    by("turns-body").replaceChildren();
    this.onChosen(id);
  }

  /** What comes of the call that is looked at. */
  tell(picture) {
    if (picture.id !== this.chosen) return;
    this.transcript.add(picture.rows);
    if (picture.level) this.timeline.add(picture.level);
    if (picture.turns) this.#turns(picture.turns, picture.usd);
  }

  #add(call) {
    const cell = (kind) => make("td", { class: kind });
    const held = {
      call,
      phase: cell(""),
      turn: cell("number"),
      caller: cell("roomy"),
      age: cell("number"),
      model: cell("roomy"),
      response: cell("number"),
      usd: cell("number wide"),
    };
    const name = make("button", { type: "button", class: "link", "aria-pressed": "false" });
    name.textContent = call.id;
    name.title = call.id;
    name.addEventListener("click", () => this.choose(call.id));
    held.element = make("tr", {}, make("th", { scope: "row" }, name));
    const { phase, turn, caller, age, model, response, usd: cost } = held;
    held.element.append(phase, turn, caller, age, model, response, cost);
    held.element.dataset.call = call.id;
    if (call.id === this.chosen) held.element.classList.add("chosen");
    this.rows.set(call.id, held);
    this.body.append(held.element);
    return held;
  }

  #age(held) {
    put(held.age, span(Date.now() / 1000 - held.call.began));
  }

  #tick() {
    for (const held of this.rows.values()) this.#age(held);
  }

  #turns(turns, cost) {
    const longest = Math.max(...turns.map(whole), 0.001);
    by("turns-body").replaceChildren(...turns.map((turn) => turnRow(turn, longest)));
    put(by("call-cost"), cost ? `${usd(cost)} so far` : "");
  }
}

const whole = (turn) =>
  Math.max(
    turn.response ?? 0,
    STAGES.reduce((sum, [stage]) => sum + (turn[stage] ?? 0), 0),
  );

const short = (model) => model.replace(/^.*anthropic\./, "").replace(/-\d{8}-v\d+:\d+$/, "");

function turnRow(turn, longest) {
  const bar = make("div", { class: "bar", role: "img" });
  const told = [];
  for (const [stage, text] of STAGES) {
    if (turn[stage] == null) continue;
    const piece = make("span", { class: `stage ${stage}`, title: `${text} ${ms(turn[stage])}` });
    piece.style.inlineSize = `${(turn[stage] / longest) * 100}%`;
    bar.append(piece);
    told.push(`${text} ${ms(turn[stage])}`);
  }
  bar.setAttribute("aria-label", told.join(", ") || "nothing measured");
  return make(
    "tr",
    {},
    make("th", { scope: "row" }, String(turn.turn)),
    make("td", { class: "roomy" }, short(turn.model ?? "")),
    make("td", {}, bar),
    make("td", { class: "number" }, ms(turn.response)),
    make("td", { class: "number wide" }, usd(turn.usd)),
    make("td", {}, turn.outcome ?? ""),
  );
}
