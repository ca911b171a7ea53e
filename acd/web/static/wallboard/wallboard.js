// The wallboard: what waits, how it goes against the targets, and who does what. It only shows.

import { el } from "../dom.js";
import { everySecond, open } from "../page.js";
import { t } from "../texts.js";
import { Agents } from "./agents.js";
import { Alarm } from "./alarm.js";
import { Boards } from "./boards.js";
import { Queues } from "./queues.js";
import { Tiles } from "./tiles.js";
import { View } from "./view.js";

open({
  name: "wallboard",
  title: t("wallboard.title"),
  roles: ["supervisor", "admin", "integration"],
  show,
});

async function show(main, { live }) {
  const view = new View(live.floor);
  const boards = new Boards(live);
  const parts = [new Tiles(), new Queues(), new Agents()];
  const alarm = new Alarm();
  main.append(boards.element, ...parts.map((each) => each.element), alarm.element);
  document.getElementById("page-tools").append(view.element);

  let isDue = false;
  const render = () => {
    isDue = false;
    const shown = view.of(live.floor, boards);
    for (const part of parts) part.show(shown, live.now());
    alarm.hear(parts[0].judged);
  };
  live.addEventListener("change", () => (isDue = true));
  view.addEventListener("change", render);
  boards.addEventListener("change", render);
  // What changed is drawn with the seconds that went on, once: on a wall nobody reads faster, and it costs half as much.
  everySecond(live, (now) => {
    if (isDue) render();
    else for (const part of parts) part.tick(now);
  });
  boards.start();
  render();
}
