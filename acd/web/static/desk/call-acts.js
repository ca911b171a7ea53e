// What can be asked for of a caller who waits, and of a queue.

import { command, handlerPath } from "../api.js";
import { t } from "../texts.js";

const callerOf = (call) => call.caller || t("words.caller");

export function callActs(desk, handler, call, then) {
  const who = callerOf(call);
  const key = `${handler.name} ${call.queue} ${call.call}`;
  const at = (...parts) => handlerPath(handler.name, "queues", call.queue, "calls", call.call, ...parts);
  const of = (name, more) => ({
    key: `${key} ${name}`,
    label: t(`desk.act.${name}`),
    about: who,
    tell: (_, values) => t(`desk.done.${name}`, { who, queue: call.queue, ...values }),
    then,
    ...more,
  });
  const confirmed = (name) => () => ({
    title: t("desk.actOn", { act: t(`desk.act.${name}`), who }),
    text: t(`desk.ask.${name}`, { who, queue: call.queue, caller: who }),
    button: t(`desk.act.${name}`),
    harm: true,
  });
  return [
    of("priority", { ask: () => priorityQuestion(who, call), run: (body) => command("POST", at("priority"), body) }),
    of("transfer", {
      ask: () => transferQuestion(who, handler, call),
      run: (body) => command("POST", at("transfer"), body),
    }),
    of("withdraw", { harm: true, ask: confirmed("withdraw"), run: () => command("POST", at("withdraw")) }),
    of("hangUpCaller", {
      harm: true,
      ask: confirmed("hangUpCaller"),
      run: () => command("POST", handlerPath(handler.name, "calls", call.call, "hangup")),
    }),
  ];
}

const priorityQuestion = (who, call) => ({
  title: t("desk.actOn", { act: t("desk.act.priority"), who }),
  button: t("desk.set"),
  fields: [
    {
      name: "priority",
      label: t("desk.priority"),
      type: "number",
      value: call.priority ?? 0,
      required: true,
      min: -1_000_000,
      max: 1_000_000,
      note: t("desk.ask.priority"),
    },
  ],
});

const transferQuestion = (who, handler, call) => ({
  title: t("desk.actOn", { act: t("desk.act.transfer"), who }),
  text: t("desk.ask.transfer"),
  button: t("desk.act.transfer").replace("…", ""),
  fields: [
    {
      name: "queue",
      label: t("desk.queue"),
      type: "select",
      required: true,
      options: [...handler.queues.keys()].filter((name) => name !== call.queue).sort(),
    },
  ],
});

export function queueActs(handler, queue) {
  const of = (name, path, field) => ({
    key: `${handler.name} queue ${queue.name} ${name}`,
    label: t(`desk.act.${name}`),
    about: queue.name,
    ask: () => ({
      title: t("desk.actOn", { act: t(`desk.act.${name}`), who: queue.name }),
      button: t("desk.set"),
      fields: [{ name: "seconds", label: t("desk.seconds"), type: "number", ...field }],
    }),
    run: (body) => command("PUT", handlerPath(handler.name, "queues", queue.name, path), body),
  });
  return [
    {
      ...of("queueWrapUpTime", "wrap-up-time", {
        value: queue.wrap_up,
        min: 0,
        max: 86_400,
        note: t("desk.ask.queueWrapUpTime"),
      }),
      tell: ({ wrap_up }) => t("desk.done.queueWrapUpTime", { queue: queue.name, seconds: wrap_up }),
    },
    {
      ...of("measurementPeriod", "measurement-period", {
        value: queue.measurement_period,
        min: 1,
        max: 2 ** 31 - 1,
        required: true,
        note: t("desk.ask.measurementPeriod"),
      }),
      tell: ({ measurement_period }) =>
        t("desk.done.measurementPeriod", { who: queue.name, seconds: measurement_period }),
    },
  ];
}
