// The agent desk: logging on, being ready or not, the call and its wrap-up, one's own day.

import { get, handlerPath, reasonOf } from "../api.js";
import { el } from "../dom.js";
import { open } from "../page.js";
import { t } from "../texts.js";
import { Alerts } from "./alerts.js";
import { BrowserPhone } from "./browser-phone.js";
import { Buttons } from "./buttons.js";
import { chosen } from "./dialogs.js";
import { Groups } from "./groups.js";
import { Keys } from "./keys.js";
import { LogOn } from "./log-on.js";
import { Mine } from "./mine.js";
import { News } from "./news.js";
import { Notes } from "./notes.js";
import { Now } from "./now.js";
import { Queues } from "./queues.js";
import { Settings } from "./settings.js";
import { AgentSignIn } from "./sign-in.js";
import { Today } from "./today.js";

const EVERY = 100; // milliseconds between two looks at what changed: somebody waits for what he pressed

let mine = null; // once somebody is signed in

open({
  name: "agentDesk",
  title: t("agent.title"),
  roles: ["agent"],
  every: EVERY,
  signIn: (me) => new AgentSignIn(me),
  show,
  leave,
});

async function show(main, { me, site, live }) {
  mine = new Mine(live, me);
  const choices = await choicesOf(me.handler);
  const phone = new BrowserPhone(mine, site);
  const notes = new Notes(mine);
  const buttons = new Buttons(live);
  const now = new Now(mine, buttons, choices);
  const desk = [now, new Groups(mine, buttons), new Queues(mine), new Today(mine)];
  const logOn = new LogOn(mine, phone, notes);
  const keys = new Keys();
  const settings = new Settings(keys);
  const alerts = new Alerts(mine, settings);
  const news = new News(mine, notes, buttons);
  for (const part of [now, desk[1], phone]) part.bind(keys);
  document.getElementById("page-tools").append(settings.element);
  const [, groups, queues, today] = desk.map((each) => each.element);
  const work = el("div", { class: "column" }, now.element, phone.element, today);
  main.append(notes.element, logOn.element, work, el("div", { class: "column" }, groups, queues));

  const render = () => {
    const isOn = mine.sessions.length > 0;
    main.dataset.shows = isOn ? "desk" : "log-on";
    logOn.element.hidden = isOn;
    for (const part of desk) part.element.hidden = !isOn;
    news.show();
    if (isOn) for (const part of desk) part.show();
    else logOn.show();
    phone.show();
    alerts.show();
  };
  live.addEventListener("change", render);
  live.addEventListener("line", render);
  live.addEventListener("envelope", ({ detail }) => detail.type === "note" && notes.add(detail));
  setInterval(() => {
    if (!live.isUp || !mine.sessions.length) return; // what is out of date does not go on counting
    for (const part of desk) part.tick();
  }, 250);
  render();
}

// Without them he can still be ready and take calls.
async function choicesOf(handler) {
  try {
    return await get(handlerPath(handler, "choices"));
  } catch (error) {
    document.body.append(el("p", { class: "wrong" }, t("common.failed", { reason: reasonOf(error) })));
    return { dispositions: [], disposition_required: [], reasons: [] };
  }
}

// Who signs out stays logged on at his phone, which not everybody knows.
async function leave() {
  if (!mine?.sessions.length) return true;
  const what = await chosen(t("agent.leave.title"), t("agent.leave.text"), {
    off: t("agent.leave.off"),
    stay: t("agent.leave.stay"),
  });
  if (what === "off") await mine.logOff(mine.sessions);
  return what !== null;
}
