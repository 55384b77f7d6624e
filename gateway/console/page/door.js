// The way to the node: the console's token, requests, and the websocket of what happens.
//
// The token comes from the address (#token=…), from which it is taken at once, or from the form of
// the page. It is kept for the tab, is sent in headers, and stands in no address.

import { by } from "./parts.js";

const KEPT = "aybiza-console-token";
const AGAIN_MS = 1000;
const SILENT_MS = 12000;
const ANSWER_MS = 30000;

export const UNANSWERED = "no answer: the node is busy, or gone";

const NEEDS_TOKEN = "needs its token: load the page again to give it";

export class Unauthorised extends Error {
  constructor() {
    super(NEEDS_TOKEN);
  }
}

/** Ask for the token, and say so where the one that was given is not it. What the page is to say. */
export function askToken() {
  by("door-wrong").hidden = !sessionStorage.getItem(KEPT);
  by("door").showModal();
  return NEEDS_TOKEN;
}

export function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    keepToken(given);
    history.replaceState(null, "", location.pathname + location.search);
  }
}

export function keepToken(token) {
  sessionStorage.setItem(KEPT, token);
}

function headers(more = {}) {
  const token = sessionStorage.getItem(KEPT);
  return {
    "x-aybiza-console": "1",
    ...(token ? { authorization: `Bearer ${token}` } : {}),
    ...more,
  };
}

/** POST a JSON object; the answer, or an Error with a text for people. */
export async function ask(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: headers({ "content-type": "application/json" }),
    body: JSON.stringify(body),
    credentials: "omit",
    signal: AbortSignal.timeout(ANSWER_MS),
  }).catch((failure) => {
    throw failure.name === "TimeoutError" ? new Error(UNANSWERED) : failure;
  });
  if (response.status === 401) throw new Unauthorised();
  const isJson = response.headers.get("content-type")?.startsWith("application/json");
  const answer = isJson ? await response.json() : { error: await response.text() };
  if (!response.ok) throw new Error(answer.error || `the node answered ${response.status}`);
  return answer;
}

/** What a handshake bears the token in: a script can add no header to it. */
function subprotocols() {
  const token = sessionStorage.getItem(KEPT);
  if (!token) return ["aybiza.console"];
  const bytes = String.fromCharCode(...new TextEncoder().encode(token));
  const encoded = btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return ["aybiza.console", `token.${encoded}`];
}

/**
 * Hear what happens on the node, for as long as the page is to be seen; `on` has a function for
 * each event and for `state`, which is told why nothing comes. A page that is hidden costs the node
 * nothing.
 */
export class Stream {
  constructor(on) {
    this.on = on;
    this.call = "";
    this.begun = false;
    this.socket = null;
    this.waiting = null;
    this.silent = null;
    document.addEventListener("visibilitychange", () => this.begun && this.open());
  }

  /** Begin, or begin again. */
  open() {
    this.begun = true;
    clearTimeout(this.waiting);
    this.#drop();
    if (document.visibilityState === "visible") this.#connect();
  }

  /** Look at a call: its journal is told from its beginning. `listen`: hear it, too. */
  look(call, listen = false) {
    this.call = call;
    if (this.socket?.readyState === WebSocket.OPEN) this.#ask(listen);
  }

  #ask(listen = false) {
    this.socket.send(JSON.stringify({ call: this.call, ...(listen ? { listen } : {}) }));
  }

  #drop() {
    clearTimeout(this.silent);
    const { socket } = this;
    this.socket = null;
    socket?.close();
  }

  #connect() {
    const address = `${location.origin.replace(/^http/, "ws")}/console/events`;
    const socket = (this.socket = new WebSocket(address, subprotocols()));
    let opened = false;
    const heard = () => {
      clearTimeout(this.silent);
      this.silent = setTimeout(() => socket.close(), SILENT_MS);
    };
    heard();
    socket.onopen = () => {
      if (socket !== this.socket) return;
      opened = true;
      this.on.state("open");
      if (this.call) this.#ask();
    };
    socket.onmessage = ({ data }) => {
      if (socket !== this.socket) return;
      heard();
      for (const line of data.split("\n")) if (line) this.#tell(line);
    };
    socket.onclose = ({ reason }) => {
      if (socket === this.socket) this.#lost(opened ? reason : null);
    };
  }

  /** Nothing comes any more. `reason`: what the node says of it; null: it did not let us in. */
  async #lost(reason) {
    this.#drop();
    const generation = (this.waiting = setTimeout(() => this.open(), AGAIN_MS));
    let why = reason || UNANSWERED;
    if (reason === null) {
      // A browser does not tell a script why a handshake was refused.
      try {
        await ask("/console/dial", { look: true });
      } catch (failure) {
        if (failure instanceof Unauthorised) {
          if (generation !== this.waiting) return;
          clearTimeout(this.waiting);
          this.on.state("unauthorised");
          return;
        }
        why = failure.message || UNANSWERED;
      }
    }
    if (generation === this.waiting || !this.socket) this.on.state("lost", why);
  }

  #tell(line) {
    const end = line.indexOf(" ");
    this.on[line.slice(0, end)]?.(JSON.parse(line.slice(end + 1)));
  }
}
