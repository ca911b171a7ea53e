// The views of the desk: which one the address names, and the links between them.

import { el, set } from "../dom.js";
import { t } from "../texts.js";
import { Accounts } from "./admin/accounts.js";
import { Audit } from "./admin/audit.js";
import { Groups } from "./admin/groups.js";
import { People } from "./admin/people.js";
import { Tokens } from "./admin/tokens.js";
import { AgentView } from "./agent.js";
import { AgentsView } from "./agents.js";
import { CallsView } from "./calls.js";
import { DayView } from "./day.js";
import { QueueView } from "./queue.js";
import { QueuesView } from "./queues.js";
import { ReportsView } from "./reports.js";

const AREAS = ["agents", "calls", "queues", "reports"];
const ADMIN = new Map(Object.entries({ accounts: Accounts, tokens: Tokens, people: People, groups: Groups, audit: Audit }));
const LISTS = new Map(Object.entries({ calls: CallsView, queues: QueuesView, reports: ReportsView }));
const WITHOUT_MOVE = "#content"; // the link past the header

// A view: {title, element, update(), tick(now), close()}; all but the first two may be missing.
export class Views {
  #present = null;
  #shown = "";

  constructor(desk) {
    this.desk = desk;
    const areas = desk.isAdmin ? [...AREAS, "admin"] : AREAS;
    this.links = new Map(areas.map((each) => [each, el("a", { href: `#${each}` }, t(`desk.area.${each}`))]));
    this.heading = el("h2", { tabindex: -1 });
    this.place = el("div", { class: "view" });
    this.elements = [
      el("nav", { class: "areas", "aria-label": t("desk.areas") }, [...this.links.values()]),
      this.heading,
      this.place,
    ];
  }

  start() {
    this.#go();
    addEventListener("hashchange", () => this.#moved());
  }

  update() {
    this.#present?.update?.();
  }

  tick(now) {
    this.#present?.tick?.(now);
  }

  #moved() {
    if (location.hash === WITHOUT_MOVE) return history.replaceState(null, "", this.#shown || "#agents");
    this.#go();
    this.heading.focus();
    scrollTo(0, 0);
  }

  #go() {
    this.#shown = location.hash;
    const [path, query = ""] = location.hash.slice(1).split("?");
    const parts = path.split("/").map(decoded);
    this.#present?.close?.();
    this.#present = made(this.desk, parts, new URLSearchParams(query));
    this.heading.textContent = this.#present.title;
    document.title = `${this.#present.title} – ${t("desk.title")} – acd`;
    this.place.replaceChildren(this.#present.element);
    for (const [name, link] of this.links) set(link, "aria-current", name === (parts[0] || "agents") ? "page" : null);
    this.update();
    this.tick(this.desk.live.now());
  }
}

function made(desk, [area, ...rest], query) {
  if (area === "admin" && desk.isAdmin) return new (ADMIN.get(rest[0]) ?? Accounts)(desk, query);
  if (area === "agents" && rest.length >= 2) return new (rest[2] === "day" ? DayView : AgentView)(desk, rest, query);
  if (area === "queues" && rest.length >= 2) return new QueueView(desk, rest, query);
  return new (LISTS.get(area) ?? AgentsView)(desk, query);
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // somebody typed a lone %
  }
}
