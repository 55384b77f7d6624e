// The calls: the table of all, and one that is looked at: its transcript as it is said, who spoke
// when, what each turn took, and what was made of it when it was over.

import { ask } from "./door.js";
import { Listening } from "./listen.js";
import { button, by, clock, make, ms, put, span, usd } from "./parts.js";
import { facts, pairs, PastCalls } from "./past.js";
import { Rows } from "./rows.js";
import { Timeline } from "./timeline.js";

const ANALYSED_MS = [1000, 3000, 6000, 15000];
const STAGES = [
  ["recognised", "words known"],
  ["first_token", "first token"],
  ["voice", "voice"],
];

/** What is known of a call's conversation, read off its journal. */
export class Transcript {
  /** `onEntry`: told of each entry once, with its unix time. */
  constructor(list, onEntry = () => {}) {
    this.list = list;
    this.box = list.parentElement;
    this.onEntry = onEntry;
    this.clear();
  }

  clear() {
    this.list.replaceChildren();
    this.sentences = new Map();
    this.said = null;
    this.last = 0;
    // What was said before one looked is not read out, only what comes then.
    this.box.setAttribute("aria-busy", "true");
  }

  add(rows) {
    const below = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < 40;
    for (const [row, at, entry] of rows) {
      if (row <= this.last) continue;
      this.last = row;
      this.#entry(at, entry);
      this.onEntry(at, entry);
    }
    if (rows.length && below) this.box.scrollTop = this.box.scrollHeight;
    if (rows.length) setTimeout(() => this.box.setAttribute("aria-busy", "false"));
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

export class Calls {
  /** `onChosen`: another call is looked at; `onListen`: it is to be heard, or no longer. */
  constructor(onChosen, onListen) {
    this.onChosen = onChosen;
    this.calls = new Map();
    this.before = this.calls;
    this.chosen = "";
    this.rows = new Rows(by("calls-body"), (held) => this.#draw(held));
    this.timeline = new Timeline(by("timeline"));
    this.transcript = new Transcript(by("transcript"), (at, entry) => this.#entry(at, entry));
    this.past = new PastCalls((id, told) => this.#showPast(id, told));
    this.listening = new Listening(onListen);
    for (const which of ["now", "past"]) {
      by(`show-${which}`).addEventListener("click", () => this.#choose(which));
    }
    setInterval(() => this.calls.size && this.rows.soon(), 1000);
  }

  /** The whole picture follows. What is known of a call's journal stays: each entry has its number. */
  clear() {
    this.before = this.calls;
    this.calls = new Map();
    this.#show();
  }

  /** The whole picture is there: what was looked at may have ended meanwhile. */
  settled() {
    const was = this.before.has(this.chosen);
    this.before = this.calls;
    if (was && !this.calls.has(this.chosen)) this.#over(this.chosen);
  }

  /** The calls of now, or those that are over. */
  #choose(which) {
    for (const each of ["now", "past"]) {
      by(`show-${each}`).setAttribute("aria-pressed", String(each === which));
      by(`calls-${each}`).hidden = each !== which;
    }
    if (which === "past") this.past.load();
  }

  update({ rows, gone }) {
    for (const call of rows) {
      const held = this.calls.get(call.id) ?? this.before.get(call.id) ?? { element: null };
      held.call = call;
      this.calls.set(call.id, held);
    }
    for (const id of gone) {
      this.calls.delete(id);
      this.before.delete(id);
      if (id === this.chosen) this.#over(id);
    }
    this.#show();
  }

  #show() {
    this.rows.show([...this.calls.values()]);
    by("no-calls").hidden = this.calls.size > 0;
    by("calls-table").hidden = !this.calls.size;
  }

  choose(id) {
    this.past.wanted = null;
    this.#look(id);
    by("live").hidden = false;
    by("call-facts").replaceChildren();
    this.onChosen(id);
  }

  #look(id) {
    this.listening.stop();
    this.listening.offer(false);
    this.chosen = id;
    this.rows.soon();
    by("call").hidden = false;
    by("analysis").hidden = true;
    put(by("call-title"), id);
    put(by("call-state"), "");
    put(by("call-cost"), "");
    this.transcript.clear();
    this.timeline.clear();
    this.#turns([], 0);
  }

  /** A call that is over, as a store has it. */
  #showPast(id, told) {
    this.onChosen("");
    this.#look(id);
    by("live").hidden = true;
    by("call-facts").replaceChildren(...facts(told));
    this.transcript.add(told.rows);
    this.transcript.box.scrollTop = 0;
    const spoken = told.rows.filter(([, , entry]) => entry.type !== "analysed").map(([, at]) => at);
    this.timeline.past(spoken.at(0) ?? 0, spoken.at(-1) ?? 0, told.waveforms);
    this.#turns(told.turns, 0);
    this.#analysed(told.analysis);
    by("call").scrollIntoView({ block: "nearest" });
  }

  /** A call has ended that is looked at: what is made of it comes some seconds later. */
  async #over(id) {
    this.listening.stop();
    this.listening.offer(false);
    put(by("call-state"), "this call is over");
    for (const wait of ANALYSED_MS) {
      await new Promise((resolve) => setTimeout(resolve, wait));
      if (id !== this.chosen || by("live").hidden) return;
      try {
        const told = await ask("/console/act", { do: "past_call", call: id });
        if (id !== this.chosen) return;
        by("call-facts").replaceChildren(...facts(told));
        this.#analysed(told.analysis);
        if (told.analysis.length) return;
      } catch {
        // It is in no store yet, or in none at all.
      }
    }
  }

  #analysed(lines) {
    by("analysis").hidden = !lines.length;
    by("analysis-facts").replaceChildren(...pairs(lines));
  }

