// The series of numbers: their names, order and units.

import { NOTHING, asNumber, count, money } from "./format.js";

const MONEY = "token_costs_";
// In the order of cards and charts; money comes first. Other series are parts of these.
const LABELS = {
  daily_messages: "Messages",
  workflow_daily_runs: "Workflow runs",
  tokens: "Tokens",
  daily_end_users: "End users",
  workflow_daily_end_users: "Workflow end users",
  rate_percent: "Liked messages",
  daily_conversations: "Conversations",
  average_response_time: "Response time",
  tokens_per_second: "Tokens per second",
  average_session_interactions: "Messages per conversation",
  workflow_average_interactions: "Runs per user",
};
const SUFFIXES = { rate_percent: "%", average_response_time: " ms" };

export const isMoney = (name) => name.startsWith(MONEY);

export const currencyOf = (name) => name.slice(MONEY.length);

export const moneyOf = (series) => Object.keys(series).filter(isMoney).sort();

export const labelOf = (name) => (isMoney(name) ? `Cost in ${currencyOf(name)}` : LABELS[name]);

// Numbers in charts have no unit.
export const titleOf = (name) => labelOf(name) + (name in SUFFIXES ? `, ${SUFFIXES[name].trim()}` : "");

// The series to show, in order.
export const shownOf = (series) => [...moneyOf(series), ...Object.keys(LABELS).filter((name) => name in series)];

export function written(name, value) {
  if (value === null || value === undefined) return NOTHING;
  return isMoney(name) ? money(value, currencyOf(name)) : count(Number(value)) + (SUFFIXES[name] ?? "");
}

export const totalOf = (series, name) => asNumber(series[name]?.total);

// The cost per message in each currency: [currency, cost, cost in the previous period], null if not known.
export function costsPerMessage(series) {
  return moneyOf(series).map((name) => [
    currencyOf(name),
    ratio(series[name]?.total, series.daily_messages?.total),
    ratio(series[name]?.previous?.total, series.daily_messages?.previous?.total),
  ]);
}

function ratio(cost, messages) {
  return cost === null || cost === undefined || !messages ? null : Number(cost) / messages;
}

// Whether nothing happened: all counts are zero, and nothing has an average.
export const isIdle = (series) => Object.values(series).every(({ total, values }) => !Number(total) && values.every((value) => !Number(value)));
