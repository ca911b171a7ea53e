// Buttons for what can be asked for.
//
// An act: {key, label, about, harm, ask, run, tell, local, then}. `key`: one of a kind is under way at a time; `about`:
// whom it concerns, for those who hear the button alone; `ask`: makes the question of a dialog, null for none; `run`:
// does it, with the answers; `tell`: the sentence for what the API answered; `local`: in place of both, for what no API
// knows; `then`: what follows when it was done.

import { List, el, say, set } from "../dom.js";
import { t } from "../texts.js";
import { ask } from "./dialog.js";

export class Act {
  constructor(desk, act, { before = () => {} } = {}) {
    Object.assign(this, { desk, before });
    this.element = el("button", { type: "button", on: { click: () => this.press() } });
    this.update(act);
  }

  update(act = this.act) {
    this.act = act;
    const isUnderWay = this.desk.commands.isUnderWay(act.key);
    set(this.element, "class", act.harm ? "harm" : null);
    // not `disabled`, which would throw the focus away
    set(this.element, "aria-disabled", isUnderWay || !this.desk.live.isUp ? "true" : null);
    name(this.element, isUnderWay ? t("desk.waitingForAsterisk") : act.label, act.about);
  }

  async press() {
    const { act } = this;
    if (this.element.getAttribute("aria-disabled")) return;
    this.before();
    const values = await this.#asked(act);
    if (values === null) return;
    if (act.local) act.local(values);
    else if (
      await this.desk.commands.carryOut(
        act.key,
        () => act.run(values),
        (answer) => act.tell(answer, values),
      )
    )
      act.then?.();
  }

  async #asked(act) {
    try {
      const question = await act.ask?.();
      return question ? await ask(question) : {};
    } catch (error) {
      this.desk.commands.refused(error);
      return null;
    }
  }
}

// What is seen, and for those who hear the button alone, whom it concerns.
function name(button, text, about) {
  say(button, text);
  set(button, "aria-label", about ? `${text.replace(" ▾", "")}: ${about}` : null);
}

// Some acts in a row, as they come and go.
export class Acts {
  constructor(desk, { label = null, ...more } = {}) {
    this.element = el("div", { class: "acts", role: label && "group", "aria-label": label });
    this.list = new List(
      this.element,
      (act) => act.key,
      (act) => new Act(desk, act, more),
    );
  }

  show(acts) {
    const focused = this.element.contains(document.activeElement) ? document.activeElement : null;
    this.list.show(acts);
    if (focused && !focused.isConnected) this.element.querySelector("button")?.focus();
  }
}

// A button that opens a list of acts below it. `made()` tells which.
export class Menu {
  constructor(desk, { label, about, key, made }) {
    Object.assign(this, { desk, key, label, about, made });
    this.button = el("button", { type: "button", "aria-expanded": "false", on: { click: () => this.#toggle() } });
    this.element = el("span", { class: "menu" }, this.button);
    this.update();
  }

  update() {
    name(
      this.button,
      this.desk.commands.isAnyUnderWay(`${this.key} `) ? t("desk.waitingForAsterisk") : `${this.label} ▾`,
      this.about,
    );
    if (this.panel?.matches(":popover-open")) this.acts.show(this.made());
  }

  // Made when it is wanted: hundreds of rows have one.
  #make() {
    this.acts = new Acts(this.desk, { label: this.label, before: () => this.#close() });
    this.panel = el("div", { class: "panel card", popover: "auto" }, this.acts.element);
    this.panel.addEventListener("toggle", (event) => this.#toggled(event.newState === "open"));
    this.panel.addEventListener("keydown", (event) => this.#step(event));
    this.element.append(this.panel);
  }

  #toggle() {
    if (!this.panel) this.#make();
    if (this.panel.matches(":popover-open")) return this.#close();
    this.acts.show(this.made());
    this.panel.showPopover();
    this.#place();
    this.panel.querySelector("button")?.focus();
  }

  // Below the button, or above it where there is more room.
  #place() {
    const { top, bottom, right } = this.button.getBoundingClientRect();
    const { offsetHeight: height, offsetWidth: width } = this.panel;
    const isBelow = bottom + height <= innerHeight || top < innerHeight - bottom;
    this.panel.style.top = `${Math.max(4, isBelow ? bottom + 4 : top - height - 4)}px`;
    this.panel.style.left = `${Math.max(4, Math.min(right, innerWidth - 4) - width)}px`;
  }

  #close() {
    this.panel.hidePopover();
    this.button.focus();
  }

  #toggled(isOpen) {
    set(this.button, "aria-expanded", String(isOpen));
  }

  #step(event) {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const buttons = [...this.panel.querySelectorAll("button")];
    buttons.at((buttons.indexOf(document.activeElement) + by) % buttons.length).focus();
  }
}
