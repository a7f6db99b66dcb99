// Reads the numbers of the view in the address, and draws them.

import { linkTo, onShow, queryOf, show, view } from "./address.js";
import { showCards } from "./cards.js";
import { forgetCharts, showCharts } from "./charts.js";
import { showChoice } from "./choice.js";
import { showConversations, showMessages } from "./conversations.js";
import { showMonth, showShares } from "./costs.js";
import { dayOf, element, plural, shortened, timeOf } from "./format.js";
import { problemBox } from "./problems.js";
import { keepFresh } from "./refresh.js";
import { isIdle, moneyOf } from "./series.js";
import { get, problemOf } from "./service.js";
import { load, refresh, store } from "./store.js";
import { makeHeadings, showApps } from "./table.js";
import { offerUsage } from "./usage.js";

const DRAW_INTERVAL = 150; // milliseconds; longer while drawing takes long
const THEMES = ["auto", "light", "dark"];

const find = (id) => document.getElementById(id);
const table = find("apps");

let asked = ""; // the query under way, or shown
let drawing = 0; // the timer of the next drawing
let drawingTook = 0; // milliseconds
let month = { path: "", at: null }; // whose costs of the month are shown
let talks = ""; // whose conversations or messages are shown

// Reading.

function read() {
  const wrong = showChoice();
  if (wrong) {
    fail({ what: "This range cannot be shown.", advice: wrong, can_retry: false, detail: "" });
    return;
  }
  const everything = queryOf({ ...view, app: "" });
  // An app of numbers that are there already needs no others.
  if (asked === everything && (!view.app || store.apps.has(view.app))) drawNow();
  else if (asked !== queryOf(view)) start(queryOf(view));
  else drawNow();
}

function start(query) {
  asked = query;
  find("failure").hidden = true;
  document.body.setAttribute("aria-busy", "true");
  say(view.app ? "Loading the app…" : "Loading the apps…");
  find("progress").removeAttribute("value");
  load(query, {
    onPart: ({ done, total }) => {
      find("progress").max = Math.max(total, 1);
      find("progress").value = done;
      find("status").textContent = `${done} of ${plural(total, "app")}`;
      drawing ||= setTimeout(drawNow, Math.max(DRAW_INTERVAL, 4 * drawingTook));
    },
    onDone: () => {
      end();
      find("progress").value = find("progress").max;
      sayAge();
    },
    onFail: fail,
  });
}

function end() {
  document.body.removeAttribute("aria-busy");
  drawNow();
}

// The page keeps the old numbers, marked as old.
function fail(problem) {
  asked = "";
  end();
  find("progress").value = find("progress").value || 0; // stops the indeterminate animation
  const what = store.apps.size > 0 ? { ...problem, advice: `${problem.advice} The numbers below are not complete or not new.` } : problem;
  showFailure(what, read);
  say(""); // the problem is announced instead
}

function showFailure(problem, retry) {
  find("failure").hidden = !problem;
  find("failure").replaceChildren(...(problem ? [problemBox(problem, retry)] : []));
}

const schedule = keepFresh(find("refresh"), refreshNow);

async function refreshNow(maxAge) {
  const problem = await refresh(maxAge);
  showFailure(problem && { ...problem, advice: `${problem.advice} The numbers below are as of ${timeOf(store.at)}.` }, () => refreshNow(maxAge));
  if (problem) store.at = new Date(); // the next attempt is due after a whole interval
  else sayAge();
  drawNow();
}

const sayAge = () => say(store.apps.size === 0 ? "There are no apps here." : `${plural(store.apps.size, "app")}, as of ${timeOf(store.at)}`);

// Shown and announced. The number of apps so far is only shown, since it changes with each app.
function say(text) {
  find("status").textContent = find("spoken").textContent = text;
}

// Drawing.

function drawNow() {
  clearTimeout(drawing);
  drawing = 0;
  const begun = performance.now();
  schedule();
  const app = store.apps.get(view.app);
  const { days, zone } = store;
  find("range").textContent = days.length > 0 ? `${dayOf(days[0])} to ${dayOf(days.at(-1))}, days in ${zone}` : "\u00a0";
  drawHead(app);
  drawNumbers(app);
  drawTalks(app);
  drawTable();
  drawingTook = performance.now() - begun;
}

