// The calls of a queue by intervals of a day: what became of them as bars, the service level as a line.

import { el, svg } from "../dom.js";
import { number, percent, timeOfDay } from "../format.js";
import { t } from "../texts.js";
import { momentsOf } from "./days.js";
import { explore } from "./pictures.js";
import { numberCell, row, table } from "./tables.js";

const HOUR = 3_600_000;
const WIDTH = 960; // all in the picture's own units
const HEIGHT = 260;
const LEFT = 40;
const RIGHT = 56;
const TOP = 12;
const BOTTOM = 28;
const KINDS = ["answered", "abandoned", "other"];

// `rows`: those of reports/intervals; `level`: the name of the service level that the site goes by.
export function chart(rows, level, date) {
  const shown = rows.map((each) => ({
    ...each,
    other: each.offered - each.answered - each.abandoned,
    level: each[level].value,
  }));
  const scale = scales(shown, date);
  const details = el("p", { class: "details" }, t("desk.chartHint"));
  const bars = shown
    .filter((each) => each.offered)
    .map((each) => ({ element: bar(each, scale), text: sentence(each) }));
  const picture = svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "group", "aria-label": t("desk.chart"), class: "chart" },
    hatch(),
    axes(scale),
    bars.map((each) => each.element),
    line(shown, scale),
  );
  explore(picture, bars, details);
  return el("div", {}, legend(), el("div", { class: "scroll" }, picture), details, asTable(shown));
}

function scales(rows, date) {
  const [start, end] = hoursOf(
    rows.filter((each) => each.offered),
    date,
  );
  const most = roundedUp(Math.max(1, ...rows.map((each) => each.offered)));
  const x = (iso) => LEFT + ((Date.parse(iso) - start) / (end - start)) * (WIDTH - LEFT - RIGHT);
  const y = (share) => HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
  return { x, y, most, start, end };
}

// The hours in which a day's work is done, and whatever others had calls.
function hoursOf(rows, date) {
  const [midnight, end] = momentsOf(date);
  const first = Math.min(midnight + 8 * HOUR, ...rows.map((each) => Math.floor(Date.parse(each.from) / HOUR) * HOUR));
  const last = Math.max(midnight + 18 * HOUR, ...rows.map((each) => Math.ceil(Date.parse(each.to) / HOUR) * HOUR));
  return [Math.max(midnight, first), Math.min(end, last)];
}

// 1, 2, 4, 5, 10, 20, 40, 50, ...: what divides into four or five whole steps, or is small.
function roundedUp(value) {
  const unit = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 5, 10].map((step) => step * unit).find((each) => each >= value);
}

function bar(each, { x, y, most }) {
  const [left, right] = [x(each.from), x(each.to)];
  const gap = Math.min(2, (right - left) / 6);
  let below = 0;
  const parts = KINDS.map((kind) => {
    const part = svg("rect", {
      class: kind,
      x: left + gap,
      width: Math.max(1, right - left - 2 * gap),
      y: y((below + each[kind]) / most),
      height: y(0) - y(each[kind] / most),
    });
    below += each[kind];
    return part;
  });
  const whole = svg("rect", {
    class: "whole",
    x: left,
    width: Math.max(1, right - left),
    y: TOP,
    height: HEIGHT - TOP - BOTTOM,
  });
  return svg("g", { class: "bar" }, whole, parts);
}

function line(rows, { x, y }) {
  const points = rows
    .filter((each) => each.level !== null)
    .map((each) => [(x(each.from) + x(each.to)) / 2, y(each.level)]);
  const path = points.map(([left, top], place) => `${place ? "L" : "M"}${left.toFixed(1)} ${top.toFixed(1)}`).join("");
  return svg(
    "g",
    { class: "level" },
    svg("path", { d: path }),
    points.map(([cx, cy]) => svg("circle", { cx, cy, r: 3 })),
  );
}

function axes({ x, y, most, start, end }) {
  const hours = [];
  const step = end - start > 12 * HOUR ? 2 * HOUR : HOUR;
  for (let at = start; at <= end; at += step) hours.push(at);
  return svg(
    "g",
    { class: "axes", "aria-hidden": "true" },
    [0, 0.5, 1].flatMap((share) => [
      svg("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(share), y2: y(share) }),
      svg(
        "text",
        { x: LEFT - 6, y: y(share) + 4, class: "end" },
        Number.isInteger(share * most) ? number(share * most) : "",
      ),
      svg("text", { x: WIDTH - RIGHT + 6, y: y(share) + 4 }, percent(share)),
    ]),
    hours.map((at) => svg("text", { x: x(new Date(at).toISOString()), y: HEIGHT - 8, class: "middle" }, timeOfDay(at))),
  );
}

// Not by its colour alone.
function hatch() {
  const pattern = { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" };
  return svg(
    "defs",
    {},
    svg(
      "pattern",
      pattern,
      svg("rect", { class: "ground", width: 6, height: 6 }),
      svg("rect", { class: "stripe", width: 3, height: 6 }),
    ),
  );
}

const sentence = (each) =>
  t("desk.chartBar", {
    from: timeOfDay(each.from),
    to: timeOfDay(each.to),
    offered: number(each.offered),
    answered: number(each.answered),
    abandoned: number(each.abandoned),
    level: percent(each.level),
  });

function legend() {
  const swatch = (kind) =>
    el(
      "span",
      {},
      svg("svg", { viewBox: "0 0 12 12", class: "chart swatch", "aria-hidden": "true" }, mark(kind)),
      " ",
      t(`desk.kind.${kind}`),
    );
  return el("p", { class: "legend" }, [...KINDS, "level"].map(swatch));
}

const mark = (kind) =>
  kind === "level"
    ? svg("g", { class: "level" }, svg("path", { d: "M0 6h12" }), svg("circle", { cx: 6, cy: 6, r: 3 }))
    : svg("rect", { class: kind, width: 12, height: 12 });

function asTable(rows) {
  const columns = ["offered", "answered", "abandoned", "level"].map((each) => ({
    text: t(`desk.kind.${each}`),
    number: true,
  }));
  const { element, body } = table(t("desk.chart"), [t("desk.column.interval"), ...columns]);
  for (const each of rows.filter(({ offered }) => offered)) {
    const cells = [number(each.offered), number(each.answered), number(each.abandoned), percent(each.level)];
    body.append(row(`${timeOfDay(each.from)} – ${timeOfDay(each.to)}`, ...cells.map(numberCell)));
  }
  return el("details", {}, el("summary", {}, t("desk.asTable")), element);
}
