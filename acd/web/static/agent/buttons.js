// Buttons that ask acd for something. Until the answer is there they show "…"; a refusal stands next to them.

import { reasonOf } from "../api.js";
import { el, say, set } from "../dom.js";
import { has, t } from "../texts.js";

export class Buttons {
  pending = 0; // what has been asked and not been answered
  #made = new Set();

  constructor(live) {
    this.live = live;
    live.addEventListener("line", () => this.#made.forEach((each) => each.update()));
  }

  // `act()` asks; `says` is where a refusal is shown; `key` the shortcut that is written on it.
  make(text, act, says, { key = "", ...attributes } = {}) {
    const button = new Button(this, text, act, says, key, attributes);
    this.#made.add(button);
    return button;
  }

  async follow(asked) {
    this.pending += 1;
    acted();
    try {
      return await asked;
    } finally {
      this.pending -= 1;
      acted();
    }
  }
}

class Button {
  #busy = false;
  #why = "";

  constructor(all, text, act, says, key, attributes) {
    Object.assign(this, { all, text, act, says, key });
    this.label = el("span", {}, text);
    this.element = el(
      "button",
      { type: "button", "aria-keyshortcuts": key || null, on: { click: () => this.press() }, ...attributes },
      this.label,
      key && el("kbd", { "aria-hidden": "true" }, key.toUpperCase()),
    );
    this.update();
  }

  // Whether there is anything to press.
  get isThere() {
    return this.element.isConnected && this.element.checkVisibility();
  }

  // `why`: why it cannot be pressed at present.
  show(isShown, { text = this.text, why = "" } = {}) {
    this.element.hidden = !isShown;
    this.text = text;
    this.#why = why;
    this.update();
  }

  // It stays in the order of the keyboard, so that nobody loses his place.
  update() {
    say(this.label, this.#busy ? "…" : this.text);
    set(this.element, "aria-label", this.#busy ? `${this.text} …` : null);
    set(this.element, "aria-busy", this.#busy ? "true" : null);
    set(this.element, "aria-disabled", this.#busy || this.#whyNot() ? "true" : null);
    set(this.element, "title", this.#whyNot() || null);
  }

  async press() {
    if (this.#busy || !this.isThere) return;
    if (this.#whyNot()) return say(this.says, this.#whyNot());
    this.#set(true);
    say(this.says, "");
    try {
      await this.all.follow(this.act());
    } catch (error) {
      say(this.says, refusal(error));
    } finally {
      this.#set(false);
    }
  }

  #set(busy) {
    this.#busy = busy;
    this.update();
  }

  #whyNot() {
    return this.all.live.isUp ? this.#why : t("agent.lineDown");
  }
}

// When he last pressed something, in whatever window of this browser: what follows is no news to him.
const ACTED = "acd-agent-acted";
const acted = () => localStorage.setItem(ACTED, String(Date.now()));
export const lastActed = () => Number(localStorage.getItem(ACTED));

// Why something was refused, as far as there are words for it in the agent's language.
export function refusal(error) {
  const known = `agent.refused.${error.code}`;
  return error.code && has(known) ? t(known) : t("common.failed", { reason: reasonOf(error) });
}

// A place for refusals, beside what can be pressed.
export const complaint = () => el("p", { class: "wrong", role: "alert" });
