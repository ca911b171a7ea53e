// What came of a command, for eyes and ears. It stays until the next one, or until it is put away.

import { el, say } from "../dom.js";
import { SIGNS, exactTimeOfDay } from "../format.js";
import { t } from "../texts.js";

export class Outcomes {
  constructor() {
    this.sign = el("span", { class: "sign", "aria-hidden": "true" });
    this.text = el("span");
    this.time = el("span", { class: "muted" });
    this.close = el(
      "button",
      { type: "button", class: "plain", hidden: true, on: { click: () => this.#show("none", "") } },
      t("common.close"),
    );
    this.element = el(
      "div",
      { class: "outcome" },
      el("p", { role: "status" }, this.sign, this.text),
      this.time,
      this.close,
    );
  }

  good(text) {
    this.#show("good", text);
  }

  bad(text) {
    this.#show("bad", text);
  }

  #show(kind, text) {
    this.element.dataset.judged = kind;
    say(this.sign, kind === "none" ? "" : `${SIGNS[kind]} `);
    this.text.textContent = text; // anew, so that the same sentence is said again
    say(this.time, text && exactTimeOfDay(new Date()));
    this.close.hidden = !text;
  }
}
