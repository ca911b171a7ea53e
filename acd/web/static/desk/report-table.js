// A report as a table. Each figure can be shown with what it is made of.

import { el } from "../dom.js";
import { NOTHING, dayAndTime, duration, number, percent } from "../format.js";
import { spoken } from "../situations.js";
import { has, t } from "../texts.js";
import { numberCell, row, table } from "./tables.js";

const MOST = 500; // rows in the page; all of them are in the CSV
const MAIN = {
  queues: [
    "queue",
    "offered",
    "answered",
    "abandoned",
    "service_level_of_offered",
    "answer_rate",
    "abandon_rate",
    "average_speed_of_answer",
    "longest_wait_time",
    "average_talk_time",
    "average_handling_time",
  ],
  intervals: [
    "from",
    "queue",
    "offered",
    "answered",
    "abandoned",
    "service_level_of_offered",
    "average_speed_of_answer",
    "average_handling_time",
  ],
  agents: [
    "agent",
    "answered",
    "handled",
    "average_talk_time",
    "average_after_call_work",
    "average_handling_time",
    "logged_on_time",
    "ready_time",
    "not_ready_time",
    "occupancy",
    "utilisation",
  ],
  "agent-intervals": [
    "from",
    "agent",
    "answered",
    "average_handling_time",
    "logged_on_time",
    "ready_time",
    "busy_acd_time",
    "not_ready_time",
    "occupancy",
  ],
  reasons: ["agent", "reason", "begun", "reason_time", "reason_share"],
  dispositions: [
    "queue",
    "disposition",
    "coded",
    "answered",
    "disposition_share",
    "average_talk_time",
    "average_handling_time",
  ],
  calls: [
    "entered",
    "queue",
    "caller",
    "agent",
    "outcome",
    "wait_time",
    "talk_time",
    "hold_time",
    "wrap_up_time",
    "disposition",
  ],
};
const SUMMED = ["handler", "queue", "agent"];
const LABELS = ["handler", "queue", "agent", "reason", "disposition", "caller", "call", "session", "outcome", "state"];
const MOMENTS = ["from", "to", "local_from", "entered", "answered", "ended", "since"];

// `nameOf(agent, handler)`: what people call the agent by that name in addresses.
export class ReportTable {
  constructor(answer, nameOf) {
    Object.assign(this, { answer, nameOf });
    this.place = el("div");
    this.isWhole = box("allFields", () => this.#show());
    this.isExplained = box("explained", () => this.#show());
    const boxes = el(
      "div",
      { class: "acts" },
      this.isWhole.element,
      Object.keys(answer.figures).length > 0 && this.isExplained.element,
    );
    this.element = el("div", {}, boxes, this.place);
    this.#show();
  }

  #show() {
    const { report, items } = this.answer;
    if (!items.length) return this.place.replaceChildren(el("p", { class: "muted" }, t("desk.emptyReport")));
    const columns = this.isWhole.input.checked
      ? Object.keys(items[0]).filter((name) => name !== "histogram")
      : [...(this.answer.handlers.length > 1 ? ["handler"] : []), ...MAIN[report]].filter((each) => this.#isTold(each));
    const { element, body } = table(
      t(`desk.report.${report}`),
      columns.map((name) => this.#head(name, items[0][name])),
    );
    body.append(...items.slice(0, MOST).map((item) => this.#row(item, columns)));
    const rest = items.length - MOST;
    this.place.replaceChildren(element, ...(rest > 0 ? [el("p", {}, t("desk.moreRows", { count: rest }))] : []));
  }

  // Of a sum over all there is neither handler nor queue nor agent.
  #isTold(name) {
    return !SUMMED.includes(name) || this.answer.items.some((each) => each[name] !== null);
  }

  #head(name, value) {
    const label = fieldName(name);
    const formula = this.isExplained.input.checked && this.answer.figures[name]?.formula;
    return { text: formula ? `${label} = ${inWords(formula)}` : label, number: !isLabel(name, value) };
  }

  #row(item, columns) {
    const [first, ...others] = columns;
    return row(this.#text(first, item), ...others.map((name) => this.#cell(name, item)));
  }

  #cell(name, item) {
    const value = item[name];
    if (isLabel(name, value)) return this.#text(name, item);
    const cell = numberCell(text(name, value));
    if (this.isExplained.input.checked && isFigure(value)) {
      const part = (figure) => (isTime(name) && figure === value.numerator ? duration(figure) : number(figure));
      cell.append(el("small", { class: "muted" }, `${part(value.numerator)} / ${number(value.denominator)}`));
    }
    return cell;
  }

  #text(name, item) {
    return name === "agent" && item.agent ? this.nameOf(item.agent, item.handler) : text(name, item[name]);
  }
}

function box(name, changed) {
  const input = el("input", { type: "checkbox", on: { change: changed } });
  return { input, element: el("label", { class: "check" }, input, t(`desk.${name}`)) };
}

const isFigure = (value) => value !== null && typeof value === "object" && "numerator" in value;
const isLabel = (name, value) => LABELS.includes(name) || (MOMENTS.includes(name) && typeof value !== "number");
const isTime = (name) => name.endsWith("_time") || name.startsWith("average_") || name.endsWith("_exact");

export const fieldName = (name) => (has(`desk.field.${name}`) ? t(`desk.field.${name}`) : name.replaceAll("_", " "));

// A formula in the names that the columns have.
const inWords = (formula) => formula.replace(/[a-z_]+/g, fieldName).replace("/", "÷");

function text(name, value) {
  if (isFigure(value)) value = value.value;
  if (value === null || value === undefined || value === "") return NOTHING;
  if (name === "outcome") return has(`desk.outcomes.${value}`) ? t(`desk.outcomes.${value}`) : value;
  if (name === "reason") return spoken(value);
  if (name === "local_from") return value.slice(0, 16).replace("T", " ");
  if (MOMENTS.includes(name) && typeof value === "string") return dayAndTime(value);
  if (name === "not_ready_reasons")
    return Object.entries(value)
      .map(([reason, spent]) => `${spoken(reason) || NOTHING} ${duration(spent)}`)
      .join(", ");
  if (typeof value !== "number") return String(value);
  return isTime(name) ? duration(value) : isShare(name) ? percent(value) : number(value);
}

const isShare = (name) => /_rate|_share$|^service_level|^occupancy$|^utilisation$/.test(name);
