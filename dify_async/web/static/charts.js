// One chart per series: this period as a filled line that ends with dots for today, the previous one as a dashed line.

/* global uPlot */
import { asNumber, dayOf, element, onAxis } from "./format.js";
import { labelOf, shownOf, titleOf, written } from "./series.js";

const HEIGHT = 170;
const FIRST = 4; // charts that are shown without "more"
const charts = new Map(); // by series name: { figure, plot, observer, days }

// Draws the charts of some series into `place`; returns how many there are beyond the first four.
export function showCharts(place, { days, today }, series, isAll) {
  const all = shownOf(series).filter((name) => series[name].values.some((value) => value !== null));
  const names = isAll ? all : all.slice(0, FIRST);
  for (const [name, chart] of charts) {
    if (!names.includes(name) || chart.days !== days.join()) remove(name);
  }
  const figures = names.map((name) => {
    const data = dataOf(days, today, series[name]);
    const chart = charts.get(name) ?? make(name, days, today, data);
    chart.plot.setData(data);
    chart.figure.querySelector("[role=img]").setAttribute("aria-label", summary(name, days, series[name]));
    return chart.figure;
  });
  // Moving a figure that is already in place would lose the focus inside it.
  if (figures.some((figure, index) => place.children[index] !== figure) || place.children.length !== figures.length) {
    place.replaceChildren(...figures);
  }
  return all.length - Math.min(all.length, FIRST);
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

// Days, previous period, complete days, and the unfinished day with the line to it. Later days have no numbers yet.
function dataOf(days, today, series) {
  const seconds = days.map((day) => Date.parse(`${day}T00:00:00Z`) / 1000);
  const before = (series.previous?.values ?? []).map(asNumber);
  const values = series.values.map(asNumber);
  const complete = values.map((value, index) => (days[index] < today ? value : null));
  const open = days.indexOf(today);
  const end = values.map((value, index) => (open >= 0 && (index === open || index === open - 1) ? value : null));
  return [seconds, days.map((_, index) => before[index] ?? null), complete, open < 0 || values[open] === null ? days.map(() => null) : end];
}

function make(name, days, today, data) {
  const canvas = element("div", { role: "img" });
  const readout = element("span", { class: "readout" });
  const figure = element("figure", { "data-name": name }, element("figcaption", {}, titleOf(name), readout), canvas);
  const colour = (what) => getComputedStyle(document.documentElement).getPropertyValue(what).trim();
  const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "11px system-ui" };
  const points = { show: false, filter: (u, index) => alone(u.data[index]), size: 6 };
  const open = { show: true, filter: (u, index) => [days.indexOf(today)].filter((day) => day >= 0 && u.data[index][day] !== null) };
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
        { stroke: colour("--accent"), width: 1.5, dash: [2, 4], points: { ...open, size: 7, width: 1.5, fill: colour("--panel") } },
      ],
      axes: [
        { ...axis, size: 28, space: 70, values: "{D} {MMM}" },
        { ...axis, size: 48, values: (_, numbers) => numbers.map(onAxis) },
      ],
      hooks: { setCursor: [(u) => (readout.textContent = readoutOf(name, days, today, u))] },
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

function readoutOf(name, days, today, plot) {
  const index = plot.cursor.idx;
  if (index === null || index === undefined) return "";
  const isOpen = days[index] === today;
  const value = plot.data[isOpen ? 3 : 2][index];
  return `${dayOf(days[index])}${isOpen ? " so far" : ""}: ${written(name, value)}`;
}

function summary(name, days, series) {
  const known = series.values.map(asNumber).flatMap((value, index) => (value === null ? [] : [[value, index]]));
  const [most, at] = known.reduce((best, one) => (one[0] > best[0] ? one : best));
  const total = series.total === null ? "" : `${written(name, series.total)} in total, `;
  return `${labelOf(name)} per day: ${total}at most ${written(name, most)} on ${dayOf(days[at])}`;
}
