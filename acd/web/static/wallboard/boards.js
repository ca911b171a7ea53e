// The figures of the calls, which are asked for every now and then: today, the last half hour, the last hour.

import { get } from "../api.js";
import { el, say } from "../dom.js";
import { NOTHING, exactTimeOfDay, timeZone } from "../format.js";
import { t } from "../texts.js";

const EVERY = 10_000;

export class Boards extends EventTarget {
  #rows = new Map(); // by handler and queue
  terms = null; // the site's targets, and by what calls are judged; null until the first board came
  element = el("p", { class: "banner old", role: "status", hidden: true });
  #since = "";

  constructor(live) {
    super();
    this.live = live;
  }

  start() {
    this.#take();
    setInterval(() => this.#take(), EVERY);
    this.live.addEventListener("line", () => this.#take());
  }

  async #take() {
    if (!this.live.isUp) return;
    const board = await get("/api/v1/board", { tz: timeZone() }).catch(() => null);
    if (board) this.#keep(board);
    say(this.element, board ? "" : t("wallboard.boardFailed", { time: this.#since ? exactTimeOfDay(this.#since) : NOTHING }));
    this.element.hidden = board !== null;
    this.dispatchEvent(new Event("change"));
  }

  #keep(board) {
    this.#since = new Date(this.live.now()).toISOString();
    this.#rows = new Map(board.queues.map((each) => [keyOf(each.handler, each.queue), each]));
    this.terms = board;
  }

  // Its row; null while there is none.
  of(queue) {
    return this.#rows.get(keyOf(queue.handler, queue.name)) ?? null;
  }
}

const keyOf = (handler, queue) => `${handler} ${queue}`; // no name of a handler has a blank

// The sum of some parts of rows, with the service level by the definition that the board names.
export function sum(parts) {
  const total = { offered: 0, answered: 0, abandoned: 0, answered_within: 0, abandoned_within: 0 };
  for (const part of parts) for (const name of Object.keys(total)) total[name] += part[name];
  return total;
}

const LEVELS = {
  service_level_of_answered: (all) => [all.answered_within, all.answered],
  service_level_of_offered: (all) => [all.answered_within, all.offered],
  service_level_ignoring_early_abandons: (all) => [all.answered_within, all.offered - all.abandoned_within],
  service_level_with_early_abandons: (all) => [all.answered_within + all.abandoned_within, all.offered],
};

export function serviceLevel(all, definition) {
  const [above, below] = LEVELS[definition](all);
  return below ? above / below : null;
}
