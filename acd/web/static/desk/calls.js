// The callers who wait, in the order in which they will be served.

import { all, handlerPath } from "../api.js";
import { List, el, say } from "../dom.js";
import { NOTHING, duration, number, secondsSince } from "../format.js";
import { t } from "../texts.js";
import { Acts } from "./acts.js";
import { callActs } from "./call-acts.js";
import { link } from "./links.js";
import { numberCell, table } from "./tables.js";

const AGAIN = 1_500; // milliseconds between two looks at one queue: the stream tells no priorities

export class CallsView {
  title = t("desk.area.calls");

  constructor(desk) {
    this.line = new Line(desk);
    this.element = this.line.element;
  }

  update() {
    this.line.update();
  }

  tick(now) {
    this.line.tick(now);
  }
}

// Those of every queue, or of one: {handler, queue} by their names.
export class Line {
  constructor(desk, only = null) {
    Object.assign(this, { desk, only });
    this.ranks = new Ranks(() => this.update());
    this.none = el("p", { class: "muted" }, t("desk.nobodyWaits"));
    const columns = ["caller", "queue"].map((each) => t(`desk.column.${each}`));
    const numbers = ["position", "waits", "priority"].map((each) => ({ text: t(`desk.column.${each}`), number: true }));
    this.table = table(t("desk.area.calls"), [...columns, ...numbers, t("desk.column.acts")]);
    this.rows = new List(
      this.table.body,
      ({ key }) => key,
      () => new Row(desk),
    );
    this.element = el("div", {}, this.none, this.table.element);
  }

  update() {
    const calls = [...this.#calls()].sort((one, other) => order(one, other));
    this.none.hidden = calls.length > 0;
    this.table.element.hidden = !calls.length;
    this.rows.show(calls);
  }

  tick(now) {
    for (const row of this.rows.parts()) row.tick(now);
  }

  *#calls() {
    for (const handler of this.desk.floor.handlers.values()) {
      if (this.only && this.only.handler !== handler.name) continue;
      for (const call of handler.calls.values()) {
        if (this.only && this.only.queue !== call.queue) continue;
        this.ranks.look(handler, call.queue);
        const { position = null, priority = call.priority } = this.ranks.of(handler, call) ?? {};
        const again = () => this.ranks.look(handler, call.queue, true);
        yield {
          handler,
          call: { ...call, position, priority },
          key: `${handler.name} ${call.queue} ${call.call}`,
          again,
        };
      }
    }
  }
}

const order = (one, other) =>
  one.handler.name.localeCompare(other.handler.name) ||
  one.call.queue.localeCompare(other.call.queue) ||
  (one.call.position ?? Infinity) - (other.call.position ?? Infinity) ||
  (one.call.waiting_since < other.call.waiting_since ? -1 : 1);

// The places and priorities, asked for when a queue has moved.
class Ranks {
  #ranks = new Map();
  #asked = new Map(); // the queue as it was then

  constructor(changed) {
    this.changed = changed;
  }

  of(handler, { queue, call }) {
    return this.#ranks.get(`${handler.name} ${queue}`)?.get(call);
  }

  look(handler, queue, isWanted = false) {
    const key = `${handler.name} ${queue}`;
    const seen = handler.queues.get(queue);
    const last = this.#asked.get(key);
    if (!isWanted && last && (last.seen === seen || Date.now() - last.at < AGAIN)) return;
    this.#asked.set(key, { seen, at: Date.now() });
    this.#take(key, handlerPath(handler.name, "queues", queue, "calls"));
  }

  async #take(key, path) {
    const calls = await all(path).catch(() => null); // without them the line stands by its time
    if (!calls) return;
    this.#ranks.set(key, new Map(calls.map((each) => [each.call, each])));
    this.changed();
  }
}

class Row {
  constructor(desk) {
    this.desk = desk;
    this.caller = el("th", { scope: "row" });
    this.place = el("span", { class: "muted" });
    this.queue = el("a");
    this.position = numberCell("");
    this.time = numberCell("");
    this.priority = numberCell("");
    this.acts = new Acts(desk);
    this.element = el(
      "tr",
      {},
      this.caller,
      el("td", {}, this.queue, " ", this.place),
      this.position,
      this.time,
      this.priority,
      el("td", {}, this.acts.element),
    );
  }

  update({ handler, call, again }) {
    this.since = call.waiting_since;
    say(this.caller, call.caller || t("words.caller"));
    this.queue.href = link(["queues", handler.name, call.queue]);
    say(this.queue, call.queue);
    say(this.place, this.desk.floor.placeOf(handler.name));
    say(this.position, number(call.position));
    say(this.priority, call.priority ?? NOTHING);
    this.acts.show(callActs(this.desk, handler, call, again));
    this.tick(this.desk.live.now());
  }

  tick(now) {
    say(this.time, duration(secondsSince(this.since, now)));
  }
}
