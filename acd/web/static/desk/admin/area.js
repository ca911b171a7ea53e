// What all views of the administration have: links to one another, and a list that is read anew after each change.

import { reasonOf } from "../../api.js";
import { List, el } from "../../dom.js";
import { t } from "../../texts.js";
import { Acts } from "../acts.js";
import { table } from "../tables.js";

const VIEWS = ["accounts", "tokens", "people", "groups", "audit"];

export function adminLinks(present) {
  const links = VIEWS.map((each) =>
    el("a", { href: `#admin/${each}`, "aria-current": each === present ? "page" : null }, t(`desk.admin.${each}`)),
  );
  return el("nav", { class: "areas second", "aria-label": t("desk.area.admin") }, links);
}

// A table of things that no stream tells of. `columns`: their names; of a thing come {key, cells, acts}.
export class AdminList {
  #items = null;

  constructor(desk, { name, columns, read, shown, first }) {
    Object.assign(this, { desk, read, shown, first });
    this.title = t(`desk.admin.${name}`);
    this.tools = new Acts(desk);
    this.table = table(this.title, [...columns.map((each) => t(`desk.column.${each}`)), t("desk.column.acts")]);
    this.wrong = el("p", { class: "wrong" });
    this.rows = new List(
      this.table.body,
      ({ key }) => key,
      ({ cells }) => new Row(desk, cells.length),
    );
    this.element = el("div", {}, adminLinks(name), this.tools.element, this.wrong, this.table.element);
    this.again();
  }

  // Reads the list. The view stays as it was where that fails.
  async again() {
    try {
      this.#items = await this.read();
      this.wrong.textContent = "";
    } catch (error) {
      this.wrong.textContent = t("common.failed", { reason: reasonOf(error) });
    }
    this.update();
  }

  get items() {
    return this.#items ?? [];
  }

  update() {
    this.tools.show(this.first());
    this.rows.show(this.items.map((each) => this.shown(each)));
  }
}

class Row {
  constructor(desk, cells) {
    this.name = el("th", { scope: "row" });
    this.cells = Array.from({ length: cells - 1 }, () => el("td"));
    this.acts = new Acts(desk);
    this.element = el("tr", {}, this.name, this.cells, el("td", {}, this.acts.element));
  }

  update({ cells, acts }) {
    [this.name, ...this.cells].forEach(
      (cell, place) => cell.textContent !== cells[place] && (cell.textContent = cells[place]),
    );
    this.acts.show(acts);
  }
}
