// One queue: its figures, who waits, how its day went, and who serves it.

import { all, get, handlerPath, reasonOf } from "../api.js";
import { List, el, say } from "../dom.js";
import { duration, number, timeZone } from "../format.js";
import { spoken } from "../situations.js";
import { t } from "../texts.js";
import { Acts } from "./acts.js";
import { penaltyAct, subjectOf } from "./agent-acts.js";
import { queueActs } from "./call-acts.js";
import { Line } from "./calls.js";
import { chart } from "./chart.js";
import { dateOf, isDate, spanOf } from "./days.js";
import { labelled } from "./fields.js";
import { keepInAddress, link } from "./links.js";
import { section } from "./section.js";
import { loading, numberCell, table } from "./tables.js";

const INTERVALS = ["15m", "30m", "1h"];
const AGAIN = 60_000; // milliseconds between two charts of a day that goes on
const FIGURES = {
  current_calls_queued: number,
  total_calls_queued: number,
  total_calls_answered: number,
  total_calls_abandoned: number,
  average_wait_time: duration,
  longest_ever_wait_time: duration,
  wrap_up: duration,
  measurement_period: duration,
};

export class QueueView {
  constructor(desk, [handler, queue], query) {
    Object.assign(this, { desk, handler, name: queue, title: queue });
    this.gone = el("p", {}, t("desk.noQueue"));
    this.acts = new Acts(desk);
    this.values = new Map(Object.keys(FIGURES).map((each) => [each, el("dd")]));
    this.line = new Line(desk, { handler, queue });
    this.day = new Day(desk, handler, queue, query);
    this.members = new Members(desk, handler, queue);
    const facts = [...this.values].map(([name, value]) => el("div", {}, el("dt", {}, t(`desk.figure.${name}`)), value));
    this.body = el(
      "div",
      { class: "stack" },
      section("waiting", this.line.element),
      section("figures", el("dl", { class: "facts" }, facts), this.acts.element),
      section("day", this.day.element),
      section("members", this.members.element),
    );
    this.element = el("div", {}, this.gone, this.body);
  }

  update() {
    const handler = this.desk.floor.handlers.get(this.handler);
    const queue = handler?.queues.get(this.name);
    this.gone.hidden = Boolean(queue);
    this.body.hidden = !queue;
    if (!queue) return;
    for (const [name, write] of Object.entries(FIGURES)) say(this.values.get(name), write(queue[name]));
    this.acts.show(queueActs(handler, queue));
    this.line.update();
    this.members.update(handler);
  }

  tick(now) {
    this.line.tick(now);
  }

  close() {
    this.day.close();
  }
}

// How a day went, interval by interval.
class Day {
  constructor(desk, handler, queue, query) {
    Object.assign(this, { desk, handler, queue });
    const on = { change: () => this.#chosen() };
    const date = isDate(query.get("date")) ? query.get("date") : dateOf(new Date(desk.live.now()));
    this.date = el("input", { type: "date", value: date, required: true, on });
    const interval = INTERVALS.includes(query.get("interval")) ? query.get("interval") : "30m";
    this.interval = el(
      "select",
      { on },
      INTERVALS.map((each) => el("option", { value: each, selected: each === interval }, t(`desk.interval.${each}`))),
    );
    this.place = el("div", {}, loading());
    this.element = el(
      "div",
      {},
      el(
        "div",
        { class: "filter" },
        labelled(this.date, { label: t("desk.date") }),
        labelled(this.interval, { label: t("desk.column.interval") }),
      ),
      this.place,
    );
    this.timer = setInterval(() => this.#again(), AGAIN);
    this.#take();
  }

  close() {
    clearInterval(this.timer);
  }

  #chosen() {
    if (!isDate(this.date.value)) return;
    keepInAddress(["queues", this.handler, this.queue], { date: this.date.value, interval: this.interval.value });
    this.#take();
  }

  // Not while somebody looks at the picture closely.
  #again() {
    const isToday = this.date.value === dateOf(new Date(this.desk.live.now()));
    if (isToday && this.desk.live.isUp && !this.place.contains(document.activeElement)) this.#take();
  }

  async #take() {
    const asked = (this.asked = {});
    try {
      const board = await get(handlerPath(this.handler, "board"), { tz: timeZone() });
      const query = {
        ...spanOf(this.date.value),
        tz: timeZone(),
        interval: this.interval.value,
        queue: this.queue,
        threshold: board.threshold,
      };
      const { items } = await get(handlerPath(this.handler, "reports", "intervals"), query);
      if (asked === this.asked) this.place.replaceChildren(chart(items, board.definition, this.date.value));
    } catch (error) {
      if (asked === this.asked)
        this.place.replaceChildren(el("p", { class: "wrong" }, t("common.failed", { reason: reasonOf(error) })));
    }
  }
}

// Who serves it, and how late his turn comes.
class Members {
  #shown = "";
  #members = [];

  constructor(desk, handler, queue) {
    Object.assign(this, { desk, handlerName: handler, queue });
    const columns = [
      t("desk.column.agent"),
      t("desk.column.phone"),
      t("desk.column.paused"),
      { text: t("desk.column.penalty"), number: true },
      t("desk.column.acts"),
    ];
    this.table = table(t("desk.part.members"), columns);
    this.none = el("p", { class: "muted" }, t("desk.noMembers"));
    this.rows = new List(
      this.table.body,
      (each) => `${each.agent} ${each.address}`,
      () => new Member(desk, handler, queue),
    );
    this.element = el("div", {}, this.none, this.table.element);
  }

  // Read anew when somebody's session has become another one.
  update(handler) {
    const seen = [...handler.sessions.values()].map((each) => `${each.id} ${each.state} ${each.reason}`).join("\n");
    if (seen !== this.#shown) this.#take(seen);
    else this.#show();
  }

  #show() {
    this.none.hidden = this.#members.length > 0;
    this.table.element.hidden = !this.#members.length;
    const named = (each) => handlerAgents(this.desk, this.handlerName).get(each.agent)?.user ?? each.agent;
    this.#members.sort((one, other) => named(one).localeCompare(named(other)));
    this.rows.show(this.#members.map((each) => ({ ...each, then: () => this.#take(this.#shown) })));
  }

  async #take(seen) {
    this.#shown = seen;
    this.#members = await all(handlerPath(this.handlerName, "queues", this.queue, "members")).catch(
      () => this.#members,
    );
    this.#show();
  }
}

const handlerAgents = (desk, handler) => desk.floor.handlers.get(handler).agents;

class Member {
  constructor(desk, handler, queue) {
    Object.assign(this, { desk, handler, queue });
    this.name = el("a");
    this.phone = el("td");
    this.paused = el("td");
    this.penalty = numberCell("");
    this.acts = new Acts(desk);
    this.element = el(
      "tr",
      {},
      el("th", { scope: "row" }, this.name),
      this.phone,
      this.paused,
      this.penalty,
      el("td", {}, this.acts.element),
    );
  }

  update({ agent, address, penalty, paused, reason, then }) {
    const subject = subjectOf(this.desk, this.handler, agent);
    this.name.href = link(["agents", this.handler, agent]);
    say(this.name, subject?.who ?? agent);
    say(this.phone, address);
    say(this.paused, paused ? spoken(reason) || t("common.yes") : "");
    say(this.penalty, penalty);
    this.acts.show(subject ? [penaltyAct(subject, this.queue, penalty, then)] : []);
  }
}
