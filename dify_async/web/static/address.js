// What the page shows. It is in the address, so that every view can be bookmarked, shared, and left with "back".

const DEFAULTS = {
  days: "30",
  start: "",
  last: "",
  mode: "",
  app: "",
  conversation: "",
  sort: "-cost",
  filter: "",
  charts: "",
  refresh: "",
};
const CHOICES = { days: ["7", "30", "90"], refresh: ["", "1", "5", "15"], charts: ["", "all"] };

const listeners = [];

export const isCustom = ({ start, last } = view) => Boolean(start || last);

export const view = fromAddress();

function fromAddress() {
  const query = new URLSearchParams(location.search);
  const found = Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, query.get(name) ?? DEFAULTS[name]]));
  for (const [name, choices] of Object.entries(CHOICES)) {
    if (!choices.includes(found[name])) found[name] = DEFAULTS[name];
  }
  return isCustom(found) ? found : { ...found, start: "", last: "" };
}

export function addressOf(changes) {
  const changed = { ...view, ...changes };
  const pairs = Object.entries(changed).filter(([name, value]) => value !== DEFAULTS[name]);
  return `?${new URLSearchParams(pairs)}`;
}

// Shows another view; a new entry of the history unless `isSmall`, as for each letter of the filter.
export function show(changes, { isSmall = false } = {}) {
  const before = { ...view };
  const address = addressOf(changes);
  Object.assign(view, changes);
  if (isSmall) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  for (const listener of listeners) listener(before);
}

// A link to another view, which the browser can also open in a new tab.
export function linkTo(link, changes) {
  link.href = addressOf(changes);
  link.addEventListener("click", (event) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    show(changes);
  });
  return link;
}

// Calls `listener` with the previous view after each change.
export const onShow = (listener) => listeners.push(listener);

addEventListener("popstate", () => {
  const before = { ...view };
  Object.assign(view, fromAddress());
  for (const listener of listeners) listener(before);
});

// The query of the numbers of a view, for the service.
export function queryOf({ days = DEFAULTS.days, start, last, mode, app }) {
  const query = isCustom({ start, last }) ? { start, last } : { days };
  if (app) query.app = app;
  else if (mode) query.mode = mode;
  return new URLSearchParams(query).toString();
}
