// Formats numbers and names.

const LONGEST_NAME = 120;
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const share = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 0, signDisplay: "exceptZero" });

export const NOTHING = "–";

const LABELS = {
  daily_messages: "Messages",
  daily_conversations: "Conversations",
  daily_end_users: "End users",
  average_session_interactions: "Messages a conversation",
  tokens_per_second: "Tokens a second",
  rate_percent: "Liked messages",
  average_response_time: "Response time",
  workflow_daily_runs: "Workflow runs",
  workflow_daily_end_users: "Workflow end users",
  workflow_average_interactions: "Runs a user",
  tokens: "Tokens",
};
const MONEY = "token_costs_";
const SUFFIXES = { rate_percent: "%", average_response_time: " ms" };

// The order of cards and charts; other series are shown elsewhere, or are part of these.
export const SHOWN = Object.keys(LABELS);

export const isMoney = (name) => name.startsWith(MONEY);

export const labelOf = (name) => (isMoney(name) ? `Cost in ${name.slice(MONEY.length)}` : LABELS[name]);

// Numbers in charts have no unit.
export const titleOf = (name) => labelOf(name) + (name in SUFFIXES ? `, ${SUFFIXES[name].trim()}` : "");

// The series to show, in order; money follows the tokens.
export function shownOf(series) {
  return [...SHOWN, ...Object.keys(series).filter(isMoney).sort()].filter((name) => name in series);
}

// Money is exact, so it is text in JSON.
export const asNumber = (value) => (value === null ? null : Number(value));

export function written(name, value) {
  if (value === null || value === undefined) return NOTHING;
  const number = Number(value);
  if (isMoney(name)) return money(number, name.slice(MONEY.length));
  return (Math.abs(number) >= 1000 ? whole : short).format(number) + (SUFFIXES[name] ?? "");
}

function money(number, currency) {
  const digits = number !== 0 && Math.abs(number) < 1 ? 4 : 2;
  return `${number.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${currency}`;
}

export const onAxis = (number) => (number === null ? "" : compact.format(number));

export const change = (relative) => share.format(relative);

export function shortened(name) {
  const letters = [...name.slice(0, 4 * LONGEST_NAME)];
  const isLong = name.length > 4 * LONGEST_NAME || letters.length > LONGEST_NAME;
  return isLong ? letters.slice(0, LONGEST_NAME).join("") + "…" : name;
}

export const dayOf = (iso) =>
  new Date(`${iso}T00:00:00Z`).toLocaleDateString("en", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });

// An element with its children; text is never parsed as HTML.
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
