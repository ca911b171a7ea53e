// What a page knows of the call center: the picture, and what the stream told since.

export class Floor {
  handlers = new Map();

  // The whole picture takes the place of all that was known.
  reset(picture) {
    this.handlers = new Map(picture.handlers.map((each) => [each.name, new Handler(each, picture.at)]));
  }

  // What an envelope changes. Unknown kinds change nothing, so that a page outlives an upgrade.
  apply(envelope) {
    this.handlers.get(envelope.handler)?.apply(envelope);
  }

  *agents() {
    for (const handler of this.handlers.values()) yield* handler.agents.values();
  }

  *queues() {
    for (const handler of this.handlers.values()) yield* handler.queues.values();
  }

  // The name of a handler where there is more than one to tell apart, else "".
  placeOf(handler) {
    return this.handlers.size > 1 ? handler : "";
  }

  groups() {
    return [...new Set([...this.handlers.values()].flatMap((each) => [...each.groups.keys()]))].sort();
  }
}

class Handler {
  // `at`: when it was so. Each agent, session and queue has its own, for figures that go on counting.
  constructor(picture, at) {
    this.name = picture.name;
    this.linked = picture.linked;
    this.agents = by(picture.agents, (each) => each.agent);
    this.sessions = by(picture.sessions, (each) => each.id);
    this.queues = by(picture.queues, (each) => each.name);
    this.groups = by(picture.acd_groups, (each) => each.name);
    this.calls = by(picture.calls, keyOfCall); // those who wait
    this.monitors = new Map();
    for (const things of [this.agents, this.sessions, this.queues]) {
      for (const thing of things.values()) Object.assign(thing, { handler: this.name, at });
    }
  }

  apply({ type, event, subject, at }) {
    if (subject) subject.at = at;
    CHANGES[type === "statistics" ? OF_STATISTICS[event] : type]?.(this, subject, event);
  }

  // The live sessions of an agent.
  sessionsOf(agent) {
    return agent.sessions.map((id) => this.sessions.get(id)).filter(Boolean);
  }

  // How many of these agents there are for each queue.
  countByQueue(agents) {
    const counts = new Map();
    for (const agent of agents) {
      for (const queue of this.queuesOf(agent)) counts.set(queue, (counts.get(queue) ?? 0) + 1);
    }
    return counts;
  }

  // Since when the first caller of each queue waits; nothing for a queue without one.
  waitingSince() {
    const waiting = Map.groupBy(this.calls.values(), (call) => call.queue);
    return new Map([...waiting].map(([queue, calls]) => [queue, calls.map((call) => call.waiting_since).sort()[0]]));
  }

  // The queues of the groups that he is logged on for.
  queuesOf(agent) {
    return new Set(this.sessionsOf(agent).flatMap((each) => this.groups.get(each.acd_group)?.queues ?? []));
  }
}

const OF_STATISTICS = { AGENT: "agent", AGENT_SESSION: "agent-session", QUEUE: "queue", ACD_GROUP: "acd-group" };

const CHANGES = {
  agent: (handler, agent) => keep(handler, handler.agents, agent.agent, agent),
  "agent-session": (handler, session) => {
    if (session.state === "SESSION_ENDED") handler.sessions.delete(session.id);
    else keep(handler, handler.sessions, session.id, session);
  },
  queue: (handler, queue) => keep(handler, handler.queues, queue.name, queue),
  "acd-group": (handler, group, event) => {
    if (event === "GROUP_REMOVED") handler.groups.delete(group.name);
    else handler.groups.set(group.name, group);
  },
  "agent-handler": (handler, { linked }) => (handler.linked = linked),
  link: (handler, { linked }) => (handler.linked = linked),
  call: (handler, row, event) => {
    if (event !== "QUEUED") handler.calls.delete(keyOfCall(row));
    else handler.calls.set(keyOfCall(row), { ...row, waiting_since: row.entered, priority: null });
  },
  monitor: (handler, monitor) => {
    if (monitor.state === "ENDED") handler.monitors.delete(monitor.id);
    else handler.monitors.set(monitor.id, monitor);
  },
};

function keep(handler, things, key, thing) {
  thing.handler = handler.name;
  things.set(key, thing);
}

const by = (items, key) => new Map(items.map((each) => [key(each), each]));
const keyOfCall = ({ queue, call }) => `${queue} ${call}`;

// What an agent does, as people speak of it: one of SITUATIONS, since when, and with which call.
export const SITUATIONS = ["ready", "ringing", "talking", "hold", "wrapup", "outside", "notready", "unknown", "off"];

const STAGES = { RINGING: "ringing", TALKING: "talking", ON_HOLD: "hold", WRAP_UP: "wrapup" };
const STATES = {
  READY: "ready",
  NOT_READY: "notready",
  BUSY_ACD: "talking",
  BUSY_INCOMING: "outside",
  BUSY_OUTGOING: "outside",
  UNKNOWN: "unknown",
};

// What he did in a stretch of a time line; undefined where he was logged off.
export const situationIn = ({ state, wrap_up }) => (wrap_up ? "wrapup" : STATES[state]);

export function situationOf(agent, sessions) {
  if (agent.state === "UNKNOWN") return { what: "unknown", since: agent.state_since, call: null };
  const call = sessions.map((each) => each.acd_call).find(Boolean) ?? null;
  if (call) return { what: STAGES[call.stage], since: call.since, call };
  // after-call work that is over, until Asterisk has let him go
  const over = sessions.find((each) => each.state === "BUSY_WRAPUP");
  if (over) return { what: "wrapup", since: over.state_since, call: null };
  if (!sessions.length) return { what: "off", since: agent.state_since, call: null };
  if (agent.state !== "READY") return { what: STATES[agent.state], since: since(agent, sessions), call: null };
  // a ready agent whose sessions are not gets no calls
  const ready = sessions.filter((each) => each.state === "READY");
  if (!ready.length) return { what: "notready", since: latest(sessions), call: null };
  return { what: "ready", since: [agent.state_since, earliest(ready)].sort().at(-1), call: null };
}

// Not from before the log-on: who logged off not ready last night is not ready since this morning.
const since = (agent, sessions) => [agent.state_since, sessions.map((each) => each.session_start_time).sort()[0]].sort().at(-1);
const moments = (sessions) => sessions.map((each) => each.state_since).sort();
const latest = (sessions) => moments(sessions).at(-1);
const earliest = (sessions) => moments(sessions)[0];

// Why he is not ready: his own reason, else that of his sessions.
export function reasonOf(agent, sessions) {
  return agent.reason || sessions.map((each) => each.reason).find(Boolean) || "";
}
