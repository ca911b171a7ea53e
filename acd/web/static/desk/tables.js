// Tables with a caption and headers.

import { el } from "../dom.js";
import { t } from "../texts.js";

// `columns`: texts, or {text, number}. It scrolls by itself where it is too wide, also by the keyboard.
export function table(caption, columns, { isCaptionSeen = false, className = null } = {}) {
  const heads = columns.map((each) => (typeof each === "string" ? { text: each } : each));
  const head = heads.map(({ text, number }) => el("th", { scope: "col", class: number ? "number" : null }, text));
  const body = el("tbody");
  const inner = el(
    "table",
    { class: className },
    el("caption", { class: isCaptionSeen ? null : "unseen" }, caption),
    el("thead", {}, el("tr", {}, head)),
    body,
  );
  const element = el("div", { class: "scroll", role: "group", tabindex: 0, "aria-label": caption }, inner);
  return { element, body, table: inner };
}

export const row = (name, ...cells) => el("tr", {}, el("th", { scope: "row" }, name), ...cells.map(cell));

const cell = (content) => (content instanceof HTMLTableCellElement ? content : el("td", {}, content));

export const numberCell = (text) => el("td", { class: "number" }, text);

// Terms and what they are: [[term, content], ...].
export const facts = (pairs) =>
  el(
    "dl",
    { class: "facts" },
    pairs.map(([term, content]) => el("div", {}, el("dt", {}, term), el("dd", {}, content))),
  );

export const loading = () => el("p", { class: "muted" }, t("common.loading"));
