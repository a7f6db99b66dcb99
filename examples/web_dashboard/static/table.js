// The table of apps: sorted and filtered, with the errors of each app.

import { NOTHING, asNumber, element, isMoney, shortened, written } from "./format.js";

const COLUMNS = [
  { key: "name", title: "App", of: (app) => app.app_name.toLowerCase(), cell: nameCell },
  { key: "mode", title: "Mode", of: (app) => app.mode, cell: (app) => element("td", {}, app.mode || NOTHING) },
  number("daily_messages", "Messages"),
  number("workflow_daily_runs", "Runs"),
  number("tokens", "Tokens"),
  { key: "cost", title: "Cost", isNumber: true, of: costOf, cell: costCell },
  number("rate_percent", "Liked"),
  { key: "trend", title: "Tokens by day", cell: trendCell },
];

let sorting = { key: "tokens", isDown: true };

function number(name, title) {
  const total = (app) => app.series[name]?.total ?? null;
  return { key: name, title, isNumber: true, of: total, cell: (app) => numberCell(written(name, total(app))) };
}

export function makeHeadings(table, onSort) {
  const headings = COLUMNS.map((column) => {
    const heading = element("th", { scope: "col", class: column.isNumber ? "number" : "" });
    if (!column.of) {
      heading.append(column.title);
      return heading;
    }
    const button = element("button", { type: "button", "data-key": column.key }, column.title);
    button.addEventListener("click", () => {
      const isSame = sorting.key === column.key;
      sorting = { key: column.key, isDown: isSame ? !sorting.isDown : Boolean(column.isNumber) };
      onSort();
    });
    heading.append(button);
    return heading;
  });
  table.tHead.rows[0].replaceChildren(...headings);
}

export function showApps(table, apps, filter) {
  const wanted = filter.trim().toLowerCase();
  const column = COLUMNS.find((one) => one.key === sorting.key);
  const rows = apps
    .filter((app) => app.app_name.toLowerCase().includes(wanted) || app.mode.includes(wanted))
    .sort((one, other) => compared(column.of(one), column.of(other)));
  const opened = new Set([...table.querySelectorAll("details[open]")].map((details) => details.closest("tr").dataset.id));
  const focused = document.activeElement?.closest("tbody tr")?.dataset.id;
  table.tBodies[0].replaceChildren(...rows.map((app) => row(app, opened.has(app.app_id))));
  // Open error lists stay open while more apps arrive.
  if (focused) table.querySelector(`[data-id="${CSS.escape(focused)}"] summary`)?.focus({ preventScroll: true });
  for (const heading of table.tHead.rows[0].cells) {
    const isSorted = heading.firstElementChild?.dataset.key === sorting.key;
    if (isSorted) heading.setAttribute("aria-sort", sorting.isDown ? "descending" : "ascending");
    else heading.removeAttribute("aria-sort");
  }
  return rows.length;
}

// Unknown values come last in both directions.
function compared(one, other) {
  if (one === null || other === null) return (one === null) - (other === null);
  const order = typeof one === "string" ? one.localeCompare(other, "en") : one - other;
  return sorting.isDown ? -order : order;
}

function row(app, isOpen) {
  const made = element("tr", { "data-id": app.app_id }, ...COLUMNS.map((column) => column.cell(app)));
  if (isOpen) made.querySelector("details")?.setAttribute("open", "");
  return made;
}

function nameCell(app) {
  const name = element("span", { class: "name", dir: "auto" }, shortened(app.app_name) || app.app_id);
  const cell = element("th", { scope: "row" }, name);
  const errors = Object.entries(app.errors);
  if (errors.length > 0) {
    const lines = errors.map(([metric, text]) => element("li", {}, `${metric}: ${text}`));
    const count = errors.length === 1 ? "1 number failed" : `${errors.length} numbers failed`;
    cell.append(element("details", {}, element("summary", {}, count), element("ul", {}, ...lines)));
  }
  return cell;
}

const numberCell = (text) => element("td", { class: "number" }, text);

const costs = (app) => Object.keys(app.series).filter(isMoney).sort();

// Currencies cannot be compared; most workspaces have one.
function costOf(app) {
  const [name] = costs(app);
  return name === undefined ? null : asNumber(app.series[name].total);
}

function costCell(app) {
  return numberCell(costs(app).map((name) => written(name, app.series[name].total)).join(", ") || NOTHING);
}

function trendCell(app) {
  const values = (app.series.tokens?.values ?? []).map((value) => value ?? 0);
  const cell = element("td", { class: "trend", "aria-hidden": "true" });
  const most = Math.max(...values, 0);
  if (most > 0) {
    const spread = Math.max(values.length - 1, 1);
    const points = values.map((value, place) => `${(place / spread) * 100},${24 - (value / most) * 22}`);
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 100 25");
    svg.setAttribute("preserveAspectRatio", "none");
    const line = document.createElementNS(svg.namespaceURI, "polyline");
    line.setAttribute("points", points.join(" "));
    svg.append(line);
    cell.append(svg);
  }
  return cell;
}
