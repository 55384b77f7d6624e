// Four plots of how it went: calls, response, restarts, cost. Drawn by uPlot (./uplot).
//
// Each says its newest point in words, or the one below the pointer. To drag over a part shows that
// part in all of them, a double click all again.

import { by, clock, colours, ms, number, put, usd } from "./parts.js";
import uPlot from "./uplot/uPlot.esm.js";

const MOST = 10000;
const HEIGHT = 132;
const [AT, CALLS, RESTARTS, MEDIAN, P95, USD] = [0, 1, 2, 3, 4, 5];

/** Steps of what there is no half of. */
const WHOLE = [1, 2, 5].flatMap((each) => [1, 10, 100, 1000].map((times) => each * times)).sort((a, b) => a - b);

const PLOTS = [
  {
    id: "plot-calls",
    series: [[CALLS, "accent"]],
    axis: number,
    incrs: WHOLE,
    least: 1,
    text: (p) => `${number(p[CALLS])} ${p[CALLS] === 1 ? "call" : "calls"}`,
  },
  {
    id: "plot-response",
    series: [
      [P95, "odd"],
      [MEDIAN, "agent"],
    ],
    axis: (value) => `${Math.round(value * 1000)}`,
    least: 1,
    text: (p) => (p[MEDIAN] ? `${ms(p[MEDIAN])}, 95 % ${ms(p[P95])}` : "no answer"),
    gaps: true,
  },
  {
    id: "plot-restarts",
    series: [[RESTARTS, "bad"]],
    axis: number,
    incrs: WHOLE,
    least: 1,
    text: (p) => `${number(p[RESTARTS])} in 5 s`,
  },
  {
    id: "plot-cost",
    series: [[USD, "caller"]],
    axis: (value) => `${+(value * 100).toPrecision(3)}`,
    least: 0.01,
    text: (p) => `${usd(p[USD])} in 5 s`,
  },
];

export class Plots {
  constructor() {
    this.columns = [[], [], [], [], [], []];
    this.drawn = [];
    this.asked = 0;
    this.near = null;
    const sizes = new ResizeObserver(() => this.#resize());
    for (const plot of PLOTS) sizes.observe(by(plot.id));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      for (const { chart } of this.drawn) chart.destroy();
      this.drawn = [];
      this.soon();
    });
  }

  clear() {
    for (const column of this.columns) column.length = 0;
  }

  /** Points as the node tells them, a list of six figures each, oldest first. */
  add(points) {
    this.columns.forEach((column, at) => {
      for (const point of points) column.push(point[at]);
      if (column.length > MOST) column.splice(0, column.length - MOST);
    });
    this.soon();
  }

  soon() {
    this.asked ||= requestAnimationFrame(() => {
      this.asked = 0;
      this.draw();
    });
  }

  draw() {
    if (!this.drawn.length) this.#make();
    const { columns } = this;
    for (const { plot, chart } of this.drawn) {
      chart.setData([columns[AT], ...plot.series.map(([at]) => shown(columns[at], plot.gaps))]);
    }
    this.#tell();
  }

  #make() {
    const named = colours();
    this.drawn = PLOTS.map((plot) => {
      const place = by(plot.id);
      place.replaceChildren();
      return { plot, chart: new uPlot(this.#options(plot, place, named), null, place) };
    });
  }

  #options(plot, place, named) {
    const axis = {
      stroke: named.soft,
      font: "11px system-ui, sans-serif",
      grid: { stroke: named.faint, width: 1 },
      ticks: { show: false },
    };
    return {
      width: Math.max(place.clientWidth, 100),
      height: HEIGHT,
      legend: { show: false },
      padding: [8, 20, 6, 0],
      cursor: {
        sync: { key: "console" },
        y: false,
        points: { size: 6 },
        drag: { x: true, y: false, setScale: true },
      },
      scales: { y: { range: (_, __, most) => [0, most > 0 ? most * 1.1 : plot.least] } },
      axes: [
        { ...axis, grid: { show: false }, size: 22, space: 70, values: ticks },
        { ...axis, size: 38, space: 28, incrs: plot.incrs, values: (_, values) => values.map(plot.axis) },
      ],
      series: [
        {},
        ...plot.series.map(([, colour]) => ({
          stroke: named[colour],
          fill: plot.series.length === 1 ? `${named[colour]}22` : undefined,
          width: 1.5,
          points: { show: plot.gaps ? undefined : false, size: 4 },
        })),
      ],
      hooks: {
        setCursor: [
          (chart) => {
            this.near = chart.cursor.idx;
            this.#tell();
          },
        ],
      },
    };
  }

  /** Say what stands below the pointer, or what came last. */
  #tell() {
    const last = this.columns[AT].length - 1;
    const at = this.near != null && this.near <= last ? this.near : last;
    if (at < 0) return;
    const point = this.columns.map((column) => column[at]);
    const when = at === last ? "" : `${clock(point[AT])}: `;
    for (const { id, text } of PLOTS) put(by(`${id}-text`), when + text(point));
  }

  #resize() {
    for (const { plot, chart } of this.drawn) {
      const width = by(plot.id).clientWidth;
      if (width && width !== chart.width) chart.setSize({ width, height: HEIGHT });
    }
  }
}

/** Where nobody was answered there is no time to draw. */
const shown = (column, gaps) => (gaps ? column.map((value) => value || null) : column);

/** The times below a plot, with seconds where its steps are shorter than a minute. */
const ticks = (chart, times) => {
  if (chart.data[0].length < 2) return times.map(() => "");
  const second = times.length > 1 && times[1] - times[0] < 60 ? { second: "2-digit" } : {};
  return times.map((at) =>
    new Date(at * 1000).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", ...second }),
  );
};
