// Calls that are over: those that the node's stores have.

import { ask } from "./door.js";
import { by, make, put, span, when } from "./parts.js";

/** What a store tells of a call, in the order in which it is shown. */
const FACTS = [
  ["agent", (call) => call.agent],
  ["caller", (call) => call.caller],
  ["begun", (call) => when(call.opened)],
  ["outcome", (call) => call.outcome],
  ["turns", (call) => String(call.turns)],
];

export class PastCalls {
  constructor(onChosen) {
    this.onChosen = onChosen;
    this.body = by("past-body");
    by("past-again").addEventListener("click", () => this.load());
  }

  async load() {
    put(by("past-state"), "…");
    try {
      const { calls } = await ask("/console/act", { do: "past" });
      this.body.replaceChildren(...calls.map((call) => this.#row(call)));
      put(by("past-state"), calls.length ? "" : "No call is in memory yet.");
    } catch (failure) {
      put(by("past-state"), failure.message);
    }
  }

  #row(call) {
    const name = make("button", { type: "button", class: "link", title: call.id }, call.id);
    name.addEventListener("click", () => this.#open(call));
    return make(
      "tr",
      { "data-past": call.id },
      make("th", { scope: "row" }, name),
      make("td", {}, when(call.opened)),
      make("td", { class: "roomy" }, call.agent),
      make("td", {}, call.outcome),
      make("td", { class: "number" }, String(call.turns)),
    );
  }

  /** `wanted` is the call that was asked for last, here or among those of now: its answer counts. */
  async #open(call) {
    const wanted = (this.wanted = Symbol(call.id));
    try {
      const told = await ask("/console/act", { do: "past_call", call: call.id });
      if (wanted === this.wanted) this.onChosen(call.id, told);
    } catch (failure) {
      if (wanted === this.wanted) put(by("past-state"), failure.message);
    }
  }
}

/** The facts of a call that is over, with how long it went on and whether there is a recording. */
export function facts({ call, rows, recorded }) {
  const told = FACTS.map(([name, text]) => [name, call.opened == null ? "" : text(call)]);
  const spoken = rows.filter(([, , entry]) => entry.type !== "analysed");
  const [first, last] = [spoken.at(0), spoken.at(-1)];
  if (first && last) told.push(["lasted", span(last[1] - first[1])]);
  told.push(["recorded", recorded]);
  return pairs(told);
}

/** Pairs of texts as the parts of a list of terms. */
export function pairs(told) {
  return told
    .filter(([, text]) => text)
    .flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)]);
}
