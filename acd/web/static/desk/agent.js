// One agent: what he does, his sessions, his place in the queues, and everything that can be asked for of him.

import { all, command, handlerPath } from "../api.js";
import { List, el, say, set } from "../dom.js";
import { NOTHING, duration, number, secondsSince } from "../format.js";
import { ICONS, spoken } from "../situations.js";
import { t } from "../texts.js";
import { Act, Acts } from "./acts.js";
import { actsOf, penaltyAct, sessionActs, subjectOf } from "./agent-acts.js";
import { link } from "./links.js";
import { section } from "./section.js";
import { numberCell, table } from "./tables.js";

const FIGURES = {
  number_of_acd_calls: number,
  total_acd_talk_time: duration,
  total_wrap_up_time: duration,
  number_of_incoming_calls: number,
  number_of_outgoing_calls: number,
};

export class AgentView {
  constructor(desk, [handler, agent]) {
    Object.assign(this, { desk, handler, agent });
    const subject = this.#subject();
    this.title = subject?.who ?? agent;
    this.gone = el("p", {}, t("desk.noAgent"));
    this.parts = [
      new Now(agent),
      new Present(desk),
      new Sessions(desk),
      new Penalties(desk),
      new Listeners(desk),
      new Figures(),
    ];
    const day = el("a", { href: link(["agents", handler, agent, "day"]) }, t("desk.dayOf"));
    this.body = el(
      "div",
      { class: "columns" },
      this.parts.map((each) => each.element),
    );
    this.element = el("div", {}, el("p", {}, day), this.gone, this.body);
  }

  update() {
    const subject = this.#subject();
    this.gone.hidden = subject !== null;
    this.body.hidden = subject === null;
    if (subject) for (const part of this.parts) part.update(subject);
  }

  tick(now) {
    for (const part of this.parts) part.tick?.(now);
  }

  #subject() {
    return subjectOf(this.desk, this.handler, this.agent);
  }
}

// What he does at this moment.
class Now {
  constructor() {
    this.icon = el("span", { class: "icon", "aria-hidden": "true" });
    this.what = el("strong");
    this.time = el("span", { class: "time" });
    this.reason = el("p");
    this.call = el("p");
    this.wrapUp = el("p");
    this.element = section(
      "now",
      el("p", { class: "now" }, this.icon, " ", this.what, " ", this.time),
      this.reason,
      this.call,
      this.wrapUp,
    );
  }

  update({ situation, reason, sessions, desk }) {
    this.since = situation.since;
    this.until = sessions.map((each) => each.wrap_up_until).find(Boolean) ?? null;
    set(this.element, "data-situation", situation.what);
    say(this.icon, ICONS[situation.what]);
    say(this.what, t(`words.situation.${situation.what}`));
    say(this.reason, ["notready", "unknown"].includes(situation.what) ? spoken(reason) : "");
    say(
      this.call,
      situation.call
        ? t("desk.callIn", { queue: situation.call.queue, caller: situation.call.caller || t("words.caller") })
        : "",
    );
    this.tick(desk.live.now());
  }

  tick(now) {
    say(this.time, duration(secondsSince(this.since, now)));
    say(this.wrapUp, this.until ? t("desk.wrapUpLeft", { time: duration((Date.parse(this.until) - now) / 1000) }) : "");
  }
}

class Present {
  constructor(desk) {
    this.acts = new Acts(desk);
    this.element = section("acts", this.acts.element);
  }

  update(subject) {
    this.acts.show(actsOf(subject));
  }
}

class Sessions {
  constructor(desk) {
    this.none = el("p", { class: "muted" }, t("desk.noSessions"));
    const columns = ["group", "phone", "situation", "since", "acts"].map((each) => ({
      text: t(`desk.column.${each}`),
      number: each === "since",
    }));
    this.table = table(t("desk.part.sessions"), columns);
    this.rows = new List(
      this.table.body,
      ({ session }) => session.id,
      () => new SessionRow(desk),
    );
    this.element = section("sessions", this.none, this.table.element);
  }

  update(subject) {
    this.none.hidden = subject.isOn;
    this.table.element.hidden = !subject.isOn;
    this.rows.show(subject.sessions.map((session) => ({ session, subject })));
  }

  tick(now) {
    for (const row of this.rows.parts()) row.tick(now);
  }
}

class SessionRow {
  constructor(desk) {
    this.desk = desk;
    this.group = el("th", { scope: "row" });
    this.phone = el("td");
    this.state = el("td");
    this.time = el("td", { class: "number time" });
    this.acts = new Acts(desk);
    this.element = el("tr", {}, this.group, this.phone, this.state, this.time, el("td", {}, this.acts.element));
  }

