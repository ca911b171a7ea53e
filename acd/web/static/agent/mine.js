// What belongs to the agent who is signed in, and what he can ask for.

import { command, handlerPath } from "../api.js";
import { reasonOf, situationOf } from "../floor.js";

const ON_A_CALL = ["ringing", "talking", "hold", "wrapup"];

export class Mine {
  constructor(live, { handler, agent }) {
    Object.assign(this, { live, name: handler, key: agent });
  }

  get handler() {
    return this.live.floor.handlers.get(this.name);
  }

  get agent() {
    return this.handler.agents.get(this.key);
  }

  // His live log-ins. The stream tells of a new one before it tells of the agent.
  get sessions() {
    const his = [...this.handler.sessions.values()].filter((each) => each.agent === this.key);
    return his.sort((one, other) => one.acd_group.localeCompare(other.acd_group));
  }

  get situation() {
    return situationOf(this.agent, this.sessions);
  }

  get reason() {
    return reasonOf(this.agent, this.sessions);
  }

  // A queue's call, from its ring to the end of its wrap-up.
  get isOnACall() {
    return ON_A_CALL.includes(this.situation.what);
  }

  // The session whose call or wrap-up it is.
  get busy() {
    return this.sessions.find((each) => each.state.startsWith("BUSY")) ?? null;
  }

  // What follows the present call: {state, reason}; null without one.
  get follows() {
    const { next_state, next_reason, state, reason } = this.agent;
    if (next_state) return { state: next_state, reason: next_reason };
    return this.situation.what === "ringing" ? { state, reason } : null;
  }

  now() {
    return this.live.now();
  }

  path(...parts) {
    return handlerPath(this.name, ...parts);
  }

  // Requests -----------------------------------------------------------------------------------------------------

  // During a call the agent alone is asked: it applies after the wrap-up, and what is asked of a session would skip it.
  ready() {
    const sessions = this.isOnACall ? [] : this.sessions;
    return all([this.#putAgent("READY"), ...sessions.map((each) => this.#put(each, "READY"))]);
  }

  notReady(reason = "") {
    const sessions = this.isOnACall ? [] : this.sessions;
    return all([this.#putAgent("NOT_READY", reason), ...sessions.map((each) => this.#put(each, "NOT_READY", reason))]);
  }

  // Of one group. Who is ready for one group is ready himself; where he was not, the others stay as they were.
  async readyFor(session) {
    const { state, reason } = this.agent;
    const others = state === "NOT_READY" ? this.sessions.filter((each) => each.id !== session.id && each.state === "READY") : [];
    await all([this.#put(session, "READY"), ...others.map((each) => this.#put(each, "NOT_READY", reason))]);
    if (state === "NOT_READY") await this.#putAgent("READY");
  }

  notReadyFor(session) {
    return this.#put(session, "NOT_READY");
  }

  logOff(sessions) {
    return all(sessions.map((each) => this.#put(each, "SESSION_ENDED")));
  }

  logOn(group, address) {
    return command("POST", this.path("agents", this.key, "sessions"), { acd_group: group, address });
  }

  finish() {
    return this.#wrapUp({ end: true });
  }

  extend(seconds) {
    return this.#wrapUp({ extend_seconds: seconds });
  }

  code(code) {
    return command("PUT", this.path("sessions", this.busy.id, "disposition"), { code });
  }

  #wrapUp(body) {
    return command("PUT", this.path("sessions", this.busy.id, "wrap-up"), body);
  }

  #putAgent(state, reason = "") {
    return command("PUT", this.path("agents", this.key, "state"), { state, reason });
  }

  #put({ id }, state, reason = "") {
    return command("PUT", this.path("sessions", id, "state"), { state, reason });
  }
}

// Waits for all of them, also when one is refused: what is then shown is how it came out.
async function all(asked) {
  const failed = (await Promise.allSettled(asked)).find((each) => each.status === "rejected");
  if (failed) throw failed.reason;
}
