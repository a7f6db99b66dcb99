// The costs: the month with its projection, and the share of each app, stacked by day.

import { linkTo } from "./address.js";
import { asNumber, change, dayOf, element, money, monthOf, plural, share, shortened, svg } from "./format.js";
import { currencyOf, moneyOf } from "./series.js";

const BANDS = 5; // apps with a separate colour; the others share one

export function showMonth(place, { costs, failed }) {
  const incomplete = failed > 0 ? [element("p", { class: "quiet" }, `Without ${plural(failed, "app")} that could not be read.`)] : [];
  place.replaceChildren(...costs.map(monthCard), ...incomplete);
}

function monthCard({ currency, month, spent, projected, previous }) {
  const part = Number(projected) > 0 ? Math.min(Number(spent) / Number(projected), 1) : 0;
  const against = Number(previous) > 0 ? `, ${change(Number(projected) / Number(previous) - 1)} against the previous month (${money(previous, currency)})` : "";
  const meter = element("meter", { value: part, max: 1, "aria-label": "Part of the projected costs" });
  const hint = "If each remaining day costs as much as the average of the last 28 complete days";
  return element(
    "div",
    { class: "card month", "data-currency": currency },
    element("p", { class: "label" }, `${monthOf(month)} so far`),
    element("p", { class: "number" }, money(spent, currency)),
    meter,
    element("p", { class: "quiet", title: hint }, `About ${money(projected, currency)} by the end of the month${against}.`),
  );
}

// One chart per currency; nothing for a single app, or if nothing costs anything.
export function showShares(place, { days, today, apps, totals }) {
  const charts = moneyOf(totals)
    .filter((name) => Number(totals[name].total) > 0)
    .map((name) => chart(name, days, today, [...apps.values()]));
  const opened = document.activeElement?.closest("#shares a")?.dataset.id;
  place.replaceChildren(...charts);
  if (opened) place.querySelector(`a[data-id="${CSS.escape(opened)}"]`)?.focus({ preventScroll: true });
}

function chart(name, days, today, apps) {
  const currency = currencyOf(name);
  const costs = apps
    .map((app) => ({ app, total: asNumber(app.series[name]?.total) ?? 0, values: (app.series[name]?.values ?? []).map((value) => Number(value ?? 0)) }))
    .filter(({ total }) => total > 0)
    .sort((one, other) => other.total - one.total);
  const others = costs.slice(BANDS + 1).length > 0 ? costs.slice(BANDS) : [];
  const bands = costs.slice(0, costs.length - others.length);
  if (others.length > 0) bands.push({ app: null, count: others.length, ...added(others, days.length) });
  const sum = bands.reduce((all, { total }) => all + total, 0);
  const byDay = days.map((_, day) => bands.reduce((all, { values }) => all + values[day], 0));
  const readout = element("span", { class: "readout" });
  const label = `Cost per app and day in ${currency}: ${bands.map((band) => `${nameOf(band)} ${share(band.total / sum)}`).join(", ")}`;
  const picture = element("div", { role: "img", "aria-label": label, class: "stack" }, bars(days, today, bands, Math.max(...byDay)));
  picture.addEventListener("pointermove", ({ offsetX }) => {
    const day = Math.min(Math.max(Math.floor((offsetX / picture.clientWidth) * days.length), 0), days.length - 1);
    readout.textContent = `${dayOf(days[day])}${days[day] === today ? " so far" : ""}: ${money(byDay[day], currency)}`;
  });
  picture.addEventListener("pointerleave", () => (readout.textContent = ""));
  const caption = element("figcaption", {}, `Cost by app in ${currency}`, readout);
  const ends = element("p", { class: "ends quiet", "aria-hidden": "true" }, element("span", {}, dayOf(days[0])), element("span", {}, dayOf(days.at(-1))));
  return element("figure", { "data-currency": currency }, caption, element("div", { class: "split" }, element("div", {}, picture, ends), legend(bands, sum, currency)));
}

function added(bands, length) {
  const values = Array.from({ length }, (_, day) => bands.reduce((all, band) => all + band.values[day], 0));
  return { total: bands.reduce((all, { total }) => all + total, 0), values };
}

function bars(days, today, bands, most) {
  const rects = days.flatMap((day, index) => {
    let top = 100;
    return bands.map(({ values }, band) => {
      const height = most > 0 ? (values[index] / most) * 100 : 0;
      top -= height;
      return svg("rect", { x: index + 0.1, width: 0.8, y: top, height, class: `band${band}${day === today ? " open" : ""}` });
    });
  });
  return svg("svg", { viewBox: `0 0 ${days.length} 100`, preserveAspectRatio: "none" }, ...rects);
}

const nameOf = ({ app, count }) => (app ? shortened(app.app_name, 60) || app.app_id : plural(count, "other app"));

function legend(bands, sum, currency) {
  const rows = bands.map((band, index) => {
    const name = band.app
      ? linkTo(element("a", { "data-id": band.app.app_id, class: "name", dir: "auto" }, nameOf(band)), { app: band.app.app_id, conversation: "" })
      : element("span", { class: "name" }, nameOf(band));
    return element(
      "li",
      {},
      element("span", { class: `swatch band${index}`, "aria-hidden": "true" }),
      name,
      element("span", { class: "number" }, share(band.total / sum)),
      element("span", { class: "number quiet" }, money(band.total, currency)),
    );
  });
  return element("ul", { class: "bands" }, ...rows);
}
