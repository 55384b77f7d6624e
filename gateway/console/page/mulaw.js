// Mu-law, 8 bits a sample (ITU-T G.711), as telephones have it.

const BIAS = 132;
const CLIP = 32635;

export const SILENCE = 0xff;
export const RATE = 8000;
export const FRAME = 160;

/** The code of a sample from -1 to 1. */
export function encode(sample) {
  let value = Math.max(-32768, Math.min(32767, Math.round(sample * 32768)));
  const sign = value < 0 ? 0x80 : 0;
  value = Math.min(Math.abs(value), CLIP) + BIAS;
  const exponent = Math.max(0, 31 - Math.clz32(value) - 7);
  return ~(sign | (exponent << 4) | ((value >> (exponent + 3)) & 0x0f)) & 0xff;
}

/** The sample of each code. */
export const SAMPLES = Float32Array.from({ length: 256 }, (_, code) => {
  const bits = ~code & 0xff;
  const value = ((((bits & 0x0f) << 3) + BIAS) << ((bits >> 4) & 7)) - BIAS;
  return (bits & 0x80 ? -value : value) / 32768;
});
