// A row a queue.

import { List, el, say, set, svg } from "../dom.js";
import { NOTHING, SIGNS, duration, judged, number, percent, secondsSince } from "../format.js";
import { t } from "../texts.js";

const FIGURES = ["waiting", "longestWait", "ready", "levelNow", "levelToday", "offered", "abandoned"];
const WIDTH = 120; // of a sparkline, in its own units
const HEIGHT = 28;

export class Queues {
  constructor() {
    const heads = [t("wallboard.queue"), ...FIGURES.map((name) => t(`wallboard.${name}`)), t("wallboard.lastHour")];
    const head = heads.map((text, place) => el("th", { scope: "col", class: place && place <= FIGURES.length ? "number" : null }, text));
    const body = el("tbody");
    this.none = el("p", { class: "muted" }, t("wallboard.noQueues"));
    this.element = el(
      "section",
      { class: "queues card", "aria-label": t("wallboard.queues") },
      el("table", {}, el("thead", {}, el("tr", {}, head)), body),
      this.none,
    );
    this.rows = new List(body, (queue) => `${queue.handler} ${queue.name}`, (queue) => new Row(queue));
  }

  show({ queues, boards }, now) {
    this.none.hidden = queues.length > 0;
    this.rows.show(queues.map((queue) => ({ ...queue, terms: boards.terms, now })));
  }

  tick(now) {
    for (const row of this.rows.parts()) row.tick(now);
  }
}

class Row {
  #cells = new Map(FIGURES.map((name) => [name, new Cell(name)]));
  #spark = new Sparkline();

  constructor(queue) {
    this.service = el("span", { class: "service" });
    this.place = el("span", { class: "place" });
    const name = el("th", { scope: "row" }, queue.name, " ", this.place, " ", this.service);
    const cells = [...this.#cells.values()].map((each) => each.element);
    this.element = el("tr", {}, name, cells, el("td", { class: "hour" }, this.#spark.element));
  }

  update(queue) {
    const { terms, row } = queue;
    this.queue = queue;
    say(this.place, queue.place);
    say(this.service, queue.in_service ? "" : t("wallboard.outOfService"));
    set(this.element, "class", queue.in_service ? null : "away");
    this.#show("waiting", queue.current_calls_queued, number, terms?.targets.waiting);
    this.#show("ready", queue.ready, number, terms?.targets.ready);
    this.#show("levelNow", row && row.recent.service_level, percent, terms?.targets.service_level);
    this.#show("levelToday", row && row.today.service_level, percent, terms?.targets.service_level);
    this.#show("offered", row && row.today.offered, number);
    const share = row && row.today.offered ? row.today.abandoned / row.today.offered : null;
    this.#show("abandoned", share, () => (row ? number(row.today.abandoned) : NOTHING), terms?.targets.abandoned);
    this.#spark.show(row?.steps ?? []);
    this.tick(queue.now);
  }

  tick(now) {
    const { waitingSince, terms } = this.queue;
    const waited = waitingSince === null ? null : secondsSince(waitingSince, now);
    this.#show("longestWait", waited, duration, terms?.targets.longest_wait);
  }

  #show(name, value, write, target) {
    this.#cells.get(name).show(write(value), target ? judged(value, target) : "none");
  }
}

class Cell {
  constructor(name) {
    this.value = el("span");
    this.sign = el("span", { class: "sign", "aria-hidden": "true" });
    this.judgement = el("span", { class: "unseen" });
    this.element = el("td", { class: "number", "data-name": name }, this.sign, this.value, this.judgement);
  }

  show(text, judgement) {
    say(this.value, text);
    if (this.element.dataset.judged === judgement) return;
    this.element.dataset.judged = judgement;
    const worth = judgement === "attention" || judgement === "bad"; // a row full of ticks says nothing
    say(this.sign, worth ? SIGNS[judgement] : "");
    say(this.judgement, worth ? t(`words.${judgement}`) : "");
  }
}

// Calls of the last hour: a bar a step, its lower part answered in time.
class Sparkline {
  #shown = null;

  constructor() {
    this.offered = svg("path", { class: "offered" });
    this.within = svg("path", { class: "within" });
    this.element = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" }, this.offered, this.within);
  }

  show(steps) {
    const most = Math.max(4, ...steps.map((each) => each.offered));
    const bars = (name) => steps.map((each, place) => bar(place, steps.length, each[name] / most)).join("");
    const drawn = bars("offered");
    const inTime = bars("answered_within");
    if (this.#shown === drawn + inTime) return;
    this.#shown = drawn + inTime;
    this.offered.setAttribute("d", drawn);
    this.within.setAttribute("d", inTime);
    const all = (name) => number(steps.reduce((sum, each) => sum + each[name], 0));
    this.element.setAttribute("aria-label", t("wallboard.hourText", { offered: all("offered"), within: all("answered_within") }));
  }
}

function bar(place, count, part) {
  const width = WIDTH / count;
  const height = part * HEIGHT;
  return part ? `M${(place * width + 1).toFixed(1)} ${HEIGHT}v${-height.toFixed(1)}h${(width - 2).toFixed(1)}v${height.toFixed(1)}z` : "";
}
