// Who does what, sorted by that and by how long.

import { List, el, say, set } from "../dom.js";
import { SITUATIONS } from "../floor.js";
import { duration, secondsSince } from "../format.js";
import { ICONS, spoken, urgency } from "../situations.js";
import { t } from "../texts.js";

const EVERYWHERE = 10; // seconds: times that nobody can see are set once in so many, those in sight each second

export class Agents {
  #beats = 0;
  #sight = new IntersectionObserver((seen) => seen.forEach(({ target, isIntersecting }) => this.#cards.get(target)?.see(isIntersecting)), {
    rootMargin: "25%",
  });
  #cards = new WeakMap();

  constructor() {
    const list = el("ul", { class: "grid" });
    this.none = el("p", { class: "muted" });
    this.off = el("p", { class: "muted" });
    this.counts = el("p", { class: "counts" });
    this.element = el("section", { class: "agents", "aria-label": t("wallboard.agents") }, this.counts, list, this.none, this.off);
    this.list = new List(list, (shown) => shown.key, () => this.#card());
    this.numbers = new List(this.counts, ([what]) => what, ([what]) => new Count(what));
  }

  show({ agents, isTv }, now) {
    const here = agents.filter((each) => each.situation.what !== "off");
    const off = agents.length - here.length;
    here.sort((one, other) => urgency(one) - urgency(other) || (one.situation.since < other.situation.since ? -1 : 1));
    this.list.show(here.map((each) => ({ ...each, isTv, now })));
    const counts = Map.groupBy(here, (each) => each.situation.what);
    this.numbers.show(SITUATIONS.filter((what) => counts.has(what)).map((what) => [what, counts.get(what).length]));
    say(this.none, here.length ? "" : t("wallboard.noAgents"));
    say(this.off, off ? t("wallboard.offline", { count: off }) : "");
  }

  tick(now) {
    const all = this.#beats++ % EVERYWHERE === 0;
    for (const card of this.list.parts()) if (all || card.isSeen) card.tick(now);
  }

  #card() {
    const card = new Card();
    this.#cards.set(card.element, card);
    this.#sight.observe(card.element);
    return card;
  }
}

class Count {
  constructor(what) {
    this.number = el("strong");
    this.element = el("span", { "data-situation": what }, el("span", { class: "icon", "aria-hidden": "true" }, ICONS[what]), " ", t(`words.situation.${what}`), " ", this.number);
  }

  update([, number]) {
    say(this.number, number);
  }
}

class Card {
  isSeen = false;
  #shown = "";
  #now = 0;

  constructor() {
    this.icon = el("span", { class: "icon", "aria-hidden": "true" });
    this.name = el("span", { class: "name" });
    this.place = el("span", { class: "place" });
    this.what = el("span", { class: "what" });
    this.time = el("span", { class: "time" });
    this.more = el("span", { class: "more" });
    const now = el("span", { class: "now" }, this.what, this.place, this.more);
    this.element = el("li", { class: "agent" }, this.icon, this.name, this.time, now);
  }

  update({ agent, place, situation, reason, isTv, now }) {
    this.#now = now;
    const shown = JSON.stringify([agent.user, place, situation, reason, isTv]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.since = situation.since;
    set(this.element, "data-situation", situation.what);
    say(this.icon, ICONS[situation.what]);
    say(this.name, isTv ? "" : agent.user);
    say(this.place, place);
    say(this.what, t(`words.situation.${situation.what}`));
    say(this.more, isTv ? situation.call?.queue ?? "" : about(situation.call, spoken(reason)));
    this.tick(now);
  }

  see(isSeen) {
    this.isSeen = isSeen;
    if (isSeen) this.tick(this.#now);
  }

  tick(now) {
    this.#now = now;
    say(this.time, duration(secondsSince(this.since, now)));
  }
}

function about(call, reason) {
  return call ? t("wallboard.callIn", { queue: call.queue, caller: call.caller || t("words.caller") }) : reason;
}
