// Says to a screen reader what became bad or good again: once, and not every second.

import { el, say } from "../dom.js";
import { t } from "../texts.js";

const PAUSE = 20_000; // milliseconds between two messages

export class Alarm {
  #told = new Map();
  #last = 0;
  element = el("p", { class: "unseen", role: "status" });

  hear(judged) {
    if (Date.now() - this.#last < PAUSE) return;
    const news = [...judged].filter(([name, { judgement }]) => this.#isNews(name, judgement));
    if (!news.length) return;
    this.#last = Date.now();
    for (const [name, { judgement }] of judged) this.#told.set(name, judgement);
    say(this.element, news.map(([name, { value, judgement }]) => sentence(name, value, judgement)).join(". "));
  }

  #isNews(name, judgement) {
    const before = this.#told.get(name) ?? "good";
    return before !== judgement && (before === "bad" || judgement === "bad");
  }
}

const sentence = (name, value, judgement) =>
  t("wallboard.alarm", { what: t(`wallboard.${name}`), value, judgement: t(`words.${judgement}`) });
