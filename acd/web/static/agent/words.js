// How things of the desk are called.

import { duration, secondsSince } from "../format.js";
import { t } from "../texts.js";

// Who calls, where, and, with a time, how long he has waited.
export function aboutCall(call, now = null) {
  if (!call) return "";
  const caller = call.caller || t("words.caller");
  if (now === null) return t("agent.call", { caller, queue: call.queue });
  return t("agent.callWaited", { caller, queue: call.queue, time: duration(secondsSince(call.entered, now)) });
}
