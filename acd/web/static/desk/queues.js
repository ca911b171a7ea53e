// All queues with their figures of this moment and of the measurement period.

import { List, el, say, set } from "../dom.js";
import { duration, number, secondsSince } from "../format.js";
import { situationOf } from "../floor.js";
import { t } from "../texts.js";
import { link } from "./links.js";
import { numberCell, table } from "./tables.js";

const FIGURES = ["waiting", "longestWait", "ready", "queued", "answered", "abandoned", "averageWait"];

export class QueuesView {
  title = t("desk.area.queues");

  constructor(desk) {
    this.desk = desk;
    const numbers = FIGURES.map((each) => ({ text: t(`desk.column.${each}`), number: true }));
    const { element, body } = table(t("desk.area.queues"), [t("desk.column.queue"), ...numbers]);
    this.rows = new List(
      body,
      ({ queue }) => `${queue.handler} ${queue.name}`,
      () => new Row(desk),
    );
    this.element = el("div", {}, el("p", { class: "muted" }, t("desk.queuesNote")), element);
  }

  update() {
    this.rows.show(
      [...figuresOf(this.desk.floor)].sort((one, other) => one.queue.name.localeCompare(other.queue.name)),
    );
  }

  tick(now) {
    for (const row of this.rows.parts()) row.tick(now);
  }
}

// Each queue with its ready agents and since when the first caller waits.
function* figuresOf(floor) {
  for (const handler of floor.handlers.values()) {
    const agents = [...handler.agents.values()];
    const ready = handler.countByQueue(
      agents.filter((each) => situationOf(each, handler.sessionsOf(each)).what === "ready"),
    );
    const since = handler.waitingSince();
    for (const queue of handler.queues.values()) {
      yield { queue, since: since.get(queue.name) ?? null, ready: ready.get(queue.name) ?? 0 };
    }
  }
}

class Row {
  constructor(desk) {
    this.desk = desk;
    this.name = el("a");
    this.place = el("span", { class: "muted" });
    this.service = el("span", { class: "muted" });
    this.cells = new Map(FIGURES.map((each) => [each, numberCell("")]));
    this.element = el("tr", {}, el("th", { scope: "row" }, this.name, " ", this.place, " ", this.service), [...this.cells.values()]);
  }

  update({ queue, since, ready }) {
    this.since = since;
    set(this.name, "href", link(["queues", queue.handler, queue.name]));
    say(this.name, queue.name);
    say(this.place, this.desk.floor.placeOf(queue.handler));
    say(this.service, queue.in_service ? "" : t("desk.outOfService"));
    const figures = {
      waiting: queue.current_calls_queued,
      ready,
      queued: queue.total_calls_queued,
      answered: queue.total_calls_answered,
      abandoned: queue.total_calls_abandoned,
    };
    for (const [name, value] of Object.entries(figures)) say(this.cells.get(name), number(value));
    say(this.cells.get("averageWait"), duration(queue.average_wait_time));
    this.tick(this.desk.live.now());
  }

  tick(now) {
    say(this.cells.get("longestWait"), duration(this.since && secondsSince(this.since, now)));
  }
}