function drawHead(app) {
  find("crumbs").hidden = find("app-head").hidden = !view.app;
  const name = app ? shortened(app.app_name) || app.app_id : "App";
  document.title = view.app ? `${shortened(name, 60)} – Dify dashboard` : "Dify dashboard";
  if (!view.app) return;
  const crumbs = [linkTo(element("a", {}, "All apps"), { app: "", conversation: "" })];
  if (view.conversation) crumbs.push("›", linkTo(element("a", { dir: "auto" }, shortened(name, 60)), { conversation: "" }));
  find("crumbs").replaceChildren("←", ...crumbs);
  const head = [element("h2", { class: "name", dir: "auto" }, name)];
  if (app?.mode) head.push(element("span", { class: "badge" }, app.mode));
  const address = `${document.body.dataset.console}/app/${encodeURIComponent(view.app)}/overview`;
  head.push(element("a", { href: address, target: "_blank", rel: "noopener noreferrer", class: "button" }, "Open in Dify"));
  const problems = new Map((store.problems[view.app] ?? []).map((problem) => [problem.what, problem]));
  const boxes = [...problems.values()].map((problem) => problemBox(problem, () => start(asked)));
  find("app-head").replaceChildren(element("div", { class: "app-title" }, ...head), ...boxes);
}

// The totals, the costs and the charts of all apps or of one app; hidden while messages are shown.
function drawNumbers(app) {
  const series = view.conversation || (view.app && !app) ? {} : app ? app.series : store.totals;
  const isLoading = document.body.hasAttribute("aria-busy");
  const isQuiet = store.isDone && Object.keys(series).length > 0 && isIdle(series);
  find("summary").hidden = find("by-day").hidden = Boolean(view.conversation) || (store.isDone && Object.keys(series).length === 0);
  find("hint").textContent = isLoading && !app ? "so far" : store.isOpen && !isQuiet ? "changes compare complete days" : "";
  find("totals-title").textContent = view.app ? "Totals" : "All apps";
  find("no-traffic").hidden = !isQuiet;
  find("by-day").hidden ||= isQuiet;
  const active = isQuiet ? {} : series;
  showCards(find("totals"), active);
  const more = showCharts(find("charts"), store, active, view.charts === "all");
  find("more").hidden = more === 0;
  find("more").textContent = view.charts === "all" ? "Show fewer charts" : `Show ${plural(more, "more chart")}`;
  find("more").setAttribute("aria-expanded", String(view.charts === "all"));
  find("costs").hidden = moneyOf(series).length === 0;
  showShares(find("shares"), app ? { ...store, totals: {} } : { ...store, totals: series });
  if (!find("costs").hidden && store.isDone) drawMonth();
  find("who").hidden = find("by-day").hidden || !store.isDone;
  offerUsage(find("usage"), queryOf(view));
}

function drawMonth() {
  const path = `api/month?${queryOf({ mode: view.mode, app: view.app })}`;
  if (month.path === path && month.at === store.at) return;
  const current = (month = { path, at: store.at });
  get(path).then(
    (costs) => month === current && showMonth(find("month"), costs),
    (error) => month === current && find("month").replaceChildren(problemBox(problemOf(error))),
  );
}

function drawTalks(app) {
  // An app without a mode could not be read.
  find("conversations").hidden = !app?.mode;
  const wanted = app?.mode ? [view.app, view.conversation, asked].join() : "";
  if (wanted === talks) return;
  talks = wanted;
  find("talks").replaceChildren();
  if (!wanted) return;
  const place = { app: view.app, conversation: view.conversation, mode: app.mode, zone: store.zone };
  find("conversations-title").textContent = view.conversation ? "Messages, latest first" : app.mode === "workflow" ? "Latest runs" : "Latest conversations";
  if (view.conversation) showMessages(find("talks"), place);
  else showConversations(find("talks"), place);
}

function drawTable() {
  find("all-apps").hidden = Boolean(view.app);
  const { apps, problems } = store;
  if (find("filter").value !== view.filter) find("filter").value = view.filter;
  find("export").hidden = !store.isDone;
  find("export").href = `api/numbers.csv?${store.query}`;
  if (view.app) return;
  const shown = showApps(table, store);
  const failed = Object.keys(problems).length;
  const parts = [
    view.filter.trim() && `${shown} of ${plural(apps.size, "app")} match.`,
    failed && `${plural(failed, "app")} could not be read in full; see below ${failed === 1 ? "its name" : "their names"}.`,
  ];
  find("errors").textContent = parts.filter(Boolean).join(" ");
}

// Controls.

function showTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  find("theme").textContent = `Theme: ${theme}`;
  forgetCharts();
  drawNow();
}

find("theme").addEventListener("click", () => {
  const theme = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme ?? "auto") + 1) % THEMES.length];
  localStorage.setItem("theme", theme);
  showTheme(theme);
});
find("filter").addEventListener("input", ({ target }) => show({ filter: target.value }, { isSmall: true }));
find("more").addEventListener("click", () => show({ charts: view.charts === "all" ? "" : "all" }, { isSmall: true }));

onShow((before) => {
  if (view.app !== before.app || view.conversation !== before.conversation) scrollTo(0, 0);
  read();
});

find("demo").hidden = !("demo" in document.body.dataset);
makeHeadings(table);
showTheme(document.documentElement.dataset.theme ?? "auto");
read();
