// To listen in on a call that is recorded: the caller on the left, the agent on the right, some
// seconds behind the call itself.

import { by, put } from "./parts.js";

const RATE = 8000;

export class Listening {
  /** `say`: has the stream ask the node for the audio, or leave off. */
  constructor(say) {
    this.say = say;
    this.sides = null;
    by("listen").addEventListener("click", () => (this.audio ? this.stop() : this.#begin()));
  }

  /** Whether the call that is looked at is recorded. */
  offer(recorded) {
    by("listen").hidden = !recorded && !this.audio;
  }

  async #begin() {
    const audio = (this.audio = new AudioContext());
    by("listen").setAttribute("aria-pressed", "true");
    await audio.audioWorklet.addModule("/console/player.js");
    // It may have been stopped meanwhile, for another call is looked at: that is not to be heard.
    if (audio !== this.audio) return;
    this.sides = [-0.8, 0.8].map((pan) => {
      const options = { numberOfInputs: 0, outputChannelCount: [1] };
      const player = new AudioWorkletNode(audio, "player", options);
      player.connect(new StereoPannerNode(audio, { pan })).connect(audio.destination);
      return player;
    });
    await audio.resume();
    if (audio !== this.audio) return;
    this.say(true);
    put(by("call-state"), "asking to listen in …");
  }

  stop() {
    if (!this.audio) return;
    this.audio.close();
    this.audio = this.sides = null;
    by("listen").setAttribute("aria-pressed", "false");
    put(by("call-state"), "");
    this.say(false);
  }

  /** What the node says to it: `why` it may not be, or "". */
  answered(why) {
    if (!why) {
      put(by("call-state"), "you listen in, three seconds behind; it stands in the audit trail");
      return;
    }
    this.stop();
    put(by("call-state"), why);
  }

  /** Stereo in mu-law, byte by byte. */
  hear(encoded) {
    if (!this.sides) return;
    const both = Uint8Array.from(atob(encoded), (byte) => byte.charCodeAt(0));
    this.heard = (this.heard ?? 0) + both.length / 2 / RATE;
    this.sides.forEach((player, side) => {
      const audio = new Uint8Array(both.length / 2);
      for (let at = 0; at < audio.length; at++) audio[at] = both[2 * at + side];
      player.port.postMessage({ audio }, [audio.buffer]);
    });
  }
}
