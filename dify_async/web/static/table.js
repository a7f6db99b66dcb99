// The table of apps: sorted and filtered, with a total row and the errors of each app.

import { addressOf, linkTo, show, view } from "./address.js";
import { NOTHING, change, element, money, plural, shortened, svg } from "./format.js";
import { costsPerMessage, isIdle, moneyOf, totalOf, written } from "./series.js";

// Numbers that add up over apps have a `sum`.
const COLUMNS = [
  { key: "name", title: "App", of: ({ app_name }) => app_name.toLowerCase(), cell: nameCell },
  { key: "cost", title: "Cost", of: costOf, cell: ({ series }) => numberCell(costs(series)) },
  { key: "change", title: "Change", note: "Of the cost since the previous period; of the tokens if Dify reports no cost", of: ({ series }) => changeOf(series)?.relative ?? null, cell: changeCell },
  number("daily_messages", "Messages"),
  number("workflow_daily_runs", "Runs"),
  number("tokens", "Tokens"),
  { key: "ratio", title: "Per message", note: "The cost per message", of: ({ series }) => costsPerMessage(series)[0]?.[1] ?? null, cell: ({ series }) => numberCell(ratios(series)) },
  number("rate_percent", "Liked"),
  { key: "trend", title: "Tokens per day", cell: trendCell },
];

function number(name, title) {
  return { key: name, title, of: ({ series }) => totalOf(series, name), cell: ({ series }) => numberCell(written(name, series[name]?.total)) };
}

const rows = new WeakMap(); // by app

const isNumber = (column) => column.key !== "name" && column.of;

const sorting = () => {
  const key = view.sort.replace(/^-/, "");
  return { column: COLUMNS.find((column) => column.key === key && column.of) ?? COLUMNS[1], isDown: view.sort.startsWith("-") };
};

export function makeHeadings(table) {
  const headings = COLUMNS.map((column) => {
    const heading = element("th", { scope: "col", class: isNumber(column) ? "number" : "", ...(column.note && { title: column.note }) });
    if (!column.of) {
      heading.append(column.title);
      return heading;
    }
    const button = element("button", { type: "button", "data-key": column.key }, column.title);
    button.addEventListener("click", () => {
      const { column: current, isDown } = sorting();
      const down = current === column ? !isDown : isNumber(column);
      show({ sort: `${down ? "-" : ""}${column.key}` }, { isSmall: true });
    });
    heading.append(button);
    return heading;
  });
  table.tHead.rows[0].replaceChildren(...headings);
}

// Returns how many apps match the filter.
export function showApps(table, { apps, totals, problems, days, today, isDone }) {
  const wanted = view.filter.trim().toLowerCase();
  const { column, isDown } = sorting();
  const shown = [...apps.values()]
    .filter(({ app_name: name, mode }) => name.toLowerCase().includes(wanted) || mode.includes(wanted))
    .sort((one, other) => compared(column.of(one), column.of(other), isDown));
  const focused = document.activeElement?.closest("#apps tbody") ? document.activeElement : null;
  table.tBodies[0].replaceChildren(...shown.map((app) => rowOf(app, problems[app.app_id] ?? [], days, today)));
  // The focus stays in its row while more apps arrive.
  if (focused?.isConnected) focused.focus({ preventScroll: true });
  table.tFoot.replaceChildren(...(shown.length > 1 ? [totalRow(shown, wanted ? null : totals, isDone)] : []));
  for (const heading of table.tHead.rows[0].cells) {
    const isSorted = heading.firstElementChild?.dataset.key === column.key;
    if (isSorted) heading.setAttribute("aria-sort", isDown ? "descending" : "ascending");
    else heading.removeAttribute("aria-sort");
  }
  return shown.length;
}

// Unknown values come last in both directions.
function compared(one, other, isDown) {
  if (one === null || other === null) return (one === null) - (other === null);
  const order = typeof one === "string" ? one.localeCompare(other, "en") : one - other;
  return isDown ? -order : order;
}

