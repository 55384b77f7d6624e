// An AudioWorklet: what is to be heard, in its order, at the context's rate.
//
// It is told { audio: Uint8Array of mu-law }, { mark: name } and { clear: true }, and tells
// { mark: name } when all before a mark has been played. `clear` drops what was not played, and its
// marks come back at once, as a carrier's do.

import { RATE, SAMPLES } from "./mulaw.js";

const MOST_SAMPLES = RATE * 120;

class Player extends AudioWorkletProcessor {
  constructor() {
    super();
    this.step = RATE / sampleRate;
    this.queue = [];
    this.waiting = 0;
    this.at = 0;
    this.last = 0;
    this.port.onmessage = ({ data }) => this.#take(data);
  }

  #take(told) {
    if (told.clear) {
      for (const one of this.queue) if (one.mark) this.port.postMessage(one);
      this.queue = [];
      this.waiting = 0;
      this.at = 0;
    } else if (told.mark || this.waiting < MOST_SAMPLES) {
      this.queue.push(told);
      this.waiting += told.audio?.length ?? 0;
    }
  }

  process(_, [[out]]) {
    for (let index = 0; index < out.length; index++) {
      this.#drop();
      const audio = this.queue[0]?.audio;
      if (!audio) {
        // Silence without a step to it.
        this.last *= 0.95;
        out[index] = this.last;
        continue;
      }
      const below = Math.floor(this.at);
      const one = SAMPLES[audio[below]];
      const next = below + 1 < audio.length ? SAMPLES[audio[below + 1]] : one;
      this.last = out[index] = one + (next - one) * (this.at - below);
      this.at += this.step;
    }
    this.#drop();
    return true;
  }

  /** Leave behind what was played, and tell of the marks that stand there. */
  #drop() {
    for (let head = this.queue[0]; head; head = this.queue[0]) {
      if (head.mark) this.port.postMessage(head);
      else if (this.at < head.audio.length) return;
      else {
        this.at -= head.audio.length;
        this.waiting -= head.audio.length;
      }
      this.queue.shift();
    }
  }
}

registerProcessor("player", Player);
