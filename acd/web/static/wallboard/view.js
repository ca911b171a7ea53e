// What part of the floor is shown, and how: by group, with or without names. It stands in the address, so that a
// screen on a wall keeps it.

import { el, offer } from "../dom.js";
import { reasonOf, situationOf } from "../floor.js";
import { t } from "../texts.js";

export class View extends EventTarget {
  #query = new URLSearchParams(location.search);

  constructor(floor) {
    super();
    this.groups = el("select", { "aria-label": t("wallboard.group"), on: { change: () => this.#pick() } });
    this.tv = el("button", { type: "button", on: { click: () => this.#toggle() } });
    this.element = el("span", { class: "view" }, this.groups, this.tv);
    this.#offer(floor.groups());
    this.#dress();
  }

  get group() {
    return this.#query.get("group") ?? "";
  }

  get isTv() {
    return this.#query.has("tv");
  }

  // The queues and agents to show, and the boards with them.
  of(floor, boards) {
    this.#offer(floor.groups());
    const shown = { queues: [], agents: [], boards, isTv: this.isTv };
    for (const handler of floor.handlers.values()) this.#add(shown, handler);
    shown.queues.sort((one, other) => one.name.localeCompare(other.name));
    return shown;
  }

  #add(shown, handler) {
    const queues = this.group ? new Set(handler.groups.get(this.group)?.queues) : new Set(handler.queues.keys());
    const readyAgents = [];
    for (const agent of handler.agents.values()) {
      const sessions = handler.sessionsOf(agent);
      if (this.group && !sessions.some((each) => each.acd_group === this.group)) continue;
      const situation = situationOf(agent, sessions);
      shown.agents.push({ agent, situation, reason: reasonOf(agent, sessions), key: `${handler.name} ${agent.agent}` });
      if (situation.what === "ready") readyAgents.push(agent);
    }
    const ready = handler.countByQueue(readyAgents);
    const since = handler.waitingSince();
    for (const name of queues) {
      const queue = handler.queues.get(name);
      if (!queue) continue;
      const row = shown.boards.of(queue);
      shown.queues.push({ ...queue, ready: ready.get(name) ?? 0, waitingSince: since.get(name) ?? null, row });
    }
  }

  #offer(groups) {
    const names = ["", ...new Set([...groups, this.group].filter(Boolean))];
    offer(this.groups, names, this.group, (name) => name || t("wallboard.allGroups"));
  }

  #pick() {
    this.#set("group", this.groups.value);
  }

  #toggle() {
    this.#set("tv", this.isTv ? null : "1");
    this.#dress();
    if (this.isTv) document.documentElement.requestFullscreen?.().catch(() => {});
    else if (document.fullscreenElement) document.exitFullscreen();
  }

  #dress() {
    document.documentElement.classList.toggle("tv", this.isTv);
    this.tv.textContent = t(this.isTv ? "wallboard.leaveTv" : "wallboard.tv");
  }

  #set(name, value) {
    if (value) this.#query.set(name, value);
    else this.#query.delete(name);
    const query = this.#query.toString();
    history.replaceState(null, "", query ? `?${query}` : location.pathname);
    this.dispatchEvent(new Event("change"));
  }
}
