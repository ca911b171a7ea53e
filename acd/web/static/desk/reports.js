// The report builder: what is asked for stands in the address, the answer below it, and the same as CSV.

import { ask, handlerPath, reasonOf, withQuery } from "../api.js";
import { el } from "../dom.js";
import { dayAndTime, timeZone } from "../format.js";
import { t } from "../texts.js";
import { dateOf, firstOfMonth, mondayOf, plusDays } from "./days.js";
import { Field } from "./fields.js";
import { keepInAddress } from "./links.js";
import { ReportTable } from "./report-table.js";
import { loading } from "./tables.js";

const WITHIN = 120_000; // milliseconds: a year of a large site takes its time
const REPORTS = ["queues", "intervals", "agents", "agent-intervals", "reasons", "dispositions", "calls"];
const BY = ["each", "handler", "all"];
const INTERVALS = ["5m", "10m", "15m", "30m", "1h", "1d"];
const BY_INTERVAL = ["intervals", "agent-intervals"];
const BY_QUEUE = ["queues", "intervals", "dispositions", "calls"]; // where agents are no choice that makes sense
const WITH_LEVEL = ["queues", "intervals"];
const PERIODS = {
  today: (today) => [today, plusDays(today, 1)],
  yesterday: (today) => [plusDays(today, -1), today],
  thisWeek: (today) => [mondayOf(today), plusDays(today, 1)],
  lastWeek: (today) => [plusDays(mondayOf(today), -7), mondayOf(today)],
  thisMonth: (today) => [firstOfMonth(today), plusDays(today, 1)],
  lastMonth: (today) => [firstOfMonth(today, -1), firstOfMonth(today)],
};

export class ReportsView {
  title = t("desk.area.reports");

  constructor(desk, query) {
    this.desk = desk;
    this.form = new Form(desk, query, () => this.#changed());
    this.csv = el("a", { class: "button", download: "" }, t("desk.csv"));
    this.result = el("div", { "aria-live": "polite" });
    this.element = el("div", { class: "stack" }, this.form.element, this.result);
    this.form.buttons.append(el("button", { type: "submit", class: "main" }, t("desk.showReport")), this.csv);
    this.form.element.addEventListener("submit", (event) => this.#asked(event));
    this.#changed();
    if (query.has("report")) this.#take();
  }

  #changed() {
    this.csv.href = this.form.path({ format: "csv" });
    this.csv.setAttribute("download", `${this.form.report}.csv`);
  }

  #asked(event) {
    event.preventDefault();
    keepInAddress(["reports"], this.form.query);
    this.#take();
  }

  async #take() {
    const asked = (this.asked = {});
    this.result.replaceChildren(loading());
    try {
      const answer = await ask("GET", this.form.path({ format: "json" }), undefined, { within: WITHIN });
      if (asked === this.asked)
        this.result.replaceChildren(
          head(answer),
          new ReportTable(answer, (agent, handler) => this.#nameOf(handler, agent)).element,
        );
    } catch (error) {
      if (asked === this.asked)
        this.result.replaceChildren(el("p", { class: "wrong" }, t("common.failed", { reason: reasonOf(error) })));
    }
  }

  #nameOf(handler, agent) {
    return named(this.desk.floor.handlers.get(handler)?.agents.get(agent) ?? { agent, user: agent });
  }
}

const head = ({ report, from, to, tz }) =>
  el(
    "p",
    {},
    el("strong", {}, t(`desk.report.${report}`)),
    " ",
    t("desk.reportSpan", { from: dayAndTime(from), to: dayAndTime(to), zone: timeZone(), asked: tz }),
  );

