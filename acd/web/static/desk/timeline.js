// The picture of a day: a lane for each thing that an agent does, so that no colour is needed, and one for calls.

import { el, svg } from "../dom.js";
import { situationIn } from "../floor.js";
import { duration, exactTimeOfDay, timeOfDay } from "../format.js";
import { ICONS, spoken } from "../situations.js";
import { t } from "../texts.js";
import { explore } from "./pictures.js";

const HOUR = 3_600_000;
const LABELS = 130; // the width of the names, in the picture's own units
const LANE = 34;
const AXIS = 24;
const HOUR_WIDTHS = [36, 60, 90, 180, 360, 900, 2400, 6000]; // of an hour, for looking closer
const WIDE = 1100; // what fits most screens
const STEPS = [5, 10, 30, 60, 120, 180, 360].map((minutes) => minutes * 60_000);
const APART = 75; // of two times at the axis

export const LANES = ["ready", "talking", "wrapup", "outside", "notready", "unknown"];

export function timeline(stretches) {
  const details = el("p", { class: "details" }, t("desk.timelineHint"));
  const place = el("div", { class: "scroll" });
  let size = Math.max(
    0,
    HOUR_WIDTHS.findLastIndex((each) => scaled(stretches, each).width <= WIDE),
  );
  const show = () => place.replaceChildren(picture(stretches, HOUR_WIDTHS[size], details));
  const sized = (by) => () => {
    size = Math.max(0, Math.min(HOUR_WIDTHS.length - 1, size + by));
    show();
  };
  const buttons = [
    ["closer", 1],
    ["farther", -1],
  ].map(([name, by]) => el("button", { type: "button", on: { click: sized(by) } }, t(`desk.${name}`)));
  show();
  return el("div", { class: "card part" }, el("div", { class: "acts" }, buttons), place, details);
}

function picture(stretches, hourWidth, details) {
  const lanes = LANES.filter((lane) => stretches.some((each) => situationIn(each) === lane));
  const calls = callsOf(stretches);
  const scale = scaled(stretches, hourWidth);
  const height = AXIS + LANE * (lanes.length + (calls.length ? 1 : 0));
  const marks = [
    ...stretches.map((each) => ({
      element: block(each, lanes.indexOf(situationIn(each)), scale),
      text: aboutStretch(each),
      at: each.from,
    })),
    ...calls.map((each) => ({
      element: callBlock(each, lanes.length, scale),
      text: aboutCall(each),
      at: each.answered,
    })),
  ].sort((one, other) => (one.at < other.at ? -1 : 1));
  const drawn = svg(
    "svg",
    {
      viewBox: `0 0 ${scale.width} ${height}`,
      width: scale.width,
      height,
      role: "group",
      "aria-label": t("desk.timeline"),
      class: "timeline",
    },
    times(scale, height),
    [...lanes, ...(calls.length ? ["calls"] : [])].map(laneName),
    marks.map((each) => each.element),
  );
  explore(drawn, marks, details);
  return drawn;
}

// Whole hours around what there is.
function scaled(stretches, hourWidth) {
  const start = Math.floor(Date.parse(stretches[0].from) / HOUR) * HOUR;
  const end = Math.max(start + HOUR, Math.ceil(Date.parse(stretches.at(-1).to) / HOUR) * HOUR);
  const x = (moment) => LABELS + ((moment - start) / HOUR) * hourWidth;
  const step = STEPS.find((each) => (each / HOUR) * hourWidth >= APART) ?? STEPS.at(-1);
  return { start, end, x, step, width: x(end) + APART / 2 };
}

function times({ start, end, x, step }, height) {
  const marks = [];
  for (let at = start; at <= end; at += step) {
    marks.push(svg("line", { x1: x(at), x2: x(at), y1: AXIS - 6, y2: height }));
    marks.push(svg("text", { x: x(at), y: 12, class: "middle" }, timeOfDay(at)));
  }
  return svg("g", { class: "axes", "aria-hidden": "true" }, marks);
}

const top = (lane) => AXIS + lane * LANE;

function laneName(name, lane) {
  const text = name === "calls" ? `☏ ${t("desk.part.calls")}` : `${ICONS[name]} ${t(`words.situation.${name}`)}`;
  return svg("text", { x: 0, y: top(lane) + 21, class: "lane", "aria-hidden": "true" }, text);
}

function block(each, lane, { x }) {
  const [from, to] = [x(Date.parse(each.from)), x(Date.parse(each.to))];
  const width = Math.max(2, to - from);
  const reason = spoken(each.reason);
  return svg(
    "g",
    { class: "block", "data-situation": situationIn(each) },
    svg("rect", { x: from, y: top(lane) + 4, width, height: LANE - 8, rx: Math.min(4, width / 2) }),
    reason && width > reason.length * 7.5 + 8 && svg("text", { x: from + 5, y: top(lane) + 21 }, reason),
  );
}

// One that was put on hold lies in more than one stretch.
function callsOf(stretches) {
  const calls = new Map();
  for (const call of stretches.flatMap((each) => each.calls))
    calls.set(`${call.queue} ${call.call} ${call.answered}`, call);
  return [...calls.values()];
}

function callBlock(call, lane, { x, start, end }) {
  const from = x(Math.max(start, Date.parse(call.answered)));
  const to = x(Math.min(end, call.ended === null ? Date.now() : Date.parse(call.ended)));
  return svg(
    "g",
    { class: "block call" },
    svg("rect", { x: from, y: top(lane) + 8, width: Math.max(2, to - from), height: LANE - 16, rx: 2 }),
  );
}

function aboutStretch(each) {
  const what = t(`words.situation.${situationIn(each)}`);
  const values = { from: exactTimeOfDay(each.from), to: exactTimeOfDay(each.to), time: duration(each.seconds) };
  return t("desk.stretch", { ...values, what: each.reason ? `${what} (${spoken(each.reason)})` : what });
}

const aboutCall = (call) =>
  t("desk.callOf", {
    from: exactTimeOfDay(call.answered),
    to: call.ended === null ? t("desk.now") : exactTimeOfDay(call.ended),
    queue: call.queue,
    caller: call.caller || t("words.caller"),
    talk: duration(call.talk_time),
    wrapUp: duration(call.wrap_up_time),
    hold: duration(call.hold_time),
  });
