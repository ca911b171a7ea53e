// The supervisor desk: what the API's supervisor actions do, next to the agent, the call or the queue that it concerns.

import { everySecond, open } from "../page.js";
import { t } from "../texts.js";
import { Desk } from "./context.js";
import { Views } from "./views.js";

const EVERY = 250; // milliseconds between two looks at what changed: faster, nobody can read it

open({ name: "desk", title: t("desk.title"), roles: ["supervisor", "admin"], every: EVERY, show });

async function show(main, { me, live }) {
  const desk = new Desk(me, live);
  document.getElementById("page-tools").append(desk.phone.element);
  const views = new Views(desk);
  main.append(...views.elements, desk.outcomes.element);
  await desk.takeMonitors();
  for (const source of [desk, live, desk.commands]) source.addEventListener("change", () => views.update());
  live.addEventListener("line", () => views.update());
  everySecond(live, (now) => views.tick(now));
  views.start();
}
