// The second step of a log-in: at which phone, and for which groups.

import { all } from "../api.js";
import { el, say } from "../dom.js";
import { t } from "../texts.js";
import { complaint, refusal } from "./buttons.js";
import { BROWSER } from "./browser-phone.js";

const PHONE = "acd-agent-phone"; // the last choice of this browser
const GROUPS = "acd-agent-groups";

export class LogOn {
  #groups = "";
  #phonesAsked = false;

  constructor(mine, phone, notes) {
    Object.assign(this, { mine, phone, notes });
    this.wrong = complaint();
    this.place = el("div", { class: "field" });
    this.groups = el("fieldset", {}, el("legend", {}, t("agent.logOn.groups")));
    this.button = el("button", { class: "main", type: "submit" }, t("agent.logOn.button"));
    this.element = el(
      "form",
      { class: "card sign-in log-on", hidden: true, on: { submit: (event) => this.#send(event) } },
      el("h2", {}, t("agent.logOn.title", { name: mine.agent.user })),
      el("p", { class: "muted" }, t("agent.logOn.step")),
      this.place,
      this.groups,
      this.wrong,
      this.button,
    );
  }

  show() {
    if (!this.#phonesAsked) this.#askForPhones();
    const names = [...this.mine.handler.groups.keys()].sort();
    if (names.join() === this.#groups) return;
    this.#groups = names.join();
    this.groups.replaceChildren(this.groups.firstElementChild, ...this.#boxes(names));
  }

  #boxes(names) {
    const before = this.#chosen().length ? this.#chosen() : kept(this.mine);
    if (!names.length) return [el("p", { class: "muted" }, t("agent.logOn.noGroups"))];
    return names.map((name) => {
      const checked = before.includes(name) || names.length === 1;
      return el("label", { class: "box" }, el("input", { type: "checkbox", name: "group", value: name, checked }), name);
    });
  }

  async #askForPhones() {
    this.#phonesAsked = true;
    try {
      this.#offer(await all(this.mine.path("addresses")));
    } catch (error) {
      say(this.wrong, refusal(error));
      this.#phonesAsked = false;
    }
  }

  #offer(phones) {
    const id = "log-on-phone";
    phones.sort((one, other) => rank(one) - rank(other) || one.address.localeCompare(other.address, undefined, { numeric: true }));
    const field = phones.length || this.phone.isThere ? this.#list(id, phones) : typed(id);
    this.field = field;
    this.place.replaceChildren(el("label", { for: id }, t("agent.logOn.phone")), field);
  }

  #list(id, phones) {
    const last = localStorage.getItem(PHONE);
    const options = phones.map((each) =>
      el("option", { value: each.address, selected: each.address === last && !each.in_use, disabled: each.in_use }, nameOf(each)),
    );
    const own = this.phone.isThere && el("option", { value: BROWSER, selected: last === BROWSER }, t("agent.logOn.browser"));
    return el("select", { id, required: true }, options, own);
  }

  #chosen() {
    return [...this.groups.querySelectorAll("input:checked")].map((each) => each.value);
  }

  async #send(event) {
    event.preventDefault();
    const groups = this.#chosen();
    if (!this.field) return this.#askForPhones();
    if (!groups.length) return say(this.wrong, t("agent.logOn.noneChosen"));
    say(this.wrong, "");
    say(this.button, "…");
    try {
      await this.#logOn(groups, this.field.value.trim());
    } catch (error) {
      say(this.wrong, refusal(error));
      this.#askForPhones(); // somebody else may be at it now
    } finally {
      say(this.button, t("agent.logOn.button"));
    }
  }

  // What one group refuses is told on the desk when another took him.
  async #logOn(groups, choice) {
    if (choice !== BROWSER) this.phone.end();
    const address = choice === BROWSER ? await this.phone.begin() : choice;
    this.#keep(groups, choice);
    const asked = await Promise.allSettled(groups.map((each) => this.mine.logOn(each, address)));
    const refused = asked.map(({ reason }, place) => reason && [groups[place], reason]).filter(Boolean);
    if (refused.length === groups.length) {
      this.phone.end();
      throw refused[0][1];
    }
    for (const [group, error] of refused) this.notes.say(t("agent.logOn.refused", { group, reason: refusal(error) }));
  }

  #keep(groups, choice) {
    localStorage.setItem(PHONE, choice);
    localStorage.setItem(`${GROUPS}:${this.mine.name}:${this.mine.key}`, JSON.stringify(groups));
  }
}

const kept = (mine) => JSON.parse(localStorage.getItem(`${GROUPS}:${mine.name}:${mine.key}`) ?? "[]");

// The free ones first that are there.
const rank = (phone) => (phone.in_use ? 2 : phone.state === "INSERVICE" ? 0 : 1);

function nameOf({ address, dialable_address, in_use, state }) {
  const name = address.endsWith(`/${dialable_address}`) ? `${dialable_address} (${address})` : address;
  if (in_use) return t("agent.logOn.inUse", { name });
  return state === "INSERVICE" ? name : t("agent.logOn.notThere", { name });
}

// Asterisk has told of no phone: he has to know his.
const typed = (id) => el("input", { id, required: true, placeholder: "PJSIP/1001", value: localStorage.getItem(PHONE) ?? "" });
