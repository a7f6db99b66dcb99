// The selection, the stream of numbers, and when the page is drawn.

import { forgetCharts, showCharts } from "./charts.js";
import { dayOf } from "./format.js";
import { makeHeadings, showApps } from "./table.js";
import { showTotals } from "./totals.js";

const DRAW_INTERVAL = 150; // milliseconds
const DAY = 86_400_000;
const MAX_DAYS = 366; // the limit of the service
const THEMES = ["auto", "light", "dark"];

const find = (id) => document.getElementById(id);
const [form, custom, status, progress, failure] = ["choice", "custom", "status", "progress", "failure"].map(find);
const table = find("apps");

let source = null;
let days = [];
let apps = new Map(); // by id
let totals = {};
let drawing = 0; // the timer of the next drawing

// The selection is in the URL, so that a view can be bookmarked and shared.

function choiceOfAddress() {
  const query = new URLSearchParams(location.search);
  const isCustom = query.has("start") && query.has("last");
  form.elements.days.value = isCustom ? "custom" : ["7", "90"].find((one) => one === query.get("days")) ?? "30";
  if (isCustom) for (const name of ["start", "last"]) form.elements[name].value = query.get(name);
  form.elements.mode.value = query.get("mode") ?? "";
  if (form.elements.mode.selectedIndex < 0) form.elements.mode.value = "";
  openCustom(isCustom);
}

function openCustom(isOpen) {
  custom.hidden = custom.disabled = !isOpen;
}

function chosen() {
  const { days: range, start, last, mode } = form.elements;
  const query = new URLSearchParams(range.value === "custom" ? { start: start.value, last: last.value } : { days: range.value });
  if (mode.value) query.set("mode", mode.value);
  return query;
}

function checkDates() {
  const { start, last } = form.elements;
  const length = (last.valueAsNumber - start.valueAsNumber) / DAY + 1; // NaN if one is empty
  const isWrong = length < 1 || length > MAX_DAYS;
  last.setCustomValidity(isWrong ? `Choose 1 to ${MAX_DAYS} days; these are ${length}.` : "");
}

// Numbers.

function load() {
  const query = chosen();
  history.replaceState(null, "", `?${query}`);
  source?.close();
  failure.hidden = true;
  document.body.setAttribute("aria-busy", "true");
  say("Asking for the apps…");
  progress.removeAttribute("value");
  let isFresh = true;
  source = new EventSource(`/numbers?${query}`);
  source.addEventListener("part", ({ data }) => {
    const { done, total, dashboard } = JSON.parse(data);
    if (isFresh) begin(dashboard);
    isFresh = false;
    for (const app of dashboard.apps) apps.set(app.app_id, app);
    if (Object.keys(dashboard.totals).length > 0) totals = dashboard.totals;
    progress.max = Math.max(total, 1);
    progress.value = done;
    status.textContent = `${done} of ${total} apps`;
    draw();
  });
  source.addEventListener("done", () => {
    end();
    progress.value = progress.max;
    const hour = new Date().toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", hour12: false });
    say(apps.size === 0 ? "There are no apps here." : `${apps.size} apps, as of ${hour}`);
  });
  source.addEventListener("failed", ({ data }) => fail(JSON.parse(data).reason));
  source.addEventListener("error", () => fail("The dashboard's own service does not answer."));
}

// Shown and announced. The number of apps is only shown, since it changes with each app.
function say(text) {
  status.textContent = find("spoken").textContent = text;
}

function begin({ period, days: range }) {
  apps = new Map();
  totals = {};
  days = range;
  find("range").textContent = `${dayOf(days[0])} to ${dayOf(days.at(-1))}, days of ${period.zone}`;
}

function end() {
  source?.close();
  document.body.removeAttribute("aria-busy");
  drawNow();
}

// The page keeps the old numbers, marked as old.
function fail(reason) {
  end();
  progress.value = progress.value || 0; // stops the indeterminate animation
  failure.firstElementChild.textContent = apps.size > 0 ? `${reason} What is shown is not complete or not new.` : reason;
  failure.hidden = false;
  say(""); // the error message is announced instead
}

// Drawing.

function draw() {
  drawing ||= setTimeout(drawNow, DRAW_INTERVAL);
}

function drawNow() {
  clearTimeout(drawing);
  drawing = 0;
  showTotals(find("totals"), totals);
  showCharts(find("charts"), days, totals);
  drawTable();
}

function drawTable() {
  const filter = find("filter").value;
  const shown = showApps(table, [...apps.values()], filter);
  const failed = [...apps.values()].filter((app) => Object.keys(app.errors).length > 0).length;
  const parts = [filter.trim() && `${shown} of ${apps.size} apps match.`, failed && failures(failed)];
  find("errors").textContent = parts.filter(Boolean).join(" ");
}

const failures = (count) =>
  count === 1 ? "1 app could not be read in full; it says so below its name." : `${count} apps could not be read in full; they say so below their names.`;

function showTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  find("theme").textContent = `Theme: ${theme}`;
  forgetCharts();
  showCharts(find("charts"), days, totals);
}

find("theme").addEventListener("click", () => {
  const theme = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme ?? "auto") + 1) % THEMES.length];
  localStorage.setItem("theme", theme);
  showTheme(theme);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => showTheme(document.documentElement.dataset.theme ?? "auto"));
form.addEventListener("change", ({ target }) => {
  if (target.name === "days") openCustom(target.value === "custom");
  // Reported on submit only: a message takes the focus while a date is being typed.
  if (target.type === "date") checkDates();
  else if (form.elements.days.value !== "custom" || target.name === "mode") if (form.checkValidity()) load();
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  checkDates();
  if (form.reportValidity()) load();
});
failure.querySelector("button").addEventListener("click", () => form.reportValidity() && load());
find("filter").addEventListener("input", drawTable);

makeHeadings(table, drawTable);
choiceOfAddress();
checkDates();
showTheme(document.documentElement.dataset.theme ?? "auto");
// A URL may have any range.
if (form.checkValidity()) load();
else fail(`This range cannot be shown: ${[...form.elements].find((one) => !one.checkValidity()).validationMessage}`);