  /** What comes of the call that is looked at. */
  tell(picture) {
    if (picture.id !== this.chosen) return;
    this.transcript.add(picture.rows);
    if (picture.level) this.timeline.add(picture.level);
    if (picture.turns) this.#turns(picture.turns, picture.usd);
    this.listening.offer(picture.recorded);
  }

  #entry(at, entry) {
    this.timeline.entry(at, entry);
  }

  #make(held) {
    const cell = (kind) => make("td", { class: kind });
    held.cells = {
      phase: cell(""),
      turn: cell("number"),
      caller: cell("roomy"),
      age: cell("number"),
      model: cell("roomy"),
      response: cell("number"),
      usd: cell("number wide"),
    };
    const { id } = held.call;
    held.name = button(id, () => this.choose(id), { class: "link", title: id });
    const element = make("tr", {}, make("th", { scope: "row" }, held.name), ...Object.values(held.cells));
    element.dataset.call = id;
    return element;
  }

  /** The row of a call, as it is now. */
  #draw(held) {
    held.element ??= this.#make(held);
    const { call, cells } = held;
    put(cells.phase, call.phase);
    put(cells.turn, call.turn == null ? "" : String(call.turn));
    put(cells.caller, call.caller);
    put(cells.model, short(call.model));
    put(cells.response, ms(call.response));
    put(cells.usd, usd(call.usd));
    put(cells.age, span(Date.now() / 1000 - call.began));
    const chosen = call.id === this.chosen;
    held.element.classList.toggle("chosen", chosen);
    held.name.setAttribute("aria-pressed", String(chosen));
    return held.element;
  }

  #turns(turns, cost) {
    by("turns-part").hidden = !turns.length;
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
    make("th", { scope: "row" }, turn.turn == null ? "after" : String(turn.turn)),
    make("td", { class: "roomy" }, short(turn.model ?? "")),
    make("td", {}, bar),
    make("td", { class: "number" }, ms(turn.response)),
    make("td", { class: "number wide" }, usd(turn.usd)),
    make("td", {}, turn.outcome ?? ""),
  );
}
