// What can be asked for of an agent, and of one session of his.

import { command, handlerPath } from "../api.js";
import { reasonOf, situationOf } from "../floor.js";
import { t } from "../texts.js";

// An agent with all that the acts need to know of him; null where there is none (any more).
export function subjectOf(desk, handlerName, key) {
  const handler = desk.floor.handlers.get(handlerName);
  const agent = handler?.agents.get(key);
  if (!agent) return null;
  const sessions = handler.sessionsOf(agent);
  const situation = situationOf(agent, sessions);
  const monitors = [...handler.monitors.values()].filter((each) => each.agent === key);
  const subject = {
    desk,
    handler,
    agent,
    sessions,
    situation,
    monitors,
    key: `${handlerName} ${key}`,
    who: agent.user,
  };
  return { ...subject, reason: reasonOf(agent, sessions), isOn: sessions.length > 0 };
}

const MAKERS = {
  ready: ({ isOn }) => isOn,
  notReady: ({ isOn }) => isOn,
  listen: ({ situation }) => isSpeaking(situation),
  whisper: ({ situation }) => isSpeaking(situation),
  barge: ({ situation }) => isSpeaking(situation),
  stopListening: ({ monitors }) => monitors.length > 0,
  hangUp: ({ situation }) => ["talking", "hold"].includes(situation.what) && situation.call,
  endWrapUp: ({ situation }) => situation.what === "wrapup",
  extendWrapUp: ({ situation }) => situation.what === "wrapup",
  note: () => true,
  logOn: () => true,
  wrapUpTime: () => true,
  measurementPeriod: () => true,
  logOff: ({ isOn }) => isOn,
};

const isSpeaking = ({ what }) => ["talking", "hold", "outside"].includes(what);

// All that can be done now, in an order that does not jump about.
export function actsOf(subject) {
  return Object.entries(MAKERS)
    .filter(([, fits]) => fits(subject))
    .map(([name]) => ACTS[name](subject));
}

// The one that is wanted most often.
export function firstAct(subject) {
  if (!subject.isOn) return ACTS.logOn(subject);
  return subject.situation.what === "notready" ? ACTS.ready(subject) : ACTS.notReady(subject);
}

const of = (subject, name, more) => ({
  key: `${subject.key} ${name}`,
  label: t(`desk.act.${name}`),
  about: subject.who,
  tell: () => t(`desk.done.${name}`, { who: subject.who }),
  ...more,
});

const path = ({ handler }, ...parts) => handlerPath(handler.name, ...parts);
const ofAgent = (subject, ...parts) => path(subject, "agents", subject.agent.agent, ...parts);
const title = (subject, name) => t("desk.actOn", { act: t(`desk.act.${name}`), who: subject.who });
const because = (reason) => (reason ? ` (${reason})` : "");

// Both, so that calls come: an agent is ready by himself, and for each group that he is logged on for.
async function makeReady(subject) {
  const sessions = subject.sessions.filter(({ state }) => state === "NOT_READY");
  const [answer] = await each([
    command("PUT", ofAgent(subject, "state"), { state: "READY" }),
    ...sessions.map(({ id }) => command("PUT", path(subject, "sessions", id, "state"), { state: "READY" })),
  ]);
  return answer;
}

