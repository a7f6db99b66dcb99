// The cards: one total each, with its change.

import { NOTHING, change, element, labelOf, shownOf, written } from "./format.js";

// Only these changes are coloured: for other series, more is neither better nor worse.
const BETTER_UP = new Set(["rate_percent"]);
const BETTER_DOWN = new Set(["average_response_time"]);
// Dify does not report how many messages were liked twice.
const NOTES = { rate_percent: "An estimate over several days or apps: Dify counts a message with two likes twice" };

export function showTotals(list, totals) {
  // Averages without a known weight, and users of several days, have no total.
  const names = shownOf(totals).filter((name) => totals[name].total !== null);
  list.replaceChildren(...names.map((name) => card(name, totals[name])));
}

function card(name, series) {
  return element(
    "div",
    { class: "card", "data-name": name, ...(name in NOTES && { title: NOTES[name] }) },
    element("dt", {}, labelOf(name)),
    element("dd", { class: "number" }, written(name, series.total)),
    element("dd", { class: `change ${toneOf(name, series.change)}` }, ...changeOf(name, series)),
  );
}

function changeOf(name, series) {
  const relative = series.change?.relative;
  if (relative === null || relative === undefined) return ["nothing to compare with"];
  const before = element("span", { class: "quiet" }, `from ${written(name, series.previous?.total) ?? NOTHING}`);
  return [change(relative), " ", before];
}

function toneOf(name, changed) {
  const relative = changed?.relative ?? 0;
  if (relative === 0) return "";
  if (BETTER_UP.has(name)) return relative > 0 ? "good" : "bad";
  if (BETTER_DOWN.has(name)) return relative < 0 ? "good" : "bad";
  return "";
}
