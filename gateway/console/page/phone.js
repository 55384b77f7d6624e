// The softphone: the microphone and the loudspeaker at a media websocket of the node, which speaks
// to it as Twilio's Media Streams do. Source: Twilio, "Media Streams: WebSocket messages".

import { Transcript } from "./calls.js";
import { ask, askToken, keepToken, Stream, takeToken, Unauthorised } from "./door.js";
import { FRAME, SILENCE } from "./mulaw.js";
import { by, button, make, put } from "./parts.js";

const KEYS = "123456789*0#";
const MOST_RETURNS = 3;
const OVER = 1000;
const BAND_HZ = 3400;
const ORDINARY_ENDS = new Set(["hangup", ""]);

takeToken();

const transcript = new Transcript(by("transcript"));
const stream = new Stream({
  state: (state) => state === "unauthorised" && askToken(),
  call: ({ id, rows }) => line?.id === id && transcript.add(rows),
});
let line = null;

/** A call, from the first click to its end, on one websocket after the other. */
class Line {
  constructor() {
    this.id = "";
    this.returns = 0;
    this.chunk = 0;
    this.muted = false;
    this.over = false;
  }

  async begin() {
    const microphone = await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    });
    this.microphone = microphone;
    if (this.#ended()) return;
    const audio = (this.audio = new AudioContext({ latencyHint: "interactive" }));
    await audio.audioWorklet.addModule("/console/capture.js");
    await audio.audioWorklet.addModule("/console/player.js");
    if (this.#ended()) return;
    this.player = new AudioWorkletNode(audio, "player", { numberOfInputs: 0, outputChannelCount: [1] });
    this.player.port.onmessage = ({ data }) => this.#send({ event: "mark", mark: { name: data.mark } });
    this.player.connect(audio.destination);
    const capture = new AudioWorkletNode(audio, "capture", { numberOfOutputs: 0, channelCount: 1 });
    capture.port.onmessage = ({ data }) => this.#speak(data);
    // Two in a row: what is above the band must not come back below it.
    audio
      .createMediaStreamSource(microphone)
      .connect(new BiquadFilterNode(audio, { type: "lowpass", frequency: BAND_HZ }))
      .connect(new BiquadFilterNode(audio, { type: "lowpass", frequency: BAND_HZ }))
      .connect(capture);
    await audio.resume();
    await this.#connect();
  }

  /** Whether it was hung up while something was waited for: then nothing stays on. */
  #ended() {
    if (this.over) this.#off();
    return this.over;
  }

  #off() {
    this.microphone?.getTracks().forEach((track) => track.stop());
    if (this.audio && this.audio.state !== "closed") this.audio.close();
  }

  async #connect() {
    const route = by("route").value;
    if (this.over) return;
    const dialled = await ask("/console/dial", this.id ? { call: this.id, route } : { route });
    if (this.over) return;
    if (dialled.call !== this.id) {
      this.id = dialled.call;
      stream.look(this.id);
      stream.open();
    }
    this.sid = dialled.stream;
    this.chunk = 0;
    const socket = (this.socket = new WebSocket(dialled.url));
    socket.onopen = () => {
      socket.send(JSON.stringify({ event: "connected", protocol: "Call", version: "1.0.0" }));
      const start = {
        accountSid: dialled.account,
        callSid: dialled.call,
        streamSid: dialled.stream,
        tracks: ["inbound"],
        mediaFormat: { encoding: "audio/x-mulaw", sampleRate: 8000, channels: 1 },
        customParameters: dialled.parameters,
      };
      socket.send(JSON.stringify({ event: "start", streamSid: this.sid, start }));
      this.isOpen = true;
      state("connected", "good");
    };
    socket.onmessage = ({ data }) => this.#hear(JSON.parse(data));
    socket.onclose = (end) => this.#closed(end);
  }

  #hear(message) {
    if (message.event === "media") {
      const audio = Uint8Array.from(atob(message.media.payload), (byte) => byte.charCodeAt(0));
      this.player.port.postMessage({ audio }, [audio.buffer]);
    } else if (message.event === "mark") {
      this.player.port.postMessage({ mark: message.mark.name });
    } else if (message.event === "clear") {
      this.player.port.postMessage({ clear: true });
    }
  }

  #speak({ frame, peak }) {
    by("level").value = this.muted ? 0 : Math.sqrt(peak);
    // What is not sent has no number: the node would take it for lost.
    if (!this.isOpen) return;
    const spoken = this.muted ? new Uint8Array(FRAME).fill(SILENCE) : frame;
    this.chunk += 1;
    this.#send({
      event: "media",
      media: {
        track: "inbound",
        chunk: String(this.chunk),
        timestamp: String(this.chunk * 20),
        payload: btoa(String.fromCharCode(...spoken)),
      },
    });
  }

  press(digit) {
    this.#send({ event: "dtmf", dtmf: { track: "inbound_track", digit } });
  }

  #send(message) {
    // The node closes first at times, before we are told.
    const open = this.isOpen && this.socket.readyState === WebSocket.OPEN;
    if (open) this.socket.send(JSON.stringify({ ...message, streamSid: this.sid }));
  }

  #closed(end) {
    this.isOpen = false;
    if (this.over) return;
    if (end.code === OVER || this.returns >= MOST_RETURNS) {
      this.end(end.code === OVER ? end.reason : end.reason || `the line broke (${end.code})`);
      return;
    }
    // As a caller is brought back by the carrier whose stream broke.
    this.returns += 1;
    state("the line broke; calling again", "odd");
    this.player.port.postMessage({ clear: true });
    this.waiting = setTimeout(() => this.#connect().catch((failure) => failed(failure, this)), 500 * this.returns);
  }

  /** Hang up, or take note that the node has. */
  end(why = "") {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.waiting);
    this.#send({ event: "stop", stop: {} });
    this.isOpen = false;
    this.socket?.close(OVER);
    this.#off();
    by("level").value = 0;
    if (line === this) line = null;
    buttons();
    state(ORDINARY_ENDS.has(why) ? "the call is over" : `the call is over: ${why}`, "odd");
  }
}

