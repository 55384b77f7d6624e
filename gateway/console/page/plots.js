// Four plots of the last hour: calls, response, restarts, cost. Each says its newest value in words.

import { by, colours, drawing, ms, number, put, usd } from "./parts.js";

const MOST = 10000;
const [AT, CALLS, RESTARTS, MEDIAN, P95, USD] = [0, 1, 2, 3, 4, 5];

const PLOTS = [
  { id: "plot-calls", series: [[CALLS, "agent"]], text: (p) => `${number(p[CALLS])} calls` },
  {
    id: "plot-response",
    series: [
      [P95, "bad"],
      [MEDIAN, "agent"],
    ],
    text: (p) => (p[MEDIAN] ? `median ${ms(p[MEDIAN])}, 95 % ${ms(p[P95])}` : "no answer"),
    gaps: true,
  },
  { id: "plot-restarts", series: [[RESTARTS, "bad"]], text: (p) => `${number(p[RESTARTS])} in 5 s` },
  { id: "plot-cost", series: [[USD, "caller"]], text: (p) => `${usd(p[USD])} in 5 s` },
];

export class Plots {
  constructor() {
    this.points = [];
    this.asked = 0;
    addEventListener("resize", () => this.#soon());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#soon());
  }

  clear() {
    this.points = [];
  }

  add(points) {
    this.points.push(...points);
    if (this.points.length > MOST) this.points.splice(0, this.points.length - MOST);
    this.#soon();
  }

  #soon() {
    this.asked ||= requestAnimationFrame(() => {
      this.asked = 0;
      for (const plot of PLOTS) this.#draw(plot);
    });
  }

  #draw({ id, series, text, gaps }) {
    const canvas = by(id);
    const last = this.points.at(-1);
    put(by(`${id}-text`), last ? text(last) : "");
    if (!canvas.clientWidth || !last) return;
    const { context, width, height } = drawing(canvas);
    const named = colours();
    const first = this.points[0][AT];
    const long = Math.max(last[AT] - first, 60);
    const top = Math.max(...series.map(([at]) => this.#most(at)), 0.001);
    context.fillStyle = named.faint;
    context.fillRect(0, height - 1, width, 1);
    context.lineWidth = 1.5;
    for (const [at, colour] of series) {
      context.strokeStyle = context.fillStyle = named[colour];
      context.beginPath();
      let down = false;
      for (const point of this.points) {
        const absent = gaps && !point[at];
        const x = ((point[AT] - first) / long) * width;
        const y = height - 2 - (point[at] / top) * (height - 6);
        // A point that stands alone would make no line.
        if (!absent && !down) context.fillRect(x - 1, y - 1, 2, 2);
        if (!absent) down ? context.lineTo(x, y) : context.moveTo(x, y);
        down = !absent;
      }
      context.stroke();
    }
  }

  #most(at) {
    let most = 0;
    for (const point of this.points) if (point[at] > most) most = point[at];
    return most;
  }
}
