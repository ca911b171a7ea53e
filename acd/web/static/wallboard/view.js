// What part of the floor is shown, and how: by Asterisk server and group, with or without names. It stands in the
// address, so that a screen on a wall keeps it.

import { el, offer } from "../dom.js";
import { reasonOf, situationOf } from "../floor.js";
import { t } from "../texts.js";

export class View extends EventTarget {
  #query = new URLSearchParams(location.search);

  constructor(floor) {
    super();
    this.handlers = this.#select("handler");
    this.groups = this.#select("group");
    this.tv = el("button", { type: "button", on: { click: () => this.#toggle() } });
    this.element = el("span", { class: "view" }, this.handlers, this.groups, this.tv);
    this.#offer(floor);
    this.#dress();
  }

  get group() {
    return this.#query.get("group") ?? "";
  }

  get handler() {
    return this.#query.get("handler") ?? "";
  }

  get isTv() {
    return this.#query.has("tv");
  }

  // The queues and agents to show, and the boards with them.
  of(floor, boards) {
    this.#offer(floor);
    const shown = { queues: [], agents: [], boards, isTv: this.isTv };
    for (const handler of this.#handlersOf(floor)) this.#add(shown, handler, this.handler ? "" : floor.placeOf(handler.name));
    shown.queues.sort((one, other) => one.name.localeCompare(other.name) || one.handler.localeCompare(other.handler));
    return shown;
  }

  #handlersOf(floor) {
    return [...floor.handlers.values()].filter((each) => !this.handler || each.name === this.handler);
  }

  #add(shown, handler, place) {
    const queues = this.group ? new Set(handler.groups.get(this.group)?.queues) : new Set(handler.queues.keys());
    const readyAgents = [];
    for (const agent of handler.agents.values()) {
      const sessions = handler.sessionsOf(agent);
      if (this.group && !sessions.some((each) => each.acd_group === this.group)) continue;
      const situation = situationOf(agent, sessions);
      shown.agents.push({ agent, place, situation, reason: reasonOf(agent, sessions), key: `${handler.name} ${agent.agent}` });
      if (situation.what === "ready") readyAgents.push(agent);
    }
    const ready = handler.countByQueue(readyAgents);
    const since = handler.waitingSince();
    for (const name of queues) {
      const queue = handler.queues.get(name);
      if (!queue) continue;
      const row = shown.boards.of(queue);
      shown.queues.push({ ...queue, place, ready: ready.get(name) ?? 0, waitingSince: since.get(name) ?? null, row });
    }
  }

  #select(name) {
    const pick = ({ target }) => this.#set(name, target.value);
    return el("select", { "aria-label": t(`wallboard.${name}`), on: { change: pick } });
  }

  #offer(floor) {
    const groups = new Set(this.#handlersOf(floor).flatMap((each) => [...each.groups.keys()]));
    this.handlers.hidden = floor.handlers.size < 2 && !this.handler;
    choice(this.handlers, floor.handlers.keys(), this.handler, t("wallboard.allHandlers"));
    choice(this.groups, [...groups].sort(), this.group, t("wallboard.allGroups"));
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

// What is chosen is offered, also when there is no such thing (any more).
function choice(select, names, chosen, every) {
  offer(select, ["", ...new Set([...names, chosen].filter(Boolean))], chosen, (name) => name || every);
}
