// One chart per metric: this period as a filled line, the previous one as a dashed line.

/* global uPlot */
import { asNumber, dayOf, element, labelOf, onAxis, shownOf, titleOf, written } from "./format.js";

const HEIGHT = 170;
const charts = new Map(); // by series name: { figure, plot, observer }

export function showCharts(place, days, totals) {
  const names = shownOf(totals).filter((name) => totals[name].values.some((value) => value !== null));
  for (const [name, chart] of charts) {
    if (!names.includes(name) || chart.days !== days.join()) remove(name);
  }
  const figures = names.map((name) => {
    const series = totals[name];
    const data = dataOf(days, series);
    const chart = charts.get(name) ?? make(name, days, data);
    chart.plot.setData(data);
    const text = summary(name, days, series);
    chart.figure.querySelector("[role=img]").setAttribute("aria-label", text);
    return chart.figure;
  });
  // Moving a figure that is already in place would lose the focus inside it.
  if (figures.some((figure, place_) => place.children[place_] !== figure) || place.children.length !== figures.length) {
    place.replaceChildren(...figures);
  }
}

// Colours are read from the style sheet when a chart is made.
export function forgetCharts() {
  for (const name of [...charts.keys()]) remove(name);
}

function remove(name) {
  const { figure, plot, observer } = charts.get(name);
  observer.disconnect();
  plot.destroy();
  figure.remove();
  charts.delete(name);
}

function dataOf(days, series) {
  const seconds = days.map((day) => Date.parse(`${day}T00:00:00Z`) / 1000);
  const before = series.previous?.values ?? [];
  return [seconds, days.map((_, place) => asNumber(before[place] ?? null)), series.values.map(asNumber)];
}

function make(name, days, data) {
  const canvas = element("div", { role: "img" });
  const readout = element("span", { class: "readout" });
  const figure = element("figure", { "data-name": name }, element("figcaption", {}, titleOf(name), readout), canvas);
  const colour = (what) => getComputedStyle(document.documentElement).getPropertyValue(what).trim();
  const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "11px system-ui" };
  const points = { show: false, filter: (u, place) => alone(u.data[place]), size: 6 };
  const plot = new uPlot(
    {
      width: 300,
      height: HEIGHT,
      tzDate: (stamp) => uPlot.tzDate(new Date(stamp * 1000), "UTC"),
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
      scales: { y: { range: (_, least, most) => [Math.min(0, least ?? 0), most > 0 ? most * 1.1 : 1] } },
      series: [
        {},
        { stroke: colour("--edge"), width: 1.5, dash: [4, 4], points },
        { stroke: colour("--accent"), fill: colour("--area"), width: 2, points },
      ],
      axes: [
        { ...axis, size: 28, space: 70, values: "{D} {MMM}" },
        { ...axis, size: 48, values: (_, numbers) => numbers.map(onAxis) },
      ],
      hooks: { setCursor: [(u) => (readout.textContent = readoutOf(name, days, u))] },
    },
    data,
    canvas,
  );
  const observer = new ResizeObserver(([entry]) => plot.setSize({ width: entry.contentRect.width, height: HEIGHT }));
  observer.observe(canvas);
  const chart = { figure, plot, observer, days: days.join() };
  charts.set(name, chart);
  return chart;
}

// A line needs two days: a single day with a value is a point.
const alone = (values) =>
  [...values.keys()].filter((day) => values[day] !== null && (values[day - 1] ?? null) === null && (values[day + 1] ?? null) === null);

function readoutOf(name, days, plot) {
  const place = plot.cursor.idx;
  return place === null || place === undefined ? "" : `${dayOf(days[place])}: ${written(name, plot.data[2][place])}`;
}

function summary(name, days, series) {
  const known = series.values.map(asNumber).flatMap((value, place) => (value === null ? [] : [[value, place]]));
  const [most, at] = known.reduce((best, one) => (one[0] > best[0] ? one : best));
  const total = series.total === null ? "" : `in all ${written(name, series.total)}, `;
  return `${labelOf(name)} by day: ${total}at most ${written(name, most)} on ${dayOf(days[at])}`;
}
