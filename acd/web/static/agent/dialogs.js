// Questions before what hurts.

import { el } from "../dom.js";
import { t } from "../texts.js";

// Which of `answers` (name -> text) was pressed, the first of them the usual one; null: none, he wants to go back.
export function chosen(title, text, answers) {
  const { promise, resolve } = Promise.withResolvers();
  const pick = (name) => () => dialog.close(name);
  const buttons = Object.entries(answers).map(([name, words], place) =>
    el("button", { type: "button", class: place ? null : "main", on: { click: pick(name) } }, words),
  );
  const back = el("button", { type: "button", on: { click: pick("") } }, t("common.cancel"));
  const heading = el("h2", { id: "question" }, title);
  const dialog = el("dialog", { "aria-labelledby": "question" }, heading, el("p", {}, text), el("div", { class: "buttons" }, buttons, back));
  dialog.addEventListener("close", () => {
    dialog.remove();
    resolve(dialog.returnValue || null);
  });
  document.body.append(dialog);
  dialog.showModal();
  return promise;
}