  update({ session, subject }) {
    this.since = session.state_since;
    say(this.group, session.acd_group);
    say(this.phone, session.address);
    say(this.state, stateText(session));
    this.acts.show(sessionActs(subject, session));
    this.tick(this.desk.live.now());
  }

  tick(now) {
    say(this.time, duration(secondsSince(this.since, now)));
  }
}

function stateText({ state, reason, next_state }) {
  const name = (each) => t(`desk.sessionState.${each}`);
  const present = reason ? `${name(state)} (${spoken(reason)})` : name(state);
  return next_state ? t("desk.then", { present, next: name(next_state) }) : present;
}

// How late his turn comes in each queue.
class Penalties {
  #shown = "";
  #penalties = new Map();

  constructor(desk) {
    this.desk = desk;
    const columns = [t("desk.column.queue"), { text: t("desk.column.penalty"), number: true }, t("desk.column.acts")];
    this.table = table(t("desk.part.penalties"), columns);
    this.rows = new List(
      this.table.body,
      ({ queue }) => queue,
      () => new PenaltyRow(desk),
    );
    this.element = section("penalties", this.table.element);
  }

  update(subject) {
    this.subject = subject;
    const queues = [...subject.handler.queuesOf(subject.agent)].sort();
    this.element.hidden = !queues.length;
    if (this.#shown !== queues.join("\n")) this.#take(queues);
    const rows = queues.map((queue) => ({
      queue,
      subject,
      penalty: this.#penalties.get(queue),
      then: () => this.#take(queues),
    }));
    this.rows.show(rows);
  }

  async #take(queues) {
    this.#shown = queues.join("\n");
    const { handler, agent } = this.subject;
    const taken = await Promise.allSettled(
      queues.map((queue) => all(handlerPath(handler.name, "queues", queue, "members"))),
    );
    taken.forEach(({ value }, place) => {
      const member = value?.find((each) => each.agent === agent.agent);
      if (member) this.#penalties.set(queues[place], member.penalty);
    });
    this.update(this.subject);
  }
}

class PenaltyRow {
  constructor(desk) {
    this.queue = el("th", { scope: "row" });
    this.penalty = numberCell("");
    this.acts = new Acts(desk);
    this.element = el("tr", {}, this.queue, this.penalty, el("td", {}, this.acts.element));
  }

  update({ queue, subject, penalty, then }) {
    say(this.queue, queue);
    say(this.penalty, penalty ?? NOTHING);
    this.acts.show([penaltyAct(subject, queue, penalty ?? 0, then)]);
  }
}

// Who hears his calls.
class Listeners {
  constructor(desk) {
    const list = el("ul", { class: "plain" });
    this.rows = new List(
      list,
      ({ monitor }) => monitor.id,
      () => new Listener(desk),
    );
    this.element = section("listeners", list);
  }

  update(subject) {
    this.element.hidden = !subject.monitors.length;
    this.rows.show(subject.monitors.map((monitor) => ({ monitor, subject })));
  }
}

class Listener {
  constructor(desk) {
    this.text = el("span");
    this.acts = new Acts(desk);
    this.element = el("li", {}, this.text, " ", this.acts.element);
  }

  update({ monitor, subject }) {
    const { mode, state, supervisor_address: phone } = monitor;
    say(this.text, t("desk.listener", { phone, mode: t(`desk.mode.${mode}`), state: t(`desk.monitorState.${state}`) }));
    this.acts.show([
      {
        key: `${subject.key} monitor ${monitor.id}`,
        label: t("desk.act.stopListening"),
        about: phone,
        run: () => command("DELETE", handlerPath(subject.handler.name, "monitors", monitor.id)),
        tell: () => t("desk.done.stopListening", { who: subject.who }),
      },
    ]);
  }
}

// ITAgent's figures of the measurement period, and what is set.
class Figures {
  constructor() {
    this.values = new Map([...Object.keys(FIGURES), "wrap_up", "measurement_period"].map((each) => [each, el("dd")]));
    const pairs = [...this.values].map(([name, value]) => el("div", {}, el("dt", {}, t(`desk.figure.${name}`)), value));
    this.element = section("figures", el("dl", { class: "facts" }, pairs));
  }

  update({ agent }) {
    for (const [name, write] of Object.entries(FIGURES)) say(this.values.get(name), write(agent[name]));
    say(this.values.get("wrap_up"), agent.wrap_up === null ? t("desk.asTheQueue") : duration(agent.wrap_up));
    say(this.values.get("measurement_period"), duration(agent.measurement_period));
  }
}
