// What every page has: who is signed in, the header, the state of the line, colours and language.

import { ask, get, reasonOf } from "./api.js";
import { el, say } from "./dom.js";
import { exactTimeOfDay } from "./format.js";
import { Live } from "./live.js";
import { SignIn } from "./sign-in.js";
import { changed, whenChanged } from "./tabs.js";
import { LANGUAGES, choose, language, t } from "./texts.js";

const THEME = "acd-theme";
const AGAIN = 2_000; // milliseconds until the next try to open a page that acd did not answer
const PAGES = [
  { path: "/", name: "wallboard", roles: ["supervisor", "admin", "integration"] },
  { path: "/desk", name: "desk", roles: ["supervisor", "admin"] },
  { path: "/agent", name: "agentDesk", roles: ["agent"] },
];

// Opens a page for those roles. `signIn(me)` makes the element that asks who somebody is, where it is not the usual one;
// `show(main, context)` fills the page once the first picture is there. The context: {me, site, live}. `leave()` is asked
// before somebody signs out, and may say no with false.
export async function open(settings) {
  try {
    await opened(settings);
  } catch (error) {
    if (error.status > 0 && error.status < 500 && error.status !== 429) throw error; // a proxy whose acd is away answers 502
    document.body.replaceChildren(banner("stale", t("common.failed", { reason: reasonOf(error) })));
    setTimeout(() => location.reload(), AGAIN);
  }
}

async function opened({ name, title, roles, every, signIn = usualSignIn, show, leave = () => true }) {
  theme(localStorage.getItem(THEME) ?? "auto");
  document.title = `${title} – acd`;
  const site = await get("/api/v1/site");
  await byFragment(site);
  const me = await whoAmI();
  whenChanged(() => location.reload());
  addEventListener("hashchange", () => location.hash.startsWith("#sign-in=") && location.reload());
  const main = el("main", { id: "content", tabindex: -1 });
  const line = el("div", { class: "line", role: "status" });
  document.body.replaceChildren(
    el("a", { class: "skip", href: "#content" }, t("common.skip")),
    ...(site.simulated ? [el("aside", { class: "simulated" }, t("common.simulated"))] : []),
    header(name, title, me, () => signOut(leave, line)),
    line,
    main,
  );
  if (!me || !roles.includes(me.role)) {
    main.replaceChildren(signIn(me));
    return;
  }
  const live = new Live({ every, me });
  live.addEventListener("signed-out", () => location.reload());
  await started(live, line);
  watch(live, line);
  await show(main, { me, site, live });
}

// A link with #sign-in=<token> signs in: for screens on a wall. The fragment never reaches a server, or the history.
async function byFragment(site) {
  const token = new URLSearchParams(location.hash.slice(1)).get("sign-in");
  if (!token) return;
  history.replaceState(null, "", location.pathname + location.search);
  // a link from anywhere must not make somebody who is signed in somebody else; the demo's links may
  if (!site.simulated && (await whoAmI())) return;
  await ask("POST", "/api/v1/session", { token }).then(changed, () => {}); // refused: the page asks then
}

async function whoAmI() {
  try {
    return await get("/api/v1/session");
  } catch (error) {
    if (error.status === 401) return null;
    throw error;
  }
}

const usualSignIn = (me) => new SignIn(me);

async function started(live, line) {
  for (;;) {
    try {
      return await live.start();
    } catch (error) {
      if (error.status === 401) location.reload();
      line.replaceChildren(banner("stale", t("common.failed", { reason: reasonOf(error) })));
      await new Promise((resolve) => setTimeout(resolve, 2_000));
    }
  }
}

// Header -------------------------------------------------------------------------------------------------------

function header(name, title, me, out) {
  const links = PAGES.filter((each) => me && each.roles.includes(me.role)).map((each) =>
    el("a", { href: each.path, "aria-current": each.name === name ? "page" : null }, t(`common.${each.name}`)),
  );
  return el(
    "header",
    { class: "head" },
    el("h1", {}, title),
    links.length > 1 && el("nav", { "aria-label": t("common.pages") }, links),
    el(
      "div",
      { class: "tools" },
      el("span", { id: "page-tools" }),
      picker("theme", ["auto", "light", "dark"].map((each) => [each, t(`common.${each}`)]), kept(), themed),
      picker("language", Object.entries(LANGUAGES), language, choose),
      me && el("span", { class: "me" }, t("common.signedInAs", { name: me.name })),
      me && el("button", { type: "button", on: { click: out } }, t("common.signOut")),
    ),
  );
}

function picker(name, choices, chosen, on) {
  const options = choices.map(([value, text]) => el("option", { value, selected: value === chosen }, text));
  const label = t(`common.${name}`);
  return el("select", { "aria-label": label, title: label, on: { change: (event) => on(event.target.value) } }, options);
}

async function signOut(leave, line) {
  try {
    if (!(await leave())) return;
    await ask("DELETE", "/api/v1/session");
    changed();
    location.reload();
  } catch (error) {
    line.append(banner("stale", t("common.failed", { reason: reasonOf(error) }))); // on a shared computer it matters
  }
}

const kept = () => localStorage.getItem(THEME) ?? "auto";

function themed(name) {
  localStorage.setItem(THEME, name);
  theme(name);
}

function theme(name) {
  document.documentElement.dataset.theme = name;
}

// The line -----------------------------------------------------------------------------------------------------

// Says at once when what is shown is out of date, and once when it is not any more.
function watch(live, line) {
  const back = el("p", { class: "unseen" });
  const stale = banner("stale", "");
  const unlinked = banner("unlinked", "");
  stale.hidden = unlinked.hidden = true;
  line.replaceChildren(stale, unlinked, back);
  const tell = () => {
    document.documentElement.classList.toggle("is-stale", !live.isUp);
    if (!live.isUp) say(stale, t("common.stale", { time: exactTimeOfDay(live.staleSince) }));
    say(back, live.isUp && !stale.hidden ? t("common.back") : "");
    stale.hidden = live.isUp;
    const lost = [...live.floor.handlers.values()].filter((each) => !each.linked).map((each) => each.name);
    if (lost.length) say(unlinked, t("common.notLinked", { handlers: lost.join(", ") }));
    unlinked.hidden = !lost.length;
  };
  live.addEventListener("line", tell);
  live.addEventListener("change", tell);
  tell();
}

// Calls `tick(now)` when the server's second is full. What is out of date does not go on counting.
export function everySecond(live, tick) {
  const again = () => setTimeout(beat, 1_000 - (live.now() % 1_000) + 5);
  const beat = () => {
    if (live.isUp) tick(live.now());
    again();
  };
  again();
}

function banner(kind, text) {
  return el("p", { class: `banner ${kind}` }, text);
}
