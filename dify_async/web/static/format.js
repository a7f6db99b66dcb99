// Formats numbers, dates and names, and makes elements.

const MAX_NAME = 120;
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const percent = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 0 });
const relative = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 0, signDisplay: "exceptZero" });

export const NOTHING = "–";

// Money is exact, so it is text in JSON.
export const asNumber = (value) => (value === null || value === undefined ? null : Number(value));

export const count = (number) => (Math.abs(number) >= 1000 ? whole : short).format(number);

export function money(value, currency) {
  const number = Number(value);
  const size = Math.abs(number);
  const digits = size === 0 || size >= 1 ? 2 : 4;
  const options = size > 0 && size < 0.01 ? { minimumSignificantDigits: 3, maximumSignificantDigits: 3 } : { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return `${number.toLocaleString("en", options)} ${currency}`;
}

export const onAxis = (number) => (number === null ? "" : compact.format(number));

export const share = (part) => percent.format(part);

export const change = (part) => relative.format(part);

export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

export function shortened(name, length = MAX_NAME) {
  const letters = [...name.slice(0, 4 * length)];
  const isLong = name.length > 4 * length || letters.length > length;
  return isLong ? letters.slice(0, length).join("") + "…" : name;
}

export const dayOf = (iso) =>
  new Date(`${iso}T00:00:00Z`).toLocaleDateString("en", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });

export const monthOf = (iso) => new Date(`${iso}T00:00:00Z`).toLocaleDateString("en", { month: "long", timeZone: "UTC" });

export const timeOf = (date) => date.toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", hour12: false });

// A time in Unix seconds, in the account's time zone.
export function momentOf(seconds, zone) {
  if (seconds === null || seconds === undefined) return NOTHING;
  const options = { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hour12: false };
  const date = new Date(seconds * 1000);
  try {
    return date.toLocaleString("en", { ...options, timeZone: zone });
  } catch {
    return date.toLocaleString("en", { ...options, timeZone: "UTC", timeZoneName: "short" });
  }
}

// An element with its children; text is never parsed as HTML.
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
