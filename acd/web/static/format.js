// Numbers and times as people read them.

import { language } from "./texts.js";

const whole = new Intl.NumberFormat(language);
const share = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 });
const time = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });
const exactTime = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const date = new Intl.DateTimeFormat(language, { dateStyle: "medium" });
export const two = (number) => String(number).padStart(2, "0");

export const NOTHING = "–"; // where there is nothing to tell

export const number = (value) => (value === null || value === undefined ? NOTHING : whole.format(value));
export const percent = (value) => (value === null || value === undefined ? NOTHING : share.format(value));
export const timeOfDay = (iso) => time.format(new Date(iso));
export const exactTimeOfDay = (iso) => exactTime.format(new Date(iso));
export const day = (iso) => date.format(new Date(iso));
export const dayAndTime = (iso) => `${day(iso)} ${exactTimeOfDay(iso)}`;

// Seconds as 0:07, 12:30 or 1:02:03.
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return NOTHING;
  const rest = Math.max(0, Math.floor(seconds));
  const [hours, minutes] = [Math.floor(rest / 3600), Math.floor((rest % 3600) / 60)];
  return hours ? `${hours}:${two(minutes)}:${two(rest % 60)}` : `${minutes}:${two(rest % 60)}`;
}

// Whole seconds from an ISO time until `now` (milliseconds). All of them grow at the same moment, when the clock's
// second does: the browser then draws hundreds of them once a second, and not whenever one is due.
export const secondsSince = (iso, now) => Math.max(0, Math.floor(now / 1000) - Math.floor(Date.parse(iso) / 1000));

export const timeZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

// "good", "attention" or "bad": [first, second] rise or fall towards the worse.
export function judged(value, [attention, bad]) {
  if (value === null || value === undefined) return "none";
  const worse = attention <= bad ? (limit) => value >= limit : (limit) => value <= limit;
  return worse(bad) ? "bad" : worse(attention) ? "attention" : "good";
}

export const SIGNS = { good: "✓", attention: "▲", bad: "✖", none: "" };
