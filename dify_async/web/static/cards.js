// The cards: one total each, with its change.

import { change, element, money } from "./format.js";
import { costsPerMessage, isMoney, labelOf, shownOf, written } from "./series.js";

// Only these changes are coloured: for other series, more is neither better nor worse.
const BETTER_UP = new Set(["rate_percent"]);
const BETTER_DOWN = new Set(["average_response_time"]);
// Dify does not report how many messages were liked twice.
const NOTES = { rate_percent: "An estimate over several days or apps: Dify counts a message with two likes twice" };

export function showCards(list, totals) {
  // Averages without a known weight, and users of several days, have no total.
  const names = shownOf(totals).filter((name) => totals[name].total !== null);
  const costs = names.filter(isMoney).map((name) => card(name, totals[name]));
  const others = names.filter((name) => !isMoney(name)).map((name) => card(name, totals[name]));
  const ratios = costsPerMessage(totals).filter(([, cost]) => cost !== null);
  list.replaceChildren(...costs, ...ratios.map(ratioCard), ...others);
}

function card(name, series) {
  const relative = series.change?.relative ?? null;
  const before = written(name, series.previous?.total);
  return made(name, labelOf(name), written(name, series.total), relative, before, toneOf(name, relative));
}

function ratioCard([currency, cost, before]) {
  const relative = before ? cost / before - 1 : null;
  return made(`cost_per_message_${currency}`, "Cost per message", money(cost, currency), relative, before === null ? "" : money(before, currency), "");
}

function made(name, label, value, relative, before, tone) {
  const changed =
    relative === null
      ? [element("span", { class: "quiet" }, "nothing to compare with")]
      : [change(relative), element("span", { class: "quiet" }, `previously ${before}`)];
  return element(
    "div",
    { class: "card", "data-name": name, ...(name in NOTES && { title: NOTES[name] }) },
    element("dt", {}, label),
    element("dd", { class: "number" }, value),
    element("dd", { class: `change ${tone}` }, ...changed),
  );
}

function toneOf(name, relative) {
  if (!relative) return "";
  if (BETTER_UP.has(name)) return relative > 0 ? "good" : "bad";
  if (BETTER_DOWN.has(name)) return relative < 0 ? "good" : "bad";
  return "";
}
