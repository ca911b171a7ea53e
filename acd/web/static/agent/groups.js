// The groups that the agent is logged on for, each to be switched by itself, and the way home.

import { List, el, offer, say } from "../dom.js";
import { spoken } from "../situations.js";
import { t } from "../texts.js";
import { complaint } from "./buttons.js";
import { chosen } from "./dialogs.js";

const NAMES = { READY: "ready", NOT_READY: "notready", BUSY_ON_CALL: "talking", BUSY_WRAPUP: "wrapup" };

export class Groups {
  constructor(mine, buttons) {
    this.mine = mine;
    this.wrong = complaint();
    const rows = el("ul", { class: "rows" });
    this.list = new List(rows, (session) => session.id, () => new Row(mine, buttons, this.wrong));
    this.phone = el("p", { class: "muted" });
    this.other = el("select", { "aria-label": t("agent.otherGroup") });
    this.add = buttons.make(t("agent.logOnFor"), () => mine.logOn(this.other.value, mine.sessions[0].address), this.wrong);
    this.adding = el("div", { class: "adding" }, this.other, this.add.element);
    this.home = buttons.make(t("agent.endOfWork"), () => this.#goHome(), this.wrong, { key: "l", class: "harm" });
    this.element = el(
      "section",
      { class: "groups card", "aria-labelledby": "groups" },
      el("h2", { id: "groups" }, t("agent.groups")),
      this.phone,
      rows,
      this.adding,
      this.home.element,
      this.wrong,
    );
  }

  bind(keys) {
    keys.add("l", t("agent.keys.logOff"), () => this.home.press());
  }

  show() {
    const { sessions, handler } = this.mine;
    this.list.show(sessions);
    say(this.phone, t("agent.atPhone", { phone: [...new Set(sessions.map((each) => each.address))].join(", ") }));
    const on = new Set(sessions.map((each) => each.acd_group));
    this.#offer([...handler.groups.keys()].filter((each) => !on.has(each)).sort());
  }

  tick() {}

  #offer(names) {
    this.adding.hidden = !names.length;
    offer(this.other, names, "");
  }

  async #goHome() {
    const text = t(this.mine.isOnACall ? "agent.endOfWorkCall" : "agent.endOfWorkText");
    const what = await chosen(t("agent.endOfWork"), text, { off: t("agent.logOffAll") });
    if (what) await this.mine.logOff(this.mine.sessions);
  }
}

class Row {
  constructor(mine, buttons, wrong) {
    this.mine = mine;
    this.name = el("strong");
    this.state = el("span", { class: "muted" });
    this.ready = buttons.make(t("agent.ready"), () => mine.readyFor(this.session), wrong);
    this.notReady = buttons.make(t("agent.notReady"), () => mine.notReadyFor(this.session), wrong);
    this.off = buttons.make(t("agent.logOff"), () => this.#logOff(), wrong);
    this.element = el("li", {}, el("span", { class: "name" }, this.name, this.state), this.ready.element, this.notReady.element, this.off.element);
  }

  update(session) {
    this.session = session;
    const { acd_group, next_state } = session;
    const { state, reason } = this.#stateOf(session);
    say(this.name, acd_group);
    say(this.state, [t(`words.situation.${NAMES[state]}`), spoken(reason)].filter(Boolean).join(": "));
    this.element.dataset.situation = NAMES[state];
    const isReady = state === "READY";
    const isIdle = isReady || state === "NOT_READY";
    this.ready.show(isIdle && !isReady);
    this.notReady.show(isIdle && isReady);
    this.off.show(next_state !== "SESSION_ENDED");
    for (const each of [this.ready, this.notReady, this.off]) {
      each.element.setAttribute("aria-description", acd_group);
    }
  }

  // Who is not ready himself gets no calls for any group.
  #stateOf(session) {
    const { agent } = this.mine;
    return session.state === "READY" && agent.state === "NOT_READY" ? agent : session;
  }

  async #logOff() {
    const text = t(this.mine.isOnACall ? "agent.endOfWorkCall" : "agent.logOffText");
    const what = await chosen(t("agent.logOffFrom", { group: this.session.acd_group }), text, { off: t("agent.logOff") });
    if (what) await this.mine.logOff([this.session]);
  }
}
