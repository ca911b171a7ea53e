// After-call work: how long it still lasts, more of it, its end; and the code of the call, which can be given while he
// still talks.

import { el, say, set, svg } from "../dom.js";
import { duration } from "../format.js";
import { t } from "../texts.js";
import { complaint } from "./buttons.js";

const MORE = [30, 60, 300]; // seconds
const AROUND = 100; // the length of the ring, as `pathLength` has it

export class WrapUp {
  #codes;

  constructor(mine, buttons, choices) {
    Object.assign(this, { mine, required: choices.disposition_required });
    this.wrong = complaint();
    this.arc = svg("circle", { class: "arc", cx: 50, cy: 50, r: 44, pathLength: AROUND });
    this.seconds = el("span", { class: "seconds", role: "timer", "aria-label": t("agent.wrapUpLeft") });
    const ring = svg("svg", { viewBox: "0 0 100 100", "aria-hidden": "true" }, svg("circle", { cx: 50, cy: 50, r: 44 }), this.arc);
    this.countDown = el("div", { class: "count-down" }, ring, this.seconds);
    this.finish = buttons.make(t("agent.finish"), () => mine.finish(), this.wrong, { key: "f", class: "main large", "aria-describedby": "finish-waits" });
    this.waits = el("p", { class: "waits", id: "finish-waits" });
    this.more = MORE.map((seconds, place) =>
      buttons.make(t(`agent.extend${seconds}`), () => mine.extend(seconds), this.wrong, { key: place ? "" : "e" }),
    );
    this.times = el("div", { class: "wrap-up" }, this.countDown, el("div", { class: "buttons" }, this.finish.element, this.more.map((each) => each.element)), this.waits);
    this.#codes = choices.dispositions.map(({ code, text }) => {
      return { code, button: buttons.make(text || code, () => mine.code(code), this.wrong) };
    });
    this.codes = el(
      "div",
      { class: "codes" },
      el("h3", { id: "codes" }, t("agent.codes"), el("kbd", { "aria-hidden": "true" }, "D")),
      el("div", { class: "choices", role: "group", "aria-labelledby": "codes" }, this.#codes.map((each) => each.button.element)),
    );
    this.element = el("div", { class: "call-work" }, this.times, this.codes, this.wrong);
  }

  bind(keys) {
    keys.add("f", t("agent.keys.finish"), () => this.finish.press());
    keys.add("e", t("agent.keys.extend"), () => this.more[0].press());
    if (this.#codes.length) keys.add("d", t("agent.keys.code"), () => this.#codes[0].button.element.focus());
  }

  show() {
    const { what, call } = this.mine.situation;
    const isWrapUp = what === "wrapup";
    this.times.hidden = !isWrapUp;
    this.codes.hidden = !this.#codes.length || !call || !["talking", "hold", "wrapup"].includes(what);
    this.element.hidden = this.times.hidden && this.codes.hidden;
    for (const { code, button } of this.#codes) set(button.element, "aria-pressed", String(code === call?.disposition));
    const why = isWrapUp && call && !call.disposition && this.required.includes(call.queue) ? t("agent.codeFirst") : "";
    this.finish.show(isWrapUp, { why });
    say(this.waits, why);
  }

  tick() {
    if (this.times.hidden) return;
    const { busy, situation } = this.mine;
    const until = busy?.wrap_up_until ? Date.parse(busy.wrap_up_until) : null;
    const left = until === null ? 0 : Math.max(0, until - this.mine.now());
    const whole = until === null ? 1 : Math.max(1, until - Date.parse(situation.since));
    set(this.arc, "stroke-dasharray", `${((left / whole) * AROUND).toFixed(1)} ${AROUND}`);
    say(this.seconds, duration(Math.ceil(left / 1000)));
  }
}
