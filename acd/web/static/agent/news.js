// What others did to the agent, or he himself in another window: it is said, so that nobody has to guess.

import { spoken } from "../situations.js";
import { t } from "../texts.js";
import { lastActed } from "./buttons.js";

const OWN = 2_000; // milliseconds after an answer, in which a change is still its consequence
const IDLE = ["ready", "notready"];

export class News {
  #before = null;

  constructor(mine, notes, buttons) {
    Object.assign(this, { mine, notes, buttons });
  }

  show() {
    const { situation, reason, sessions } = this.mine;
    const present = { what: situation.what, reason, sessions: new Map(sessions.map((each) => [each.id, each])) };
    const before = this.#before;
    this.#before = present;
    if (!before?.sessions.size || this.#isOwn()) return;
    this.#tellSessions(before.sessions, present.sessions);
    if (present.sessions.size && before.what !== present.what && [before, present].every((each) => IDLE.includes(each.what))) {
      this.notes.say(told(present));
    }
  }

  #isOwn() {
    return this.buttons.pending > 0 || Date.now() - lastActed() < OWN;
  }

  #tellSessions(before, present) {
    for (const { id, acd_group, next_state } of before.values()) {
      const isExpected = next_state === "SESSION_ENDED";
      if (!present.has(id) && !isExpected) this.notes.say(t("agent.news.off", { group: acd_group }));
    }
    for (const { id, acd_group } of present.values()) {
      if (!before.has(id)) this.notes.say(t("agent.news.on", { group: acd_group }));
    }
  }
}

function told({ what, reason }) {
  if (what === "ready") return t("agent.news.ready");
  if (reason === "missed calls") return t("agent.news.missed");
  return t("agent.news.notReady", { reason: spoken(reason) || t("agent.noReason") });
}
