// All agents: found, filtered, sorted, and what can be done with each right there.

import { command, handlerPath } from "../api.js";
import { List, el, offer, say, set } from "../dom.js";
import { SITUATIONS } from "../floor.js";
import { duration, secondsSince } from "../format.js";
import { ICONS, spoken, urgency } from "../situations.js";
import { t } from "../texts.js";
import { Act, Menu } from "./acts.js";
import { actsOf, firstAct, subjectOf } from "./agent-acts.js";
import { labelled } from "./fields.js";
import { keepInAddress, link } from "./links.js";
import { table } from "./tables.js";

const COLUMNS = ["agent", "situation", "since", "call", "groups", "acts"];

export class AgentsView {
  title = t("desk.area.agents");

  constructor(desk, query) {
    this.desk = desk;
    this.filter = new Filter(desk.floor, query, () => this.#filtered());
    this.note = new Act(desk, noteToMany(desk));
    this.count = el("p", { class: "muted" });
    this.found = el("p", { class: "unseen", role: "status" });
    this.eye = new Eye();
    const { element, body } = table(
      t("desk.area.agents"),
      COLUMNS.map((each) => ({ text: t(`desk.column.${each}`), number: each === "since" })),
      { className: "agents" },
    );
    this.rows = new List(
      body,
      (subject) => subject.key,
      (subject) => new Row(desk, subject, this.eye),
    );
    this.body = body;
    const bar = el("div", { class: "bar" }, this.filter.element, this.note.element);
    this.element = el("div", {}, bar, this.count, this.found, element);
  }

  update() {
    this.filter.update();
    const isHeld = this.#isHeld();
    const subjects = isHeld ? this.#asBefore() : this.#sorted();
    this.rows.show(subjects);
    say(this.count, t(isHeld ? "desk.agentsHeld" : "desk.agentsShown", { count: subjects.length }));
    this.note.update(noteToMany(this.desk));
  }

  tick(now) {
    for (const row of this.eye.seen) row.tick(now);
  }

  close() {
    this.eye.close();
  }

  // Told to those who hear the page when they filter, and not whenever somebody's state is another one.
  #filtered() {
    this.update();
    say(this.found, this.count.textContent);
  }

  // Rows that move away under a finger or the keyboard's focus make people press what they did not mean.
  #isHeld() {
    return this.body.matches(":hover") || this.body.querySelector(":focus-visible") !== null;
  }

  #asBefore() {
    const subjects = new Map([...this.#subjects()].map((each) => [each.key, each]));
    return [...this.body.children].map((row) => subjects.get(row.dataset.key)).filter(Boolean);
  }

  #sorted() {
    return [...this.#subjects()].filter((each) => this.filter.fits(each)).sort(this.filter.order);
  }

  *#subjects() {
    for (const handler of this.desk.floor.handlers.values()) {
      for (const key of handler.agents.keys()) yield subjectOf(this.desk, handler.name, key);
    }
  }
}

// Which rows are on the screen: the time of hundreds need not go on where nobody sees it.
class Eye {
  #rows = new Map();
  seen = new Set();

  constructor() {
    this.observer = new IntersectionObserver((entries) => this.#looked(entries), { rootMargin: "100px" });
  }

  watch(row) {
    this.#rows.set(row.element, row);
    this.observer.observe(row.element);
  }

  close() {
    this.observer.disconnect();
  }

  #looked(entries) {
    for (const { target, isIntersecting } of entries) {
      const row = this.#rows.get(target);
      if (!target.isConnected) {
        this.observer.unobserve(target);
        this.#rows.delete(target);
      }
      if (!isIntersecting) this.seen.delete(row);
      else this.seen.add(row);
      if (isIntersecting) row.tick();
    }
  }
}

class Filter {
  constructor(floor, query, changed) {
    Object.assign(this, { floor, changed });
    const on = { input: () => this.#keep() };
    this.search = el("input", { type: "search", value: query.get("search") ?? "", on, autocomplete: "off" });
    this.group = el("select", { on });
    this.situation = el(
      "select",
      { on },
      this.#options(["", ...SITUATIONS], query.get("situation"), this.#situationText),
    );
    this.sort = el(
      "select",
      { on },
      this.#options(["situation", "name", "since"], query.get("sort"), (each) => t(`desk.sortedBy.${each}`)),
    );
    this.wanted = query.get("group") ?? "";
    this.element = el(
      "form",
      {
        class: "filter",
        role: "search",
        "aria-label": t("desk.filter"),
        on: { submit: (event) => event.preventDefault() },
      },
      ["search", "group", "situation", "sort"].map((each) =>
        labelled(this[each], { label: t(`desk.filterBy.${each}`) }),
      ),
    );
    this.update();
  }

  // The groups there are now.
  update() {
    const names = ["", ...this.floor.groups()];
    offer(this.group, names, this.wanted, (each) => each || t("desk.all"));
  }

  fits({ agent, sessions, situation }) {
    const sought = this.search.value.trim().toLowerCase();
    return (
      (!sought || agent.user.toLowerCase().includes(sought) || agent.agent.toLowerCase().includes(sought)) &&
      (!this.wanted || sessions.some((each) => each.acd_group === this.wanted)) &&
      (!this.situation.value || situation.what === this.situation.value)
    );
  }

  get order() {
    const byName = (one, other) => one.who.localeCompare(other.who);
    const bySince = (one, other) => (one.situation.since < other.situation.since ? -1 : 1);
    return (
      { name: byName, since: bySince }[this.sort.value] ??
      ((one, other) => urgency(one) - urgency(other) || byName(one, other))
    );
  }

  #keep() {
    this.wanted = this.group.value;
    const sort = this.sort.value === "situation" ? "" : this.sort.value;
    keepInAddress(["agents"], { search: this.search.value, group: this.wanted, situation: this.situation.value, sort });
    this.changed();
  }

