// The signs of what agents do, and their reasons in words. The colours are in base.css, by data-situation.

import { has, t } from "./texts.js";

export const ICONS = {
  ready: "●",
  ringing: "☎",
  talking: "▶",
  hold: "❚❚",
  wrapup: "✎",
  outside: "↔",
  notready: "■",
  unknown: "?",
  off: "○",
};

// What a supervisor looks for comes first.
const ORDER = ["unknown", "ringing", "talking", "hold", "wrapup", "outside", "notready", "ready", "off"];
export const urgency = ({ situation }) => ORDER.indexOf(situation.what);

// acd's own reasons in the reader's language; an agent's in his own words.
export function spoken(reason) {
  return has(`words.reasons.${reason}`) ? t(`words.reasons.${reason}`) : reason;
}
