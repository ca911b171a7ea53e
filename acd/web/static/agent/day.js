// One's day: a strip of what one was, with a list of the same for whom a picture says nothing.

import { el, say, set, svg } from "../dom.js";
import { situationIn } from "../floor.js";
import { duration, exactTimeOfDay, timeOfDay } from "../format.js";
import { spoken } from "../situations.js";
import { t } from "../texts.js";

const WIDE = 1000; // of the picture, in its own measure
const HIGH = 24;
const AT_LEAST = 1_800_000; // milliseconds that it shows
const MOST = 200; // rows of the list

export class Day {
  #stretches = [];

  constructor() {
    this.picture = svg("svg", { class: "day", viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: "none", role: "img" });
    this.begin = el("span");
    this.end = el("span");
    this.rows = el("ol", { class: "stretches" });
    this.element = el(
      "div",
      { class: "time-line", hidden: true },
      this.picture,
      el("p", { class: "muted ends" }, this.begin, this.end),
      el("details", {}, el("summary", {}, t("agent.today.asList")), this.rows),
    );
  }

  show({ items }, now) {
    this.#stretches = items.filter(situationIn).map(stretch);
    this.element.hidden = !this.#stretches.length;
    if (!this.#stretches.length) return;
    this.picture.replaceChildren(...this.#stretches.map((each) => svg("rect", { "data-situation": each.what, y: 0, height: HIGH }, svg("title", {}, each.text))));
    set(this.picture, "aria-label", t("agent.today.picture", { from: timeOfDay(this.#stretches[0].from) }));
    this.rows.replaceChildren(...this.#stretches.slice(-MOST).reverse().map((each) => el("li", {}, each.text)));
    this.tick(now);
  }

  // The last stretch grows.
  tick(now) {
    if (!this.#stretches.length) return;
    const from = this.#stretches[0].from;
    const whole = Math.max(AT_LEAST, now - from);
    const place = (at) => (((at - from) / whole) * WIDE).toFixed(1);
    const rects = this.picture.children;
    this.#stretches.forEach((each, index) => {
      const to = index === this.#stretches.length - 1 ? Math.max(now, each.to) : each.to;
      set(rects[index], "x", place(each.from));
      set(rects[index], "width", Math.max(0, place(to) - place(each.from)).toFixed(1));
    });
    say(this.begin, timeOfDay(from));
    say(this.end, timeOfDay(from + whole));
  }
}

function stretch(part) {
  const { from, to, reason, seconds } = part;
  const what = situationIn(part);
  const name = [t(`words.situation.${what}`), spoken(reason)].filter(Boolean).join(": ");
  const text = t("agent.today.stretch", { time: exactTimeOfDay(from), name, duration: duration(seconds) });
  return { from: Date.parse(from), to: Date.parse(to), what, text };
}
