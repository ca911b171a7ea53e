// Fields of forms, each with its label.

import { el } from "../dom.js";
import { t } from "../texts.js";

let made = 0; // ids have to differ

// {name, label, type, value, options, note, required, min, max, ...}. Types: those of <input>; "select"; "checks",
// whose value is a list; "suggest", free text with suggestions; "textarea". `options`: texts, or [value, text].
export class Field {
  constructor({ name, type = "text", ...more }) {
    Object.assign(this, { name, type });
    const make = { select, checks, suggest, textarea }[type] ?? input;
    this.control = make(type, more);
    this.element = type === "checks" ? this.control : labelled(this.control, more);
  }

  // A number where one was asked for, null where none was given.
  get value() {
    if (this.type === "checks") return [...this.control.querySelectorAll("input:checked")].map((each) => each.value);
    const control = this.control.matches?.("input, select, textarea")
      ? this.control
      : this.control.querySelector("input");
    if (this.type === "number") return control.value === "" ? null : Number(control.value);
    return control.value;
  }
}

// A control below its label, with a note below that.
export function labelled(control, { label, note }) {
  const id = `field-${++made}`;
  const inner = control.matches("input, select, textarea") ? control : control.querySelector("input");
  inner.id = id;
  if (note) inner.setAttribute("aria-describedby", `${id}-note`);
  return el(
    "div",
    { class: "field" },
    el("label", { for: id }, label),
    control,
    note && el("small", { id: `${id}-note`, class: "muted" }, note),
  );
}

function input(type, { label, note, options, value = "", ...more }) {
  return el("input", { type, value: value ?? "", autocomplete: "off", ...more });
}

function textarea(_, { label, note, value = "", ...more }) {
  return el("textarea", { rows: 4, ...more }, value);
}

const pairs = (options) => options.map((each) => (Array.isArray(each) ? each : [each, each]));

function select(_, { label, note, value = "", options, ...more }) {
  const parts = pairs(options).map(([name, text]) => el("option", { value: name, selected: name === value }, text));
  return el("select", more, parts);
}

function suggest(_, { label, note, value = "", options, ...more }) {
  const id = `list-${++made}`;
  const list = el(
    "datalist",
    { id },
    pairs(options).map(([name, text]) => el("option", { value: name }, text)),
  );
  return el("span", {}, el("input", { list: id, value, autocomplete: "off", ...more }), list);
}

function checks(_, { label, note, value = [], options }) {
  const boxes = pairs(options).map(([name, text]) =>
    el(
      "label",
      { class: "check" },
      el("input", { type: "checkbox", value: name, checked: value.includes(name) }),
      text,
    ),
  );
  return el(
    "fieldset",
    {},
    el("legend", {}, label),
    note && el("small", { class: "muted" }, note),
    el("div", { class: "checks" }, boxes.length ? boxes : t("desk.noneThere")),
  );
}
