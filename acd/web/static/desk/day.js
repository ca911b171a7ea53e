// One agent's day as a picture, and as a table.

import { get, handlerPath, reasonOf } from "../api.js";
import { el } from "../dom.js";
import { situationIn } from "../floor.js";
import { NOTHING, duration, exactTimeOfDay, timeZone } from "../format.js";
import { spoken } from "../situations.js";
import { t } from "../texts.js";
import { dateOf, isDate, plusDays, spanOf } from "./days.js";
import { labelled } from "./fields.js";
import { keepInAddress, link } from "./links.js";
import { facts, loading, numberCell, row, table } from "./tables.js";
import { LANES, timeline } from "./timeline.js";

export class DayView {
  constructor(desk, [handler, agent], query) {
    Object.assign(this, { desk, handler, agent });
    const who = desk.floor.handlers.get(handler)?.agents.get(agent)?.user ?? agent;
    this.title = t("desk.dayTitle", { who });
    const date = isDate(query.get("date")) ? query.get("date") : this.#today();
    this.date = el("input", { type: "date", value: date, required: true, on: { change: () => this.#chosen() } });
    this.place = el("div", {}, loading());
    this.element = el(
      "div",
      { class: "stack" },
      el("p", {}, el("a", { href: link(["agents", handler, agent]) }, t("desk.backTo", { who }))),
      el(
        "div",
        { class: "filter" },
        this.#step("dayBefore", -1),
        labelled(this.date, { label: t("desk.date") }),
        this.#step("dayAfter", 1),
        el("button", { type: "button", on: { click: () => this.#choose(this.#today()) } }, t("desk.today")),
      ),
      this.place,
    );
    this.#take();
  }

  #today() {
    return dateOf(new Date(this.desk.live.now()));
  }

  #step(name, days) {
    return el(
      "button",
      { type: "button", on: { click: () => this.#choose(plusDays(this.date.value, days)) } },
      t(`desk.${name}`),
    );
  }

  #choose(date) {
    this.date.value = date;
    this.#chosen();
  }

  #chosen() {
    if (!isDate(this.date.value)) return;
    keepInAddress(["agents", this.handler, this.agent, "day"], { date: this.date.value });
    this.#take();
  }

  async #take() {
    const asked = (this.asked = {});
    this.place.replaceChildren(loading());
    try {
      const query = { ...spanOf(this.date.value), tz: timeZone(), format: "json" };
      const { items } = await get(handlerPath(this.handler, "agents", this.agent, "timeline"), query);
      if (asked === this.asked) this.place.replaceChildren(...pictured(items));
    } catch (error) {
      if (asked === this.asked)
        this.place.replaceChildren(el("p", { class: "wrong" }, t("common.failed", { reason: reasonOf(error) })));
    }
  }
}

function pictured(items) {
  const stretches = items.filter((each) => situationIn(each));
  if (!stretches.length) return [el("p", { class: "muted" }, t("desk.emptyDay"))];
  return [timeline(stretches), sums(stretches), asTable(stretches)];
}

function sums(stretches) {
  const seconds = Object.groupBy(stretches, situationIn);
  const spent = LANES.filter((lane) => seconds[lane]);
  const sum = (lane) => seconds[lane].reduce((total, each) => total + each.seconds, 0);
  return facts(spent.map((lane) => [t(`words.situation.${lane}`), duration(sum(lane))]));
}

function asTable(stretches) {
  const columns = ["from", "to"].map((each) => t(`desk.column.${each}`));
  const more = ["reason", "calls"].map((each) => t(`desk.column.${each}`));
  const { element, body } = table(t("desk.stretches"), [
    ...columns,
    { text: t("desk.column.lasted"), number: true },
    t("desk.column.situation"),
    ...more,
  ]);
  for (const each of stretches) body.append(stretchRow(each));
  return el("details", {}, el("summary", {}, t("desk.asTable")), element);
}

const stretchRow = (each) =>
  row(
    exactTimeOfDay(each.from),
    exactTimeOfDay(each.to),
    numberCell(duration(each.seconds)),
    t(`words.situation.${situationIn(each)}`),
    spoken(each.reason) || NOTHING,
    each.calls
      .map((call) => t("desk.callIn", { queue: call.queue, caller: call.caller || t("words.caller") }))
      .join("; ") || NOTHING,
  );
