// The latest conversations of an app, or its runs, and the messages of a conversation.

import { linkTo } from "./address.js";
import { NOTHING, count, element, momentOf, money, plural, shortened } from "./format.js";
import { problemBox } from "./problems.js";
import { get, problemOf } from "./service.js";

let asked = 0; // so that a late answer does not replace a newer one

export async function showConversations(place, { app, mode, zone }) {
  const list = makeList(mode);
  await fill(place, list, (page) => get(`api/apps/${encodeURIComponent(app)}/conversations?${new URLSearchParams({ mode, page })}`), {
    rowsOf: (rows) => rows.map((row) => list.row(row, zone)),
    more: "Show more",
    nothing: mode === "workflow" ? "No runs yet." : "No conversations yet.",
  });
}

export async function showMessages(place, { app, conversation, zone }) {
  const list = { body: element("ol", { class: "messages" }) };
  list.whole = list.body;
  let before = "";
  const path = `api/apps/${encodeURIComponent(app)}/conversations/${encodeURIComponent(conversation)}`;
  await fill(place, list, () => get(path + (before && `?${new URLSearchParams({ before })}`)), {
    rowsOf: (rows) => {
      before = rows.at(-1)?.id ?? before;
      return rows.map((row) => message(row, zone));
    },
    more: "Show earlier messages",
    nothing: "No messages.",
  });
}

// Fills a list page by page: the first now, the others on demand.
async function fill(place, list, getPage, { rowsOf, more, nothing }) {
  const request = ++asked;
  const button = element("button", { type: "button" }, more);
  const foot = element("div", { class: "foot" });
  let page = 0;
  async function next() {
    foot.replaceChildren(element("p", { class: "quiet", role: "status" }, "Loading…"));
    try {
      const { rows, has_more: hasMore } = await getPage(page + 1);
      if (request !== asked) return;
      page += 1;
      list.body.append(...rowsOf(rows));
      foot.replaceChildren(...(hasMore ? [button] : []));
      if (list.body.children.length === 0) place.replaceChildren(element("p", { class: "quiet" }, nothing));
      else if (!list.whole.isConnected) place.replaceChildren(list.whole, foot);
    } catch (error) {
      if (request === asked) foot.replaceChildren(problemBox(problemOf(error), next));
    }
  }
  button.addEventListener("click", next);
  place.replaceChildren(foot);
  await next();
}

const feedback = ({ likes, dislikes }) =>
  [likes && plural(likes, "like"), dislikes && plural(dislikes, "dislike")].filter(Boolean).join(", ");

const numberCell = (text) => element("td", { class: "number" }, text);

function makeList(mode) {
  const isRuns = mode === "workflow";
  const titles = isRuns ? ["Status", "User", "Tokens", "Duration", "Time"] : ["Conversation", "User", "Messages", "Feedback", "Last message"];
  const numbers = isRuns ? ["Tokens", "Duration"] : ["Messages"];
  const head = element("tr", {}, ...titles.map((title) => element("th", { scope: "col", class: numbers.includes(title) ? "number" : "" }, title)));
  const body = element("tbody");
  const table = element("table", {}, element("thead", {}, head), body);
  const whole = element("div", { class: "scroll", role: "region", "aria-labelledby": "conversations-title", tabindex: "0" }, table);
  return { whole, body, row: isRuns ? runRow : (row, zone) => conversationRow(row, zone, mode) };
}

function conversationRow(row, zone, mode) {
  const name = shortened(row.name, 100) || "Unnamed";
  const first = element("th", { scope: "row" });
  if (mode === "completion") {
    first.append(element("details", { class: "plain" }, element("summary", { dir: "auto" }, name), element("p", { class: "text", dir: "auto" }, row.answer ?? "")));
  } else {
    first.append(linkTo(element("a", { class: "name", dir: "auto" }, name), { conversation: row.id }));
  }
  return element(
    "tr",
    { "data-id": row.id },
    first,
    element("td", { class: "user", dir: "auto" }, shortened(row.user ?? NOTHING, 60)),
    numberCell(row.messages === null || row.messages === undefined ? NOTHING : count(row.messages)),
    element("td", {}, feedback({ likes: 0, dislikes: 0, ...row }) || NOTHING),
    element("td", { class: "when" }, momentOf(row.at, zone)),
  );
}

function runRow(row, zone) {
  const status = element("th", { scope: "row" }, row.status ?? NOTHING);
  if (row.error) status.append(element("details", {}, element("summary", {}, "Error"), element("p", { class: "text" }, row.error)));
  return element(
    "tr",
    { "data-id": row.id },
    status,
    element("td", { class: "user", dir: "auto" }, shortened(row.user ?? NOTHING, 60)),
    numberCell(row.tokens === null || row.tokens === undefined ? NOTHING : count(row.tokens)),
    numberCell(row.seconds === null || row.seconds === undefined ? NOTHING : `${count(row.seconds)} s`),
    element("td", { class: "when" }, momentOf(row.at, zone)),
  );
}

// The latest message comes first.
function message(row, zone) {
  const { usage } = row;
  const parts = [
    momentOf(row.at, zone),
    row.input_tokens !== null && `${count(row.input_tokens)} tokens in`,
    row.output_tokens !== null && `${count(row.output_tokens)} tokens out`,
    usage.total_price && money(usage.total_price, usage.currency ?? ""),
    row.seconds && `${count(row.seconds)} s`,
    feedback(row),
  ];
  const item = element(
    "li",
    { "data-id": row.id },
    element("p", { class: "text question", dir: "auto" }, row.query),
    element("p", { class: "text", dir: "auto" }, row.answer),
    element("p", { class: "quiet" }, parts.filter(Boolean).join(" · ")),
  );
  if (row.error) item.append(element("p", { class: "bad text" }, row.error));
  return item;
}
