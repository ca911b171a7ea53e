// Days as a calendar has them, "2026-11-20", in the reader's time zone.

import { two } from "../format.js";

export const dateOf = (moment) => `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;

export function plusDays(date, days) {
  const [year, month, day] = date.split("-").map(Number);
  return dateOf(new Date(year, month - 1, day + days));
}

// The Monday of its week.
export function mondayOf(date) {
  return plusDays(date, -((new Date(`${date}T12:00`).getDay() + 6) % 7));
}

// The first day of its month, or of one before or after it.
export function firstOfMonth(date, months = 0) {
  const [year, month] = date.split("-").map(Number);
  return dateOf(new Date(year, month - 1 + months, 1));
}

// Its first moment and the first one of the day after it, by the local clock, as reports take them.
export const spanOf = (date) => ({ from: `${date}T00:00`, to: `${plusDays(date, 1)}T00:00` });

// The same in milliseconds since 1970.
export const momentsOf = (date) => [Date.parse(`${date}T00:00`), Date.parse(`${plusDays(date, 1)}T00:00`)];

export const isDate = (text) => /^\d{4}-\d{2}-\d{2}$/.test(text ?? "") && !Number.isNaN(Date.parse(text));
