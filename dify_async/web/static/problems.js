// Errors for people: what is wrong and what to do. "Try again" only if it can help.

import { element } from "./format.js";

export const UNREACHABLE = {
  what: "The service of this page does not answer.",
  advice: "Check that it is running, and that you are connected.",
  can_retry: true,
  detail: "",
};

export class Failure extends Error {
  constructor(problem) {
    super(problem.what);
    this.problem = problem;
  }
}

// The JSON at a path of the service; failures have a problem.
export async function get(path) {
  let answer;
  try {
    answer = await fetch(path);
  } catch {
    throw new Failure(UNREACHABLE);
  }
  const body = await answer.json().catch(() => null);
  if (answer.ok && body !== null) return body;
  throw new Failure(body?.what ? body : { ...UNREACHABLE, detail: `${answer.status} ${answer.statusText}` });
}

export function problemBox({ what, advice, can_retry: canRetry, detail }, retry) {
  const text = element("div", {}, element("strong", {}, what), ` ${advice}`);
  if (detail) text.append(element("details", {}, element("summary", {}, "Details"), detail));
  const box = element("div", { class: "banner" }, text);
  if (canRetry && retry) {
    const button = element("button", { type: "button" }, "Try again");
    button.addEventListener("click", retry);
    box.append(button);
  }
  return box;
}

export const problemOf = (error) =>
  error instanceof Failure
    ? error.problem
    : { what: "This page has a bug.", advice: "Reload it, and report the details.", can_retry: false, detail: String(error) };
