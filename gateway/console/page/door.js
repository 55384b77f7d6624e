// The way to the node: the console's token, requests, and the stream of what happens.
//
// The token comes from the address (#token=…), from which it is taken at once, or from the form of
// the page. It is kept for the tab, is sent in a header, and stands in no address.

const KEPT = "aybiza-console-token";
const AGAIN_MS = 1000;
const SILENT_MS = 12000;
const ANSWER_MS = 30000;

/** A browser keeps six connections to a node, and what comes after them waits without a word. */
export const UNANSWERED =
  "no answer: the node is busy or gone, or this browser shows it in too many windows; close some";

export class Unauthorised extends Error {}

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

/**
 * Hear what happens on the node, for as long as the page is to be seen; `on` has a function for
 * each event and for `state`. A page that is hidden gives its connection back: others need it.
 */
export class Stream {
  constructor(on) {
    this.on = on;
    this.call = "";
    this.generation = 0;
    this.waiting = null;
    this.begun = false;
    document.addEventListener("visibilitychange", () => this.begun && this.open());
  }

  /** Begin, or begin again with this call's journal. */
  open(call = this.call) {
    this.call = call;
    this.begun = true;
    this.generation += 1;
    clearTimeout(this.waiting);
    this.abort?.abort();
    if (document.visibilityState === "visible") this.#run(this.generation);
  }

  async #run(generation) {
    this.abort = new AbortController();
    try {
      await this.#listen(this.abort);
    } catch (failure) {
      if (generation !== this.generation) return;
      if (failure instanceof Unauthorised) {
        this.on.state("unauthorised");
        return;
      }
    }
    if (generation !== this.generation) return;
    this.on.state("lost");
    this.waiting = setTimeout(() => this.#run(generation), AGAIN_MS);
  }

  async #listen(abort) {
    const query = this.call ? `?call=${encodeURIComponent(this.call)}` : "";
    const unanswered = setTimeout(() => abort.abort(), SILENT_MS);
    const response = await fetch(`/console/events${query}`, {
      headers: headers(),
      credentials: "omit",
      signal: abort.signal,
    }).finally(() => clearTimeout(unanswered));
    if (response.status === 401) throw new Unauthorised();
    if (!response.ok) throw new Error(String(response.status));
    this.on.state("open");
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const silent = setTimeout(() => abort.abort(), SILENT_MS);
      const { done, value } = await reader.read().finally(() => clearTimeout(silent));
      if (done) return;
      const parts = (rest + value).split("\n\n");
      rest = parts.pop();
      for (const part of parts) this.#tell(part);
    }
  }

  #tell(part) {
    const end = part.indexOf("\n");
    const event = part.slice("event: ".length, end);
    this.on[event]?.(JSON.parse(part.slice(end + 1 + "data: ".length)));
  }
}
