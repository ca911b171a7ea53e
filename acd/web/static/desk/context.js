// What every view of the desk works with.

import { all, get, handlerPath } from "../api.js";
import { el, say } from "../dom.js";
import { t } from "../texts.js";
import { Act } from "./acts.js";
import { Commands } from "./commands.js";
import { ask } from "./dialog.js";
import { Outcomes } from "./outcomes.js";

const MY_PHONE = "acd-desk-phone";

// "change": something that no stream tells has been read anew.
export class Desk extends EventTarget {
  #choices = new Map();
  outcomes = new Outcomes();

  constructor(me, live) {
    super();
    Object.assign(this, { me, live, floor: live.floor });
    this.commands = new Commands(live, this.outcomes);
    this.phone = new MyPhone(this);
    live.addEventListener("envelope", ({ detail }) => detail.type === "reset" && this.takeMonitors());
  }

  // Who listens to whom is in no picture.
  async takeMonitors() {
    for (const handler of this.floor.handlers.values()) {
      const monitors = await all(handlerPath(handler.name, "monitors")).catch(() => []);
      for (const each of monitors) handler.monitors.set(each.id, each);
    }
    this.dispatchEvent(new Event("change"));
  }

  get isAdmin() {
    return this.me.role === "admin";
  }

  // What agents choose from; it changes with a restart of acd only. Throws Refused.
  async choices(handler) {
    if (!this.#choices.has(handler)) this.#choices.set(handler, await get(handlerPath(handler, "choices")));
    return this.#choices.get(handler);
  }

  // The phones there are; those that nobody uses first. Throws Refused.
  async addresses(handler) {
    const found = await all(handlerPath(handler, "addresses"));
    const rank = ({ state, sessions }) => (state === "INSERVICE" ? 0 : 2) + (sessions.length ? 1 : 0);
    return found.sort((one, other) => rank(one) - rank(other)).map((each) => each.address);
  }
}

// The phone by which the supervisor listens in. This browser keeps it.
class MyPhone {
  constructor(desk) {
    this.desk = desk;
    this.act = new Act(desk, {
      key: "my phone",
      label: this.#label(),
      ask: () => this.question(),
      local: ({ phone }) => this.keep(phone),
    });
    this.element = this.act.element;
  }

  get address() {
    return localStorage.getItem(MY_PHONE) ?? "";
  }

  keep(address) {
    localStorage.setItem(MY_PHONE, address);
    this.act.update({ ...this.act.act, label: this.#label() });
  }

  async question() {
    const handlers = [...this.desk.floor.handlers.keys()];
    const phones = await Promise.all(handlers.map((each) => this.desk.addresses(each)));
    return {
      title: t("desk.myPhone"),
      text: t("desk.myPhoneText"),
      button: t("desk.keep"),
      fields: [
        {
          name: "phone",
          label: t("desk.phone"),
          type: "suggest",
          value: this.address,
          required: true,
          options: [...new Set(phones.flat())],
        },
      ],
    };
  }

  #label() {
    return this.address ? t("desk.myPhoneIs", { phone: this.address }) : t("desk.noPhone");
  }
}
