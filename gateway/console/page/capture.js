// An AudioWorklet: the microphone's samples at the context's rate in, mu-law frames of 20 ms out.
//
// What is above the telephone's band was taken off by filters before it, so that every so many-th
// sample is enough, between two by a straight line.

import { encode, FRAME, RATE } from "./mulaw.js";

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.step = sampleRate / RATE;
    this.at = 0;
    this.last = 0;
    this.frame = new Uint8Array(FRAME);
    this.filled = 0;
    this.peak = 0;
  }

  process([[samples]]) {
    if (!samples) return true;
    let at = this.at;
    for (; at < samples.length; at += this.step) {
      const below = Math.floor(at);
      const one = below < 1 ? this.last : samples[below - 1];
      const value = one + (samples[below] - one) * (at - below);
      this.peak = Math.max(this.peak, Math.abs(value));
      this.frame[this.filled++] = encode(value);
      if (this.filled === FRAME) this.#send();
    }
    this.at = at - samples.length;
    this.last = samples[samples.length - 1];
    return true;
  }

  #send() {
    this.port.postMessage({ frame: this.frame, peak: this.peak }, [this.frame.buffer]);
    this.frame = new Uint8Array(FRAME);
    this.filled = 0;
    this.peak = 0;
  }
}

registerProcessor("capture", Capture);