// An app that has arrived does not change, so its row is made once, and keeps its open list of errors.
function rowOf(app, problems, days, today) {
  let made = rows.get(app);
  if (!made) {
    made = element("tr", { "data-id": app.app_id }, ...COLUMNS.map((column) => column.cell({ ...app, problems, days, today })));
    made.addEventListener("click", ({ target }) => {
      if (!target.closest("a, details") && getSelection().isCollapsed) show({ app: app.app_id, conversation: "" });
    });
    rows.set(app, made);
  }
  made.querySelector("a").href = addressOf({ app: app.app_id, conversation: "" }); // the sorting may have changed
  return made;
}

function nameCell({ app_id: id, app_name: name, mode, series, problems }) {
  const link = linkTo(element("a", { class: "name", dir: "auto" }, shortened(name) || id), { app: id, conversation: "" });
  const isQuiet = problems.length === 0 && isIdle(series);
  const cell = element("th", { scope: "row" }, link, element("span", { class: "quiet mode" }, isQuiet ? `${mode} · No traffic in this period` : mode));
  if (problems.length > 0) {
    const lines = problems.map(({ what, advice, detail }) => element("li", {}, `${what} ${advice}`, element("br"), element("span", { class: "quiet" }, detail)));
    cell.append(element("details", {}, element("summary", {}, `${plural(problems.length, "number")} failed`), element("ul", {}, ...lines)));
  }
  return cell;
}

const numberCell = (...content) => element("td", { class: "number" }, ...content);

// Currencies cannot be compared; most workspaces have one.
function costOf({ series }) {
  const [name] = moneyOf(series);
  return name === undefined ? null : totalOf(series, name);
}

const costs = (series) => moneyOf(series).map((name) => written(name, series[name].total)).join(", ") || NOTHING;

const ratios = (series) => costsPerMessage(series).map(([currency, cost]) => (cost === null ? NOTHING : money(cost, currency))).join(", ") || NOTHING;

const changeOf = (series) => series[moneyOf(series)[0] ?? "tokens"]?.change;

function changeCell({ series }) {
  const relative = changeOf(series)?.relative ?? null;
  if (relative === null) return numberCell(NOTHING);
  return moneyOf(series).length > 0 ? numberCell(change(relative)) : numberCell(change(relative), element("span", { class: "quiet" }, " tokens"));
}

// With a filter, only numbers that add up have a total: averages and changes need more than the rows.
function totalRow(shown, totals, isDone) {
  const label = `${totals ? "All" : ""} ${plural(shown.length, "app")}${isDone ? "" : " so far"}`.trim();
  const series = totals ?? sums(shown);
  const cells = COLUMNS.slice(1).map((column) => {
    return column.key === "trend" ? element("td") : column.cell({ series });
  });
  return element("tr", {}, element("th", { scope: "row" }, label), ...cells);
}

function sums(apps) {
  const names = new Set(apps.flatMap(({ series }) => [...moneyOf(series), "daily_messages", "workflow_daily_runs", "tokens"].filter((name) => name in series)));
  const known = (name) => apps.map(({ series }) => totalOf(series, name)).filter((total) => total !== null);
  return Object.fromEntries([...names].map((name) => [name, { total: known(name).reduce((all, one) => all + one, 0) }]));
}

function trendCell({ series, days, today }) {
  const values = (series.tokens?.values ?? []).map((value) => value ?? 0);
  const cell = element("td", { class: "trend", "aria-hidden": "true" });
  const most = Math.max(...values, 0);
  if (most > 0) {
    const spread = Math.max(values.length - 1, 1);
    const points = values.map((value, index) => `${(index / spread) * 100},${24 - (value / most) * 22}`);
    const open = days.indexOf(today) < 0 ? values.length : days.indexOf(today);
    const lines = [svg("polyline", { points: points.slice(0, open).join(" ") })];
    if (open < values.length) lines.push(svg("polyline", { class: "open", points: points.slice(Math.max(open - 1, 0), open + 1).join(" ") }));
    cell.append(svg("svg", { viewBox: "0 0 100 25", preserveAspectRatio: "none" }, ...lines));
  }
  return cell;
}
