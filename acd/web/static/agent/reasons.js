// Why somebody is not ready: one of the site's reasons, or his own words.

import { el, say, set } from "../dom.js";
import { t } from "../texts.js";

const WITH_KEYS = 9;

export class Reasons {
  #buttons;

  constructor(mine, buttons, reasons, wrong) {
    this.#buttons = reasons.map((reason, place) => {
      const key = place < WITH_KEYS ? String(place + 1) : "";
      return { reason, button: buttons.make(reason, () => mine.notReady(reason), wrong, { key }) };
    });
    this.heading = el("h3", { id: "reasons" });
    const key = el("kbd", { "aria-hidden": "true" }, "O");
    this.words = el("input", { "aria-label": t("agent.ownWords"), placeholder: t("agent.ownWords"), maxlength: 80 });
    this.send = buttons.make(t("agent.useWords"), () => this.#send(mine), wrong);
    const form = el("form", { class: "own-words", on: { submit: (event) => this.#submit(event) } }, this.words, key, this.send.element);
    const list = el("div", { class: "choices", role: "group", "aria-labelledby": "reasons" }, this.#buttons.map((each) => each.button.element));
    this.element = el("div", { class: "reasons" }, this.heading, list, form);
  }

  bind(keys) {
    this.#buttons.slice(0, WITH_KEYS).forEach(({ reason, button }, place) => {
      keys.add(String(place + 1), t("agent.keys.reason", { reason }), () => button.press());
    });
    keys.add("o", t("agent.keys.ownWords"), () => this.words.focus());
  }

  // `state`: {state, reason} that holds or follows; null where he is ready.
  show(state, isAfter) {
    say(this.heading, t(isAfter ? "agent.reasonsAfter" : "agent.reasons"));
    const present = state?.state === "NOT_READY" ? state.reason : null;
    for (const { reason, button } of this.#buttons) set(button.element, "aria-pressed", String(reason === present));
  }

  #submit(event) {
    event.preventDefault();
    this.send.press();
  }

  async #send(mine) {
    await mine.notReady(this.words.value.trim());
    this.words.value = "";
    this.send.element.focus(); // outside of the field keys are shortcuts again
  }
}
