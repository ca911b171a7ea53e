// Questions before something is done: whether at all where it hurts, and what it needs to know.

import { el } from "../dom.js";
import { t } from "../texts.js";
import { Field } from "./fields.js";

// Resolves with the values of the fields by their names, null when it was called off. The focus goes back by itself.
// A question: {title, text, fields, button, harm, also}; `also`: an element below the text.
export function ask({ title, text = "", fields = [], button, harm = false, also = null }) {
  const parts = fields.map((each) => new Field(each));
  const dialog = el("dialog", { class: "card question", "aria-labelledby": "question" });
  const form = el(
    "form",
    { method: "dialog" },
    el("h2", { id: "question" }, title),
    text && el("p", {}, text),
    also,
    parts.map((each) => each.element),
    el(
      "div",
      { class: "acts end" },
      button && el("button", { class: harm ? "harm main" : "main", type: "submit" }, button),
      el(
        "button",
        { type: "button", on: { click: () => dialog.close() } },
        t(button ? "common.cancel" : "common.close"),
      ),
    ),
  );
  dialog.append(form);
  document.body.append(dialog);
  const answered = new Promise((resolve) => {
    let values = null;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      values = Object.fromEntries(parts.map((each) => [each.name, each.value]));
      dialog.close();
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(values);
    });
  });
  dialog.showModal();
  (dialog.querySelector("input, select, textarea") ?? dialog.querySelector("button")).focus();
  return answered;
}
