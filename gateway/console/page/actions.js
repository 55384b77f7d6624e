// What an operator does to a process: the panel of one, with all that the node tells of it.

import { ask } from "./door.js";
import { by, button, bytes, make, number, put } from "./parts.js";

const [SERIAL, , LABEL, NAME] = [0, 1, 2, 3];
const UNITS = { memory: bytes };
const ACTS = ["kill", "restart", "trace"];
const REPORT_MS = 1000;
const TRACE_MS = 250;
const MOST_TRACED = 300;
const PLAN = (where) => `title = "from the console"

[[fault]]
what = "crash"
where = "${where}"
at = 0.5
`;

export class Panel {
  /** `onMoved`: told the serial of the process that has come to be shown in place of another. */
  constructor(onMoved) {
    this.onMoved = onMoved;
    this.pid = "";
    this.serial = 0;
    this.start = "";
    this.shown = 0;
    this.about = { node: "", start: "", faults: false };
    by("process-actions").append(
      button("Look again", () => this.look(), { class: "quiet" }),
      button("Kill", () => this.#end("kill"), { class: "danger", id: "kill" }),
      button("Restart", () => this.#end("restart"), { id: "restart" }),
      button("Trace", () => this.#trace(), { id: "trace", "aria-pressed": "false" }),
      button("Inject a fault …", () => this.#fault(), { id: "fault", hidden: true }),
    );
    by("fault-run").addEventListener("click", () => this.#run());
    by("fault-stop").addEventListener("click", () => this.#did({ do: "fault_stop" }));
  }

  show(row) {
    const start = this.about.start ? `@${this.about.start}` : "";
    this.pid = `<${this.about.node}.${row[SERIAL]}${start}>`;
    this.row = row;
    this.#lives(row[SERIAL]);
    this.shown += 1;
    by("process").hidden = false;
    put(by("process-title"), `${row[LABEL]} ${row[NAME]}`.trim());
    put(by("process-state"), "");
    this.#untrace();
    by("traced").hidden = true;
    by("fault").hidden = !this.about.faults;
    by("fault-plan").hidden = true;
    this.look();
  }

  /** These are no more. What the panel shows is then what was known last, and nothing acts on it. */
  gone(serials) {
    if (!this.pid || !serials.includes(this.serial)) return;
    this.#untrace();
    this.#acts(false);
    if (!this.ending) put(by("process-state"), "it has ended: this was known of it last");
  }

  /** The whole picture has come again, after a while without one, of another start of the node maybe. */
  settled(has) {
    if (this.pid && (this.start !== this.about.start || !has(this.serial))) this.gone([this.serial]);
  }

  #lives(serial) {
    this.serial = serial;
    this.start = this.about.start;
    this.ending = false;
    this.#acts(true);
  }

  #acts(may) {
    // Who stands on one with the keyboard stays there.
    for (const id of ACTS) by(id).setAttribute("aria-disabled", String(!may));
  }

  async look() {
    const answer = await this.#asked({ do: "observe", process: this.pid }, () =>
      by("process-facts").replaceChildren(),
    );
    if (answer) this.#facts(answer);
  }

  /**
   * The answer, or null where there is none, which is said, and where the panel has come to show
   * another process meanwhile: then neither answer nor failure is of what it shows.
   */
  async #asked(what, failed = () => {}) {
    const { pid, shown } = this;
    const isOfWhatIsShown = () => pid === this.pid && shown === this.shown;
    try {
      const answer = await ask("/console/act", what);
      return isOfWhatIsShown() ? answer : null;
    } catch (failure) {
      if (isOfWhatIsShown()) {
        failed();
        put(by("process-state"), failure.message);
      }
      return null;
    }
  }

  #facts(process) {
    const { statistics, ...facts } = process;
    const rows = [];
    for (const [name, value] of Object.entries({ ...facts, ...(statistics ?? {}) })) {
      if (value == null || value === "" || (Array.isArray(value) && !value.length)) continue;
      rows.push(make("dt", {}, name.replaceAll("_", " ")), make("dd", {}, shown(name, value)));
    }
    by("process-facts").replaceChildren(...rows);
  }

  async #end(how) {
    if (by(how).ariaDisabled === "true") return;
    put(by("process-state"), "…");
    const killed = this.pid;
    const { shown } = this;
    this.ending = true;
    this.#untrace();
    await this.#did({ do: how, process: killed }, (answer) =>
      answer.back
        ? `${answer.name}: ${answer.back} took its place after ${answer.after_ms} ms`
        : `${answer.name} has ended; nobody has taken its place`,
    );
    if (shown === this.shown) this.ending = false;
  }

  async #did(what, text = () => "done") {
    const answer = await this.#asked(what);
    if (!answer) return;
    put(by("process-state"), text(answer));
    if (!answer.back) return;
    this.pid = answer.back;
    this.#lives(Number(/\.(\d+)[@>]/.exec(answer.back)[1]));
    this.onMoved(this.serial);
    await this.look();
  }

  /** What it gets and does, by types, as long as it is looked at. */
  async #trace() {
    if (by("trace").ariaDisabled === "true") return;
    const on = by("trace").getAttribute("aria-pressed") !== "true";
    if (!on) {
      this.#untrace();
      await this.#did({ do: "trace_stop", process: this.pid }, () => "it is traced no longer");
      return;
    }
    await this.#did({ do: "trace", process: this.pid }, (answer) => {
      by("trace").setAttribute("aria-pressed", "true");
      by("traced").hidden = false;
      by("traced").replaceChildren();
      this.#follow(this.pid, answer.last);
      return "it is traced: what it gets and does, by types";
    });
  }

  #follow(pid, last) {
    this.following = setTimeout(async () => {
      try {
        const told = await ask("/console/act", { do: "traced", process: pid, after: String(last) });
        if (pid !== this.pid || by("trace").getAttribute("aria-pressed") !== "true") return;
        const lost = told.lost ? [make("li", {}, `${number(told.lost)} ${told.lost === 1 ? "event" : "events"} came too fast`)] : [];
        by("traced").append(...lost, ...told.rows.map(event));
        while (by("traced").children.length > MOST_TRACED) by("traced").firstChild.remove();
        by("traced").scrollTop = by("traced").scrollHeight;
        this.#follow(pid, told.last);
      } catch (failure) {
        if (pid !== this.pid) return;
        this.#untrace();
        put(by("process-state"), failure.message);
      }
    }, TRACE_MS);
  }

  #untrace() {
    clearTimeout(this.following);
    by("trace").setAttribute("aria-pressed", "false");
  }

  #fault() {
    by("fault-plan").hidden = false;
    by("fault-text").value = PLAN(this.row[LABEL]);
    by("fault-text").focus();
  }

  async #run() {
    const plan = by("fault-text").value;
    const { shown } = this;
    await this.#did({ do: "fault", plan }, report);
    this.#watch(shown);
  }

  /** A plan that nobody asks after is ended by the node. It is told where it was begun: `of`. */
  #watch(of) {
    const tell = (text) => of === this.shown && put(by("process-state"), text);
    clearTimeout(this.watching);
    this.watching = setTimeout(async () => {
      try {
        const told = await ask("/console/act", { do: "fault_report" });
        tell(report(told));
        if (told.running) this.#watch(of);
      } catch (failure) {
        tell(failure.message);
      }
    }, REPORT_MS);
  }
}

/** An event of a trace: [number, unix time, event, what, whom]. */
function event([, at, did, what, whom]) {
  const clock = new Date(at * 1000).toISOString().slice(11, 23);
  return make("li", {}, `${clock}  ${did.replace("_", " ")}  ${what}  ${whom}`);
}

function report({ wrong, running, strikes, restarts }) {
  if (wrong) return wrong;
  const again = restarts.length === 1 ? "restart" : "restarts";
  const came = `${strikes.length} struck, ${restarts.length} ${again}`;
  return running ? `the plan runs: ${came}` : `the plan is over: ${came}`;
}

function shown(name, value) {
  if (UNITS[name]) return UNITS[name](value);
  if (Array.isArray(value)) return value.join(", ");
  if (typeof value === "object") {
    return Object.entries(value)
      .map(([key, count]) => `${key} ${count}`)
      .join(", ");
  }
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "number" ? number(value) : value;
}