const ACTS = {
  ready: (subject) =>
    of(subject, "ready", {
      run: () => makeReady(subject),
      tell: ({ state }) => t(state === "READY" ? "desk.done.ready" : "desk.later.ready", { who: subject.who }),
    }),

  notReady: (subject) =>
    of(subject, "notReady", {
      ask: () => reasonQuestion(subject, "notReady"),
      run: ({ reason }) => command("PUT", ofAgent(subject, "state"), { state: "NOT_READY", reason }),
      tell: ({ state }, { reason }) =>
        t(state === "NOT_READY" ? "desk.done.notReady" : "desk.later.notReady", {
          who: subject.who,
          because: because(reason),
        }),
    }),

  logOn: (subject) =>
    of(subject, "logOn", {
      ask: () => logOnQuestion(subject),
      run: ({ group, phone }) => command("POST", ofAgent(subject, "sessions"), { acd_group: group, address: phone }),
      tell: (session) => t("desk.done.logOn", { who: subject.who, group: session.acd_group, phone: session.address }),
    }),

  logOff: (subject) =>
    of(subject, "logOff", {
      harm: true,
      ask: () => ({
        title: title(subject, "logOff"),
        text: t("desk.ask.logOff", {
          who: subject.who,
          groups: subject.sessions.map((each) => each.acd_group).join(", "),
        }),
        button: t("desk.act.logOff"),
        harm: true,
      }),
      run: () => endSessions(subject, subject.sessions),
      tell: (states) => t(areOver(states) ? "desk.done.logOff" : "desk.later.logOff", { who: subject.who }),
    }),

  endWrapUp: (subject) =>
    of(subject, "endWrapUp", { run: () => ofWrapUp(subject, (each) => endWrapUp(subject, each)) }),

  extendWrapUp: (subject) =>
    of(subject, "extendWrapUp", {
      ask: () => secondsQuestion(subject, "extendWrapUp", { value: 60, min: 1, required: true }),
      run: ({ seconds }) => ofWrapUp(subject, (each) => extendWrapUp(subject, each, seconds)),
      tell: (_, { seconds }) => t("desk.done.extendWrapUp", { who: subject.who, seconds }),
    }),

  wrapUpTime: (subject) =>
    of(subject, "wrapUpTime", {
      ask: () =>
        secondsQuestion(subject, "wrapUpTime", {
          value: subject.agent.wrap_up,
          min: 0,
          note: t("desk.ask.wrapUpTime"),
        }),
      run: ({ seconds }) => command("PUT", ofAgent(subject, "wrap-up-time"), { seconds }),
      tell: ({ wrap_up }) =>
        t(wrap_up === null ? "desk.done.noWrapUpTime" : "desk.done.wrapUpTime", { who: subject.who, seconds: wrap_up }),
    }),

  measurementPeriod: (subject) =>
    of(subject, "measurementPeriod", {
      ask: () =>
        secondsQuestion(subject, "measurementPeriod", {
          value: subject.agent.measurement_period,
          min: 1,
          required: true,
          note: t("desk.ask.measurementPeriod"),
        }),
      run: ({ seconds }) => command("PUT", ofAgent(subject, "measurement-period"), { seconds }),
      tell: ({ measurement_period }) =>
        t("desk.done.measurementPeriod", { who: subject.who, seconds: measurement_period }),
    }),

  listen: (subject) => monitoring(subject, "listen"),
  whisper: (subject) => monitoring(subject, "whisper"),
  barge: (subject) => monitoring(subject, "barge"),

  stopListening: (subject) =>
    of(subject, "stopListening", {
      run: async () => {
        for (const each of own(subject)) await command("DELETE", path(subject, "monitors", each.id));
      },
    }),

  hangUp: (subject) =>
    of(subject, "hangUp", {
      harm: true,
      ask: () => ({
        title: title(subject, "hangUp"),
        text: t("desk.ask.hangUp", { who: subject.who, caller: subject.situation.call.caller || t("words.caller") }),
        button: t("desk.act.hangUp"),
        harm: true,
      }),
      run: () => command("POST", path(subject, "calls", subject.situation.call.call, "hangup")),
    }),

  note: (subject) =>
    of(subject, "note", {
      ask: () => ({
        title: title(subject, "note"),
        button: t("desk.act.send"),
        fields: [{ name: "text", label: t("desk.noteText"), type: "textarea", required: true, maxlength: 1000 }],
      }),
      run: ({ text }) => command("POST", path(subject, "notes"), { text, agents: [subject.agent.agent] }),
    }),
};

async function reasonQuestion(subject, name) {
  const { reasons } = await subject.desk.choices(subject.handler.name);
  return {
    title: title(subject, name),
    button: t(`desk.act.${name}`).replace("…", ""),
    fields: [
      {
        name: "reason",
        label: t("desk.reason"),
        type: "suggest",
        options: reasons,
        note: t("desk.reasonNote"),
        maxlength: 80,
      },
    ],
  };
}

function secondsQuestion(subject, name, { note, ...field }) {
  return {
    title: title(subject, name),
    button: t("desk.set"),
    fields: [
      {
        name: "seconds",
        label: t("desk.seconds"),
        type: "number",
        max: 86_400,
        note,
        ...field,
        ...(name === "measurementPeriod" ? { max: 2 ** 31 - 1 } : {}),
      },
    ],
  };
}

async function logOnQuestion(subject) {
  const groups = otherGroups(subject);
  return {
    title: title(subject, "logOn"),
    text: groups.length ? t("desk.ask.logOn") : t("desk.ask.everyGroup"),
    button: groups.length > 0 && t("desk.act.logOn").replace("…", ""),
    fields: groups.length
      ? [
          { name: "group", label: t("desk.group"), type: "select", options: groups },
          {
            name: "phone",
            label: t("desk.phone"),
            type: "suggest",
            required: true,
            value: subject.sessions[0]?.address,
            options: await subject.desk.addresses(subject.handler.name),
          },
        ]
      : [],
  };
}

// Those that he is not logged on for.
function otherGroups({ handler, sessions }) {
  const present = new Set(sessions.map((each) => each.acd_group));
  return [...handler.groups.keys()].filter((name) => !present.has(name)).sort();
}

async function endSessions(subject, sessions) {
  const end = ({ id }) => command("PUT", path(subject, "sessions", id, "state"), { state: "SESSION_ENDED" });
  return (await each(sessions.map(end))).map(({ state }) => state);
}

// All of them, also when one is refused.
async function each(asked) {
  const answers = await Promise.allSettled(asked);
  const refused = answers.find(({ status }) => status === "rejected");
  if (refused) throw refused.reason;
  return answers.map(({ value }) => value);
}

const areOver = (states) => states.every((state) => state === "SESSION_ENDED");

async function ofWrapUp({ sessions }, run) {
  for (const each of sessions.filter(isInWrapUp)) await run(each);
}

