// What the agent is at this moment, as large as it matters, and what he can make of it.

import { el, say, set } from "../dom.js";
import { duration, secondsSince } from "../format.js";
import { ICONS, spoken } from "../situations.js";
import { t } from "../texts.js";
import { complaint } from "./buttons.js";
import { aboutCall } from "./words.js";
import { Reasons } from "./reasons.js";
import { WrapUp } from "./wrap-up.js";

export class Now {
  #hadFocus = false;

  constructor(mine, buttons, choices) {
    this.mine = mine;
    this.wrong = complaint();
    this.icon = el("span", { class: "icon", "aria-hidden": "true" });
    this.what = el("span", { class: "what" });
    this.time = el("span", { class: "time", role: "timer" });
    this.about = el("p", { class: "about" });
    this.after = el("p", { class: "after" });
    this.spoken = el("p", { class: "unseen", role: "status" });
    this.wrapUp = new WrapUp(mine, buttons, choices);
    this.ready = buttons.make(t("agent.ready"), () => mine.ready(), this.wrong, { key: "r", class: "main large" });
    this.notReady = buttons.make(t("agent.notReady"), () => mine.notReady(), this.wrong, { key: "n", class: "large" });
    this.reasons = new Reasons(mine, buttons, choices.reasons, this.wrong);
    this.element = el(
      "section",
      { class: "now card", "aria-label": t("agent.now") },
      el("h2", { class: "state" }, this.icon, this.what, this.time),
      this.about,
      this.after,
      this.spoken,
      this.wrapUp.element,
      el("div", { class: "buttons" }, this.ready.element, this.notReady.element),
      this.wrong,
      this.reasons.element,
    );
    this.element.addEventListener("focusin", () => (this.#hadFocus = true));
    this.element.addEventListener("focusout", ({ target }) => (this.#hadFocus = !target.checkVisibility()));
  }

  bind(keys) {
    keys.add("r", t("agent.keys.ready"), () => this.ready.press());
    keys.add("n", t("agent.keys.notReady"), () => this.notReady.press());
    this.reasons.bind(keys);
    this.wrapUp.bind(keys);
  }

  show() {
    const { situation, follows } = this.mine;
    this.element.dataset.situation = situation.what;
    say(this.icon, ICONS[situation.what]);
    say(this.what, t(`words.situation.${situation.what}`));
    say(this.about, this.#about(situation));
    say(this.after, this.#afterwards(follows));
    this.after.hidden = !this.after.textContent;
    say(this.spoken, [t(`words.situation.${situation.what}`), aboutCall(situation.call) || this.about.textContent, this.after.textContent].filter(Boolean).join(", "));
    this.#showButtons(situation, follows);
    this.wrapUp.show();
    this.tick();
    this.#keepFocus();
  }

  tick() {
    const { situation } = this.mine;
    const now = this.mine.now();
    say(this.time, duration(secondsSince(situation.since, now)));
    if (situation.what === "ringing") say(this.about, this.#about(situation));
    this.wrapUp.tick();
  }

  #about({ what, call }) {
    if (call) return aboutCall(call, what === "ringing" ? this.mine.now() : null);
    if (what === "notready" || what === "unknown") return spoken(this.mine.reason);
    return what === "ready" ? t("agent.waitsFor", { groups: this.#readyFor() }) : "";
  }

  #readyFor() {
    return this.mine.sessions.filter((each) => each.state === "READY").map((each) => each.acd_group).join(", ");
  }

  // What comes after the call, unless it is what he expects.
  #afterwards(follows) {
    const texts = this.mine.sessions.map(({ next_state, acd_group }) => next_state && t(`agent.after.${next_state}`, { group: acd_group }));
    if (follows?.state === "NOT_READY") texts.push(t("agent.after.agent", { reason: spoken(follows.reason) || t("agent.noReason") }));
    return texts.filter(Boolean).join(" ");
  }

  // On a call the buttons are about what follows it.
  #showButtons({ what }, follows) {
    const isReady = follows ? follows.state === "READY" : what === "ready" || what === "unknown";
    this.ready.show(!isReady, { text: t(follows ? "agent.readyAfter" : "agent.ready") });
    this.notReady.show(isReady, { text: t(follows ? "agent.notReadyAfter" : "agent.notReady") });
    set(this.ready.element, "class", follows ? "large" : "main large");
    this.reasons.show(follows ? follows : what === "notready" ? { state: "NOT_READY", reason: this.mine.reason } : null, follows !== null);
  }

  // What had the focus may be gone; who works by keyboard goes on from the large button.
  #keepFocus() {
    const active = document.activeElement;
    const isLost = active === document.body || !active?.checkVisibility();
    if (!this.#hadFocus || !isLost) return;
    const next = [this.ready, this.notReady].find((each) => each.isThere);
    next?.element.focus();
  }
}
