// The form: the range and the mode.

import { isCustom, show, view } from "./address.js";

const DAY = 86_400_000;
const MAX_DAYS = 366; // the limit of the service

const form = document.getElementById("choice");
const custom = document.getElementById("custom");

// Shows the choice of the address; an error if it has a range that cannot be shown.
export function showChoice() {
  const { days, start, last, mode } = form.elements;
  days.value = isCustom() ? "custom" : view.days;
  start.value = view.start;
  last.value = view.last;
  mode.value = view.mode;
  if (mode.selectedIndex < 0) mode.value = "";
  document.getElementById("mode").hidden = Boolean(view.app);
  openCustom(isCustom());
  checkDates();
  const wrong = [...form.elements].find((field) => !field.checkValidity());
  return wrong ? wrong.validationMessage : "";
}

function openCustom(isOpen) {
  custom.hidden = custom.disabled = !isOpen;
}

function checkDates() {
  const { start, last } = form.elements;
  const length = (last.valueAsNumber - start.valueAsNumber) / DAY + 1; // NaN if one is empty
  const isWrong = length < 1 || length > MAX_DAYS;
  last.setCustomValidity(isWrong ? `Choose 1 to ${MAX_DAYS} days; these are ${length}.` : "");
}

function submit() {
  const { days, start, last, mode } = form.elements;
  const range = days.value === "custom" ? { start: start.value, last: last.value } : { days: days.value, start: "", last: "" };
  show({ ...range, mode: mode.value });
}

form.addEventListener("change", ({ target }) => {
  if (target.name === "days") openCustom(target.value === "custom");
  if (target.type === "date") checkDates();
  else if ((form.elements.days.value !== "custom" || target.name === "mode") && form.checkValidity()) submit();
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  checkDates();
  if (form.reportValidity()) submit();
});