const isInWrapUp = ({ state }) => state === "BUSY_WRAPUP";
const endWrapUp = (subject, { id }) => command("PUT", path(subject, "sessions", id, "wrap-up"), { end: true });
const extendWrapUp = (subject, { id }, seconds) =>
  command("PUT", path(subject, "sessions", id, "wrap-up"), { extend_seconds: seconds });

// Those of this supervisor's phone; where there are none, whoever listens.
function own({ desk, monitors }) {
  const mine = monitors.filter((each) => each.supervisor_address === desk.phone.address);
  return mine.length ? mine : monitors;
}

function monitoring(subject, mode) {
  const { phone } = subject.desk;
  return of(subject, mode, {
    ask: () => (phone.address ? null : phone.question()),
    run: async (given) => {
      if (given.phone) phone.keep(given.phone);
      return command("POST", ofAgent(subject, mode), { supervisor_address: phone.address });
    },
    tell: ({ supervisor_address }) => t(`desk.done.${mode}`, { who: subject.who, phone: supervisor_address }),
  });
}

// Of one session --------------------------------------------------------------------------------------------------

export function sessionActs(subject, session) {
  const inSession = {
    ...subject,
    key: `${subject.key} ${session.id}`,
    who: t("desk.inGroup", { who: subject.who, group: session.acd_group }),
  };
  const acts = [
    sessionReady,
    sessionNotReady,
    isInWrapUp(session) && sessionEndWrapUp,
    isInWrapUp(session) && sessionExtend,
    move,
    sessionLogOff,
  ];
  return acts.filter(Boolean).map((make) => make(inSession, session));
}

const ofSession = (subject, { id }, ...parts) => path(subject, "sessions", id, ...parts);
const setState = (subject, session, body) => command("PUT", ofSession(subject, session, "state"), body);

const sessionReady = (subject, session) =>
  of(subject, "ready", {
    run: () => setState(subject, session, { state: "READY" }),
    tell: ({ state }) => t(state === "READY" ? "desk.done.ready" : "desk.later.ready", { who: subject.who }),
  });

const sessionNotReady = (subject, session) =>
  of(subject, "notReady", {
    ask: () => reasonQuestion(subject, "notReady"),
    run: ({ reason }) => setState(subject, session, { state: "NOT_READY", reason }),
    tell: ({ state }, { reason }) =>
      t(state === "NOT_READY" ? "desk.done.notReady" : "desk.later.notReady", {
        who: subject.who,
        because: because(reason),
      }),
  });

const sessionEndWrapUp = (subject, session) => of(subject, "endWrapUp", { run: () => endWrapUp(subject, session) });

const sessionExtend = (subject, session) =>
  of(subject, "extendWrapUp", {
    ask: () => secondsQuestion(subject, "extendWrapUp", { value: 60, min: 1, required: true }),
    run: ({ seconds }) => extendWrapUp(subject, session, seconds),
    tell: (_, { seconds }) => t("desk.done.extendWrapUp", { who: subject.who, seconds }),
  });

const move = (subject, session) =>
  of(subject, "move", {
    ask: () => ({
      title: title(subject, "move"),
      text: t("desk.ask.move"),
      button: t("desk.act.move").replace("…", ""),
      fields: [
        {
          name: "group",
          label: t("desk.group"),
          type: "select",
          required: true,
          options: [...subject.handler.groups.keys()].filter((name) => name !== session.acd_group).sort(),
        },
      ],
    }),
    run: ({ group }) => command("PUT", ofSession(subject, session, "acd-group"), { acd_group: group }),
    tell: ({ acd_group }) => t("desk.done.move", { who: subject.agent.user, group: acd_group }),
  });

const sessionLogOff = (subject, session) =>
  of(subject, "logOff", {
    harm: true,
    ask: () => ({
      title: title(subject, "logOff"),
      text: t("desk.ask.logOff", { who: subject.agent.user, groups: session.acd_group }),
      button: t("desk.act.logOff"),
      harm: true,
    }),
    run: () => endSessions(subject, [session]),
    tell: (states) => t(areOver(states) ? "desk.done.logOff" : "desk.later.logOff", { who: subject.who }),
  });

// The penalty in one queue.
export const penaltyAct = (subject, queue, penalty, then) =>
  of(subject, "penalty", {
    key: `${subject.key} penalty ${queue}`,
    about: `${subject.who}, ${queue}`,
    ask: () => ({
      title: t("desk.actOn", { act: t("desk.act.penalty"), who: `${subject.who}, ${queue}` }),
      button: t("desk.set"),
      fields: [
        {
          name: "penalty",
          label: t("desk.penalty"),
          type: "number",
          value: penalty,
          min: 0,
          max: 10_000,
          required: true,
          note: t("desk.ask.penalty"),
        },
      ],
    }),
    run: (body) => command("PUT", path(subject, "queues", queue, "members", subject.agent.agent), body),
    tell: (answer) => t("desk.done.penalty", { who: subject.who, queue, penalty: answer.penalty }),
    then,
  });
