// Who waits in the agent's queues.

import { List, el, say } from "../dom.js";
import { duration, number, secondsSince } from "../format.js";
import { t } from "../texts.js";

export class Queues {
  #missing = "";

  constructor(mine) {
    this.mine = mine;
    const body = el("tbody");
    this.list = new List(body, (queue) => queue.name, () => new Row());
    const head = ["queue", "waiting", "longestWait"].map((name) => el("th", { scope: "col", class: name === "queue" ? null : "number" }, t(`agent.${name}`)));
    this.element = el(
      "section",
      { class: "queues card", "aria-labelledby": "queues" },
      el("h2", { id: "queues" }, t("agent.queues")),
      el("table", {}, el("thead", {}, el("tr", {}, head)), body),
    );
  }

  show() {
    const { handler, agent, sessions } = this.mine;
    const names = new Set(sessions.flatMap((each) => handler.groups.get(each.acd_group)?.queues ?? []));
    this.#lookFor([...names].filter((name) => !handler.queues.has(name)).join());
    const queues = [...names].sort().map((name) => handler.queues.get(name)).filter(Boolean);
    this.list.show(queues.map((queue) => ({ ...queue, now: this.mine.now(), agent })));
  }

  // The picture is from before he was logged on for them.
  #lookFor(missing) {
    if (missing && missing !== this.#missing) this.mine.live.refresh().catch(() => {}); // the next log-on looks again
    this.#missing = missing;
  }

  tick() {
    for (const row of this.list.parts()) row.tick(this.mine.now());
  }
}

class Row {
  constructor() {
    this.name = el("th", { scope: "row" });
    this.waiting = el("td", { class: "number" });
    this.longest = el("td", { class: "number" });
    this.element = el("tr", {}, this.name, this.waiting, this.longest);
  }

  update(queue) {
    this.queue = queue;
    say(this.name, queue.name);
    say(this.waiting, number(queue.current_calls_queued));
    this.tick(queue.now);
  }

  // The figure was so at `at`, and grows as long as somebody waits.
  tick(now) {
    const { current_calls_queued, current_longest_wait_time_exact, at } = this.queue;
    say(this.longest, duration(current_calls_queued ? current_longest_wait_time_exact + secondsSince(at, now) : null));
  }
}