class Form {
  constructor(desk, query, changed) {
    this.desk = desk;
    const floor = desk.floor;
    const value = (name, otherwise) => query.get(name) ?? otherwise;
    const listed = (name) => (query.get(name) ?? "").split(",").filter(Boolean);
    const today = dateOf(new Date(desk.live.now()));
    this.fields = {
      handler: new Field({
        name: "handler",
        label: t("desk.handler"),
        type: "select",
        options: [["", t("desk.allHandlers")], ...floor.handlers.keys()],
        value: value("handler"),
      }),
      report: new Field({
        name: "report",
        label: t("desk.reportName"),
        type: "select",
        options: REPORTS.map((each) => [each, t(`desk.report.${each}`)]),
        value: value("report"),
      }),
      by: new Field({
        name: "by",
        label: t("desk.by"),
        type: "select",
        options: BY.map((each) => [each, t(`desk.byWhat.${each}`)]),
        value: value("by", "each"),
      }),
      period: new Field({
        name: "period",
        label: t("desk.period"),
        type: "select",
        options: [...Object.keys(PERIODS), "custom"].map((each) => [each, t(`desk.periods.${each}`)]),
        value: value("period"),
      }),
      from: new Field({
        name: "from",
        label: t("desk.column.from"),
        type: "datetime-local",
        value: value("from", `${today}T00:00`),
        required: true,
      }),
      to: new Field({
        name: "to",
        label: t("desk.column.to"),
        type: "datetime-local",
        value: value("to", `${plusDays(today, 1)}T00:00`),
        required: true,
      }),
      interval: new Field({
        name: "interval",
        label: t("desk.column.interval"),
        type: "select",
        options: INTERVALS.map((each) => [each, t(`desk.interval.${each}`)]),
        value: value("interval", "1h"),
      }),
      tz: new Field({
        name: "tz",
        label: t("desk.timeZone"),
        type: "suggest",
        options: Intl.supportedValuesOf("timeZone"),
        value: value("tz", timeZone()),
        required: true,
      }),
      threshold: new Field({
        name: "threshold",
        label: t("desk.threshold"),
        type: "number",
        min: 0,
        max: 86_400,
        step: "any",
        value: value("threshold", 20),
        required: true,
      }),
      queue: new Field({
        name: "queue",
        label: t("desk.area.queues"),
        type: "checks",
        options: namesOf([...floor.queues()].map((each) => each.name)),
        value: listed("queue"),
      }),
      group: new Field({
        name: "group",
        label: t("desk.column.groups"),
        type: "checks",
        options: floor.groups(),
        value: listed("group"),
      }),
      agent: new Field({
        name: "agent",
        label: t("desk.area.agents"),
        type: "checks",
        options: agentsOf(floor),
        value: listed("agent"),
      }),
    };
    this.only = el(
      "details",
      {},
      el("summary", {}, t("desk.only")),
      el(
        "div",
        { class: "filter top" },
        ["queue", "group", "agent"].map((each) => this.fields[each].element),
      ),
    );
    this.buttons = el("div", { class: "acts" });
    const simple = Object.entries(this.fields)
      .filter(([name]) => !["queue", "group", "agent"].includes(name))
      .map(([, each]) => each.element);
    this.element = el("form", { class: "card part" }, el("div", { class: "filter" }, simple), this.only, this.buttons);
    this.only.open = ["queue", "group", "agent"].some((each) => query.has(each));
    this.element.addEventListener("input", () => this.#dress(changed));
    this.#dress(() => {});
  }

  get report() {
    return this.fields.report.value;
  }

  // What the address keeps: a period by its name stays "yesterday" tomorrow, too.
  get query() {
    const values = Object.fromEntries(
      Object.entries(this.fields)
        .filter(([name]) => this.#matters(name))
        .map(([name, each]) => [name, String(each.value)]),
    );
    return values;
  }

  // Where the API answers it.
  path(more) {
    const { handler, report, period, ...query } = this.query;
    const span = PERIODS[period]?.(dateOf(new Date(this.desk.live.now())));
    const named = span ? { from: `${span[0]}T00:00`, to: `${span[1]}T00:00` } : {};
    const path = handler ? handlerPath(handler, "reports", report) : `/api/v1/reports/${report}`;
    return withQuery(path, { ...query, ...named, ...more });
  }

  #matters(name) {
    const { report } = this;
    if (name === "from" || name === "to") return this.fields.period.value === "custom";
    if (name === "handler") return this.desk.floor.handlers.size > 1;
    if (name === "by") return report !== "calls";
    if (name === "interval") return BY_INTERVAL.includes(report);
    if (name === "threshold") return WITH_LEVEL.includes(report);
    if (name === "agent") return !BY_QUEUE.includes(report) || report === "calls";
    return true;
  }

  #dress(changed) {
    for (const [name, field] of Object.entries(this.fields)) {
      const isHidden = !this.#matters(name);
      field.element.hidden = isHidden;
      for (const control of field.element.querySelectorAll("input")) control.disabled = isHidden;
    }
    changed();
  }
}

const namesOf = (names) => [...new Set(names)].sort();

function agentsOf(floor) {
  const agents = [...floor.agents()].map((each) => [each.agent, named(each)]);
  return agents.sort((one, other) => one[1].localeCompare(other[1]));
}

const named = ({ agent, user }) => (user === agent ? user : `${user} (${agent})`);
