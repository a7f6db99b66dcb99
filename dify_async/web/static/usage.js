// Who used what, by user or by model: read on demand, with progress, because it takes a request per conversation.

import { NOTHING, count, element, money, plural, share, shortened } from "./format.js";
import { problemBox } from "./problems.js";
import { listen } from "./service.js";

const TITLES = { user: "User", model: "Model" };

let current = ""; // the query whose usage is offered or shown
let stop = () => {};

// Offers the usage of a query; what is shown stays as long as the query does.
export function offerUsage(place, query) {
  if (query === current) return;
  current = query;
  stop();
  place.replaceChildren(choice(place));
}

function choice(place) {
  const buttons = Object.keys(TITLES).map((by) => {
    const button = element("button", { type: "button", "data-by": by }, `By ${by}`);
    button.addEventListener("click", () => read(place, by));
    return button;
  });
  const note = "Reads every conversation of the period, which may take minutes. Nothing is marked as read.";
  return element("div", { class: "tools" }, ...buttons, element("p", { class: "quiet" }, note));
}

function read(place, by) {
  stop();
  const progress = element("progress", { "aria-label": "Conversations that were read" });
  const status = element("p", { class: "quiet", role: "status" }, "Listing the conversations…");
  const cancel = element("button", { type: "button" }, "Stop");
  place.replaceChildren(element("div", { class: "progress" }, progress, status, cancel));
  let table = null;
  const handlers = {
    progress: ({ done, total }) => {
      progress.max = Math.max(total, 1);
      progress.value = done;
      status.textContent = `${count(done)} of ${plural(total, "conversation")} so far`;
    },
    report: (report) => (table = tableOf(by, report)),
  };
  const end = (...shown) => place.replaceChildren(choice(place), ...shown);
  stop = listen(
    `api/usage?${current}&by=${by}`,
    handlers,
    () => end(...table),
    (problem) => end(problemBox(problem, () => read(place, by))),
  );
  cancel.addEventListener("click", () => {
    stop();
    end();
  });
}

function tableOf(by, { rows, hidden, others, unreadable, uncounted, failed }) {
  const all = others ? [...rows, { ...others, name: plural(hidden, "other") }] : rows;
  if (all.length === 0) return [element("p", { class: "quiet" }, "No messages in this period."), ...notes(unreadable, uncounted, failed)];
  const [currency] = Object.keys(Object.assign({}, ...all.map(({ cost }) => cost))).sort();
  const sizeOf = ({ cost, tokens }) => (currency ? Number(cost[currency] ?? 0) : tokens);
  const sum = all.reduce((total, row) => total + sizeOf(row), 0);
  const titles = [TITLES[by], "Cost", "Share", "Messages", "Runs", "Tokens"];
  const head = titles.map((title, index) => element("th", { scope: "col", class: index > 0 ? "number" : "" }, title));
  const lines = all.map((row) => {
    const name = element("span", { class: "name", dir: "auto" }, shortened(row.name ?? "Not known"));
    const cells = [costs(row.cost), sum > 0 ? share(sizeOf(row) / sum) : NOTHING, count(row.messages), count(row.runs), count(row.tokens)];
    const first = element("th", { scope: "row" }, name);
    if (row.note) first.append(element("span", { class: "quiet mode" }, shortened(row.note)));
    return element("tr", {}, first, ...cells.map((text) => element("td", { class: "number" }, text)));
  });
  const table = element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...lines));
  const scroll = element("div", { class: "scroll", role: "region", "aria-labelledby": "usage-title", tabindex: "0" }, table);
  return [scroll, ...notes(unreadable, uncounted, failed)];
}

const costs = (cost) => Object.entries(cost).map(([currency, value]) => money(value, currency)).join(", ") || NOTHING;

// The sums are never silently wrong: what no message explains is said.
function notes(unreadable, uncounted, failed) {
  const parts = ({ messages, runs, tokens, cost }) => [
    messages && plural(messages, "message"),
    runs && plural(runs, "run"),
    tokens && plural(tokens, "token"),
    ...Object.entries(cost).map(([currency, value]) => Number(value) && money(value, currency)),
  ].filter(Boolean).join(", ");
  const lines = [
    parts(unreadable) && `Not included: ${parts(unreadable)}, which Dify counts but does not show, such as those of deleted conversations and the tokens of completion apps.`,
    parts(uncounted) && `Included, but not in the totals above: ${parts(uncounted)}, for example from debugging in the console or from workflow nodes.`,
    failed > 0 && `${plural(failed, "app")} could not be read.`,
  ];
  return lines.filter(Boolean).map((text) => element("p", { class: "quiet note" }, text));
}
