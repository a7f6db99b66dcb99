// Errors for people: what is wrong and what to do. "Try again" only if it can help.

import { element } from "./format.js";

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
