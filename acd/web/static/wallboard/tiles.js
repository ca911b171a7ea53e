// The large figures, each against its target.

import { el, say, set } from "../dom.js";
import { SIGNS, duration, judged, number, percent, secondsSince } from "../format.js";
import { t } from "../texts.js";
import { serviceLevel, sum } from "./boards.js";

const NAMES = ["waiting", "longestWait", "levelNow", "levelToday", "ready", "abandoned"];

export class Tiles {
  judged = new Map(); // name -> {value, judgement}, as they are shown
  #tiles = new Map(NAMES.map((name) => [name, new Tile(name)]));
  #oldest = null;
  #targets = null;

  constructor() {
    const tiles = [...this.#tiles.values()].map((each) => each.element);
    this.element = el("section", { class: "tiles", "aria-label": t("wallboard.figures") }, tiles);
  }

  show({ queues, agents, boards }, now) {
    const terms = boards.terms;
    this.#targets = terms?.targets ?? null;
    const rows = queues.map((each) => each.row).filter(Boolean);
    const [today, recent] = [sum(rows.map((each) => each.today)), sum(rows.map((each) => each.recent))];
    const waiting = queues.reduce((all, each) => all + each.current_calls_queued, 0);
    const ready = agents.filter((each) => each.situation.what === "ready").length;
    const here = agents.filter((each) => each.situation.what !== "off").length;
    this.#oldest = queues.map((each) => each.waitingSince).filter(Boolean).sort()[0] ?? null;

    this.#set("waiting", waiting, number(waiting), this.#targets?.waiting);
    this.#set("ready", ready, number(ready), this.#targets?.ready, t("wallboard.ofAgents", { count: number(here) }));
    this.tick(now);
    if (!terms) return;
    const share = today.offered ? today.abandoned / today.offered : null;
    const ofOffered = t("wallboard.ofOffered", { count: number(today.abandoned), offered: number(today.offered) });
    this.#set("abandoned", share, percent(share), this.#targets.abandoned, ofOffered);
    this.#level("levelNow", recent, terms, t("wallboard.halfHour"));
    this.#level("levelToday", today, terms, this.#wanted(terms));
  }

  tick(now) {
    const waited = this.#oldest === null ? 0 : secondsSince(this.#oldest, now);
    this.#set("longestWait", waited, duration(waited), this.#targets?.longest_wait);
  }

  #wanted({ targets, threshold }) {
    const target = t("wallboard.within", { share: percent(targets.service_level[0]), seconds: number(threshold) });
    return t("wallboard.target", { target });
  }

  #level(name, all, { targets, definition }, note) {
    const level = serviceLevel(all, definition);
    this.#set(name, level, percent(level), targets.service_level, note);
  }

  #set(name, value, text, target, note) {
    const judgement = target ? judged(value, target) : "none";
    this.judged.set(name, { value: text, judgement });
    this.#tiles.get(name).show(text, judgement, note);
  }
}

class Tile {
  constructor(name) {
    this.value = el("span", { class: "value" });
    this.sign = el("span", { class: "sign", "aria-hidden": "true" });
    this.judgement = el("span", { class: "unseen" });
    this.note = el("span", { class: "note" });
    const figure = el("p", { class: "figure" }, this.value, this.sign, this.judgement);
    this.element = el("div", { class: "tile card", "data-name": name }, el("h2", {}, t(`wallboard.${name}`)), figure, this.note);
  }

  show(text, judgement, note = "") {
    say(this.value, text);
    say(this.sign, SIGNS[judgement]);
    say(this.judgement, t(`words.${judgement}`));
    say(this.note, note);
    set(this.element, "data-judged", judgement);
    set(this.element, "data-long", text.length > 5);
  }
}