  #situationText = (each) => (each ? t(`words.situation.${each}`) : t("desk.all"));

  #options = (names, chosen, text) =>
    names.map((value) => el("option", { value, selected: value === (chosen ?? names[0]) }, text(value)));
}

class Row {
  constructor(desk, subject, eye) {
    this.desk = desk;
    this.name = el("a", { href: link(["agents", subject.handler.name, subject.agent.agent]) });
    this.id = el("span", { class: "muted" });
    this.icon = el("span", { class: "icon", "aria-hidden": "true" });
    this.what = el("span", {});
    this.reason = el("span", { class: "muted" });
    this.time = el("td", { class: "number time" });
    this.call = el("td", { class: "call" });
    this.groups = el("td", { class: "groups" });
    this.first = new Act(desk, firstAct(subject));
    this.menu = new Menu(desk, {
      label: t("desk.acts"),
      about: subject.who,
      key: subject.key,
      made: () => actsOf(subjectOf(desk, subject.handler.name, subject.agent.agent) ?? subject),
    });
    this.element = el(
      "tr",
      { "data-key": subject.key },
      el("th", { scope: "row" }, this.name, " ", this.id),
      el("td", { class: "what" }, this.icon, " ", this.what, " ", this.reason),
      this.time,
      this.call,
      this.groups,
      el("td", { class: "buttons" }, this.first.element, " ", this.menu.element),
    );
    eye.watch(this);
  }

  update(subject) {
    if (!this.#isTheSame(subject)) this.#show(subject);
    this.first.update(firstAct(subject));
    this.menu.update();
  }

  // Objects of the floor are replaced, never changed.
  #isTheSame({ agent, sessions, monitors }) {
    const seen = [agent, ...sessions, ...monitors];
    const isSame = this.seen?.length === seen.length && seen.every((each, place) => each === this.seen[place]);
    this.seen = seen;
    return isSame;
  }

  #show({ agent, sessions, situation, reason, monitors }) {
    this.since = situation.since;
    set(this.element, "data-situation", situation.what);
    say(this.name, agent.user);
    const told = [agent.agent !== agent.user && agent.agent, this.desk.floor.placeOf(agent.handler)];
    say(this.id, told.filter(Boolean).join(" · "));
    say(this.icon, ICONS[situation.what]);
    say(this.what, t(`words.situation.${situation.what}`));
    say(
      this.reason,
      [situation.what === "notready" && spoken(reason), monitors.length > 0 && t("desk.listenedTo")]
        .filter(Boolean)
        .join(", "),
    );
    say(
      this.call,
      situation.call
        ? t("desk.callIn", { queue: situation.call.queue, caller: situation.call.caller || t("words.caller") })
        : "",
    );
    say(this.groups, sessions.map((each) => each.acd_group).join(", "));
    this.tick();
  }

  tick(now = this.desk.live.now()) {
    say(this.time, duration(secondsSince(this.since, now)));
  }
}

// To all, or to those of some groups.
function noteToMany(desk) {
  const handlers = [...desk.floor.handlers.keys()];
  const server = { name: "handler", label: t("desk.handler"), type: "select", options: handlers };
  return {
    key: "note to many",
    label: t("desk.act.noteToMany"),
    ask: () => ({
      title: t("desk.noteToMany"),
      button: t("desk.act.send"),
      fields: [
        { name: "text", label: t("desk.noteText"), type: "textarea", required: true, maxlength: 1000 },
        {
          name: "groups",
          label: t("desk.noteGroups"),
          type: "checks",
          options: desk.floor.groups(),
          note: t("desk.noteGroupsNote"),
        },
        ...(handlers.length > 1 ? [server] : []),
      ],
    }),
    run: ({ text, groups, handler = handlers[0] }) =>
      command("POST", handlerPath(handler, "notes"), { text, ...(groups.length ? { groups } : {}) }),
    tell: ({ groups }) =>
      groups.length ? t("desk.done.noteToGroups", { groups: groups.join(", ") }) : t("desk.done.noteToAll"),
  };
}
