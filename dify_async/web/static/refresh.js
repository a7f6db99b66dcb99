// Automatic refresh: every 1, 5 or 15 minutes while the page is visible, through the service's shared feed.

import { isCustom, show, view } from "./address.js";
import { store } from "./store.js";

let timer = 0;

// Calls `onDue` with the largest age of the numbers in seconds, whenever a refresh is due.
export function keepFresh(select, onDue) {
  const schedule = () => {
    clearTimeout(timer);
    select.value = view.refresh;
    // A fixed range does not move with the days.
    select.disabled = isCustom();
    select.title = isCustom() ? "Only for ranges that end today" : "";
    if (!view.refresh || isCustom() || !store.isDone || document.hidden) return;
    const interval = Number(view.refresh) * 60;
    const due = store.at.getTime() + interval * 1000 - Date.now();
    // Another page may have refreshed the same numbers shortly before.
    timer = setTimeout(() => onDue(Math.floor(interval / 2)), Math.max(due, 0));
  };
  select.addEventListener("change", () => show({ refresh: select.value }, { isSmall: true }));
  document.addEventListener("visibilitychange", schedule);
  return schedule;
}
