// The numbers of one query: read as a stream, app by app, and refreshed as a whole.

import { get, listen, problemOf } from "./service.js";

export const store = empty("");

let stop = () => {}; // the reading under way

function empty(query) {
  return { query, days: [], today: "", zone: "", isOpen: false, apps: new Map(), totals: {}, problems: {}, isDone: false, at: null };
}

// Reads the numbers of a query. The old ones stay until the first part arrives.
export function load(query, { onPart, onDone, onFail }) {
  stop();
  let isFresh = true;
  const part = (data) => {
    if (isFresh) Object.assign(store, empty(query));
    isFresh = false;
    add(data);
    onPart(data);
  };
  const done = () => {
    store.isDone = true;
    store.at = new Date();
    onDone();
  };
  stop = listen(`api/numbers?${query}`, { part }, done, onFail);
}

// Replaces the numbers by ones that are at most `maxAge` seconds old; the problem if that failed.
export async function refresh(maxAge) {
  const { query } = store;
  try {
    const { age, problem, part } = await get(`api/snapshot?${query}&max_age=${maxAge}`);
    if (store.query !== query || !store.isDone) return null; // the user went elsewhere
    Object.assign(store, empty(query));
    add(part);
    store.isDone = true;
    store.at = new Date(Date.now() - age * 1000);
    return problem;
  } catch (error) {
    return problemOf(error);
  }
}

function add({ problems, dashboard }) {
  store.days = dashboard.days;
  store.zone = dashboard.period.zone;
  store.today = dashboard.period.today;
  store.isOpen = dashboard.period.is_open;
  for (const app of dashboard.apps) store.apps.set(app.app_id, app);
  Object.assign(store.problems, problems);
  if (Object.keys(dashboard.totals).length > 0) store.totals = dashboard.totals;
}
