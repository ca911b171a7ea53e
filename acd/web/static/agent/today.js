// The agent's own figures of today, which go on counting, and his day as a picture.

import { get } from "../api.js";
import { el, say } from "../dom.js";
import { duration, number, secondsSince, timeZone } from "../format.js";
import { t } from "../texts.js";
import { refusal } from "./buttons.js";
import { Day } from "./day.js";

const EVERY = 30_000; // milliseconds
const SOON = 1_000; // after he has become something else
const NAMES = ["calls", "talk", "wrapUp", "average", "readyTime", "notReadyTime", "loggedOn"];
// To which figures the present time is added.
const COUNTS = {
  ready: ["readyTime", "loggedOn"],
  ringing: ["readyTime", "loggedOn"],
  talking: ["talk", "loggedOn"],
  hold: ["talk", "loggedOn"],
  wrapup: ["wrapUp", "loggedOn"],
  notready: ["notReadyTime", "loggedOn"],
  outside: ["loggedOn"],
};

export class Today {
  #report = null;
  #what = "";
  #due = 0; // milliseconds since 1970
  #asking = false;

  constructor(mine) {
    this.mine = mine;
    this.values = Object.fromEntries(NAMES.map((name) => [name, el("dd")]));
    const pairs = NAMES.map((name) => el("div", {}, el("dt", {}, t(`agent.today.${name}`)), this.values[name]));
    this.day = new Day();
    this.failed = el("p", { class: "muted" });
    this.element = el(
      "section",
      { class: "today card", "aria-labelledby": "today" },
      el("h2", { id: "today" }, t("agent.today.title")),
      el("dl", { class: "figures" }, pairs),
      this.day.element,
      this.failed,
    );
  }

  show() {
    const { what } = this.mine.situation;
    if (what !== this.#what) this.#due = Math.min(this.#due, Date.now() + SOON);
    this.#what = what;
    this.tick();
  }

  tick() {
    if (Date.now() >= this.#due) this.#ask();
    if (!this.#report) return;
    const figures = this.#figures();
    for (const name of NAMES) {
      const value = figures[name];
      say(this.values[name], name === "calls" ? number(value) : duration(value));
    }
    this.day.tick(this.mine.now());
  }

  async #ask() {
    if (this.#asking) return;
    this.#asking = true;
    this.#due = Date.now() + EVERY * (0.8 + Math.random() * 0.4); // not all agents at once
    try {
      const asked = { tz: timeZone() };
      const report = await get(this.mine.path("reports", "agents"), asked);
      const timeline = await get(this.mine.path("agents", this.mine.key, "timeline"), asked);
      this.#report = report;
      this.day.show(timeline, this.mine.now());
      say(this.failed, "");
    } catch (error) {
      say(this.failed, t("agent.today.failed", { reason: refusal(error) }));
    } finally {
      this.#asking = false;
    }
  }

  // As of the report, and what came since then.
  #figures() {
    const row = this.#report.items[0];
    const { what, since, call } = this.mine.situation;
    const figures = {
      calls: row?.answered ?? 0,
      talk: row ? row.busy_acd_time - row.after_call_work_time : 0,
      wrapUp: row?.after_call_work_time ?? 0,
      average: row?.average_handling_time.value ?? null,
      readyTime: row?.ready_time ?? 0,
      notReadyTime: row?.not_ready_time ?? 0,
      loggedOn: row?.logged_on_time ?? 0,
    };
    const from = [this.#report.to, since].sort().at(-1);
    for (const name of COUNTS[what] ?? []) figures[name] += secondsSince(from, this.mine.now());
    if (what === "talking" && call && since > this.#report.to) figures.calls += 1;
    return figures;
  }
}