function state(text, how) {
  const place = by("state");
  place.className = `verdict ${how}`;
  put(place, text);
}

function buttons() {
  by("call").disabled = line !== null;
  by("hangup").disabled = line === null;
  by("mute").disabled = line === null;
  by("route").disabled = line !== null;
  by("mute").setAttribute("aria-pressed", String(line?.muted ?? false));
  for (const key of by("keys").children) key.disabled = line === null;
}

/** What has failed: `whose` call, if it was one's. That of a call that is over is nobody's concern. */
function failed(failure, whose = null) {
  if (whose?.over) return;
  whose?.end();
  if (failure instanceof Unauthorised) askToken();
  const denied = failure.name === "NotAllowedError" || failure.name === "NotFoundError";
  state(denied ? "there is no microphone that may be used" : failure.message || "not allowed", "bad");
}

/** The agents of the node, if there are several. */
async function agents() {
  try {
    const { routes } = await ask("/console/dial", { look: true });
    by("route").replaceChildren(...routes.map((route) => make("option", {}, route)));
    by("agents").hidden = routes.length < 2;
    buttons();
  } catch (failure) {
    failed(failure);
  }
}

by("keys").append(
  ...[...KEYS].map((key) => button(key, () => line?.press(key), { disabled: true })),
);
by("call").addEventListener("click", async () => {
  const begun = (line = new Line());
  transcript.clear();
  buttons();
  state("calling …", "odd");
  try {
    await begun.begin();
  } catch (failure) {
    failed(failure, begun);
  }
});
by("hangup").addEventListener("click", () => line?.end());
by("mute").addEventListener("click", () => {
  line.muted = !line.muted;
  buttons();
});
by("door-form").addEventListener("submit", () => {
  keepToken(by("token").value);
  by("token").value = "";
  state("ready", "");
  agents();
});
agents();
addEventListener("pagehide", () => line?.end());
