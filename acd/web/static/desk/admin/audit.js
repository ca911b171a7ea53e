// The log of commands: who asked for what, from where, and what came of it.

import { get, reasonOf } from "../../api.js";
import { el } from "../../dom.js";
import { SIGNS, dayAndTime } from "../../format.js";
import { t } from "../../texts.js";
import { Field } from "../fields.js";
import { keepInAddress } from "../links.js";
import { row, table } from "../tables.js";
import { adminLinks } from "./area.js";

const PAGE = 100;
const COLUMNS = ["time", "who", "role", "source", "command", "body", "result"];

export class Audit {
  title = t("desk.admin.audit");

  constructor(_, query) {
    const of = (name, more = {}) =>
      new Field({ name, label: t(`desk.audit.${name}`), value: query.get(name) ?? "", ...more });
    this.fields = [
      of("who"),
      of("path", { placeholder: "/api/v1/handlers" }),
      of("from", { type: "datetime-local" }),
      of("to", { type: "datetime-local" }),
    ];
    this.older = el(
      "button",
      { type: "button", hidden: true, on: { click: () => this.#take(this.next) } },
      t("desk.older"),
    );
    this.wrong = el("p", { class: "wrong", role: "alert" });
    this.table = table(
      this.title,
      COLUMNS.map((each) => t(`desk.column.${each}`)),
      { className: "audit" },
    );
    const form = el(
      "form",
      {
        class: "filter",
        role: "search",
        "aria-label": t("desk.filter"),
        on: { submit: (event) => this.#sought(event) },
      },
      this.fields.map((each) => each.element),
      el("button", { type: "submit", class: "main" }, t("desk.find")),
    );
    this.element = el(
      "div",
      { class: "stack" },
      el("div", {}, adminLinks("audit"), form),
      this.wrong,
      this.table.element,
      this.older,
    );
    this.#take(null);
  }

  #sought(event) {
    event.preventDefault();
    keepInAddress(["admin", "audit"], this.#values());
    this.#take(null);
  }

  #values() {
    return Object.fromEntries(this.fields.map((each) => [each.name, each.value]));
  }

  async #take(cursor) {
    const { from, to, ...values } = this.#values();
    const utc = (local) => (local ? new Date(local).toISOString() : "");
    try {
      const page = await get("/api/v1/audit-log", { ...values, from: utc(from), to: utc(to), limit: PAGE, cursor });
      this.wrong.textContent = "";
      this.#show(page, cursor === null);
    } catch (error) {
      this.wrong.textContent = t("common.failed", { reason: reasonOf(error) });
    }
  }

  #show({ items, next }, isFirst) {
    const rows = items.map(shown);
    if (isFirst) this.table.body.replaceChildren(...rows);
    else this.table.body.append(...rows);
    this.next = next;
    this.older.hidden = next === null;
  }
}

function shown({ at, who, role, source, method, path, body, status, code }) {
  const sign = status < 400 ? SIGNS.good : SIGNS.bad;
  const result = `${sign} ${status}${code ? ` ${code}` : ""}`;
  return row(
    dayAndTime(at),
    who,
    role ? t(`desk.role.${role}`) : "",
    source,
    `${method} ${decodedPath(path)}`,
    body ? JSON.stringify(body) : "",
    result,
  );
}

// As people wrote it; the beginning that all have is left out.
function decodedPath(path) {
  const text = path.replace("/api/v1", "");
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
