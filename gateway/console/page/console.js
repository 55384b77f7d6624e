// The console's page: puts what the node tells into its places.

import { Panel } from "./actions.js";
import { Calls } from "./calls.js";
import { ask, askToken, keepToken, Stream, takeToken } from "./door.js";
import { by, clock, make, number, put, renew, usd } from "./parts.js";
import { Plots } from "./plots.js";
import { Tree } from "./tree.js";

const MOST_NEWS = 200;

takeToken();

const panel = new Panel((serial) => tree.mark(serial));
const tree = new Tree(by("tree-body"), (row) => panel.show(row));
const plots = new Plots();
const calls = new Calls(
  (id) => stream.look(id),
  (on) => stream.look(calls.chosen, on),
);
let isOpen = false;
let lost = "";
let node = null;
let nodes = 0;
let isWhole = false;

const stream = new Stream({
  state(state, why = "") {
    isOpen = state === "open";
    lost = state === "unauthorised" ? askToken() : why;
    verdict();
  },
  about(told) {
    // The whole picture follows.
    isWhole = false;
    tree.clear();
    calls.clear();
    plots.clear();
    by("news").replaceChildren();
    panel.about = { node: told.node, start: told.start, faults: told.faults };
    put(by("node"), told.node);
    document.title = `${told.node} – aybiza console`;
  },
  processes: ({ rows }) => tree.update(rows),
  gone({ serials }) {
    tree.gone(serials);
    panel.gone(serials);
  },
  calls: (told) => calls.update(told),
  call: (told) => calls.tell(told),
  listening: ({ id, why }) => id === calls.chosen && calls.listening.answered(why),
  audio: ({ id, audio }) => id === calls.chosen && calls.listening.hear(audio),
  cluster({ members }) {
    nodes = members.length;
    renew(by("members"), members, member);
    verdict();
  },
  points: ({ points }) => plots.add(points),
  node(told) {
    node = told;
    put(by("count-processes"), number(told.processes));
    put(by("count-calls"), `${told.calls} of ${told.max_calls}`);
    put(by("count-restarts"), number(told.restarts));
    put(by("loop-late"), `${told.lag_ms} ms`);
    put(by("memory"), `${number(told.memory_mb)} MB`);
    by("room").max = told.max_calls;
    by("room").value = told.calls;
    const today = told.days.find(([day]) => day === new Date().toISOString().slice(0, 10));
    put(by("cost-today"), usd(today ? today[1] : 0));
    renew(by("alarms"), told.alarms, (each) => make("li", { class: each.how }, each.text));
    // An empty list is no place to stop at.
    by("alarms").tabIndex = told.alarms.length ? 0 : -1;
    by("no-alarms").hidden = told.alarms.length > 0;
    by("alarms-section").classList.toggle("odd", told.alarms.length > 0);
    by("alarms-section").classList.toggle("bad", told.alarms.some((each) => each.how === "bad"));
    renew(by("breakers"), told.breakers, breaker);
    renew(by("days"), told.days.toReversed(), day);
    by("no-costs").hidden = told.days.length > 0;
    verdict();
  },
  news({ news }) {
    const list = by("news");
    for (const each of news) list.prepend(item(each));
    while (list.children.length > MOST_NEWS) list.lastChild.remove();
    tree.settled();
    calls.settled();
    if (!isWhole) panel.settled((serial) => tree.has(serial));
    isWhole = true;
  },
});

function verdict() {
  const place = by("verdict");
  const bad = node?.alarms.some((each) => each.how === "bad");
  const how = !isOpen || !node ? "bad" : bad ? "bad" : node.alarms.length ? "odd" : "good";
  place.className = `verdict ${how}`;
  // What is not known must not look as if it were nothing, nor what was as if it still were.
  document.body.classList.toggle("unknown", !node);
  document.body.classList.toggle("stale", Boolean(node) && !isOpen);
  put(by("no-alarms"), !isOpen ? "Not known: the node is not heard." : "None.");
  if (!isOpen) put(place, lost || "connecting …");
  else if (!node) put(place, "connecting …");
  else if (how === "good") put(place, nodes > 1 ? `all is well on ${nodes} nodes` : "all is well");
  else put(place, `${node.alarms.length} ${node.alarms.length === 1 ? "alarm" : "alarms"}`);
}

function member({ node: name, state, load }) {
  const figure = (text) => make("td", { class: "number" }, text);
  return make(
    "tr",
    {},
    make("th", { scope: "row" }, name),
    make("td", {}, load?.refusal || (load?.draining ? "draining" : state)),
    figure(load ? `${load.calls} of ${load.max_calls}` : ""),
    figure(load ? `${load.lag_ms} ms` : ""),
    figure(load ? `${number(load.memory_mb)} MB` : ""),
  );
}

function breaker({ model, state, failures }) {
  const failed = failures ? `, ${failures} ${failures === 1 ? "failure" : "failures in a row"}` : "";
  return make("li", { class: state }, `${model}: ${state.replace("_", " ")}${failed}`);
}

function day([name, spent]) {
  return make(
    "tr",
    {},
    make("th", { scope: "row" }, name),
    make("td", { class: "number" }, usd(spent)),
  );
}

function item({ at, kind, text, through }) {
  return make(
    "li",
    { class: kind },
    make("time", { class: "at" }, clock(at)),
    text,
    ...(through ?? []).map((line) => make("code", {}, line)),
  );
}

by("search").addEventListener("input", (event) => tree.search(event.target.value));
by("hangup").addEventListener("click", async () => {
  const id = calls.chosen;
  const told = await ask("/console/act", { do: "hangup", call: id }).then(
    () => "hung up",
    (failure) => failure.message,
  );
  if (id === calls.chosen) put(by("call-state"), told);
});
by("door-form").addEventListener("submit", () => {
  keepToken(by("token").value);
  by("token").value = "";
  stream.open();
});
stream.open();
