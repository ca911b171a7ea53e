// Accounts of supervisors and administrators, and of screens that log in with a password.

import { Refused, all, ask, tagged } from "../../api.js";
import { NOTHING, dayAndTime } from "../../format.js";
import { t } from "../../texts.js";
import { AdminList } from "./area.js";

const ROLES = ["supervisor", "admin", "integration"];
const path = (name) => `/api/v1/accounts/${encodeURIComponent(name)}`;

export class Accounts extends AdminList {
  constructor(desk) {
    super(desk, {
      name: "accounts",
      columns: ["name", "role", "groups", "changed"],
      read: () => all("/api/v1/accounts"),
      shown: (each) => ({ key: each.name, cells: cells(each), acts: [this.#change(each), this.#remove(each)] }),
      first: () => [this.#make()],
    });
  }

  #make() {
    return {
      key: "new account",
      label: t("desk.act.newAccount"),
      ask: () => ({
        title: t("desk.act.newAccount").replace("…", ""),
        button: t("desk.make"),
        fields: [
          { name: "name", label: t("desk.column.name"), required: true, maxlength: 80 },
          ...this.#fields({ role: "supervisor", groups: [] }, true),
        ],
      }),
      run: ({ name, ...given }) => {
        if (this.items.some((each) => each.name === name))
          throw new Refused(409, { detail: t("desk.accountExists", { name }) });
        return ask("PUT", path(name), body(given));
      },
      tell: ({ name }) => t("desk.done.newAccount", { name }),
      then: () => this.again(),
    };
  }

  #change({ name }) {
    let etag; // what is changed is what was shown, and nothing that somebody else has made of it meanwhile
    return {
      key: `account ${name} change`,
      label: t("desk.act.change"),
      about: name,
      ask: async () => {
        const { content, mark } = await tagged(path(name));
        etag = mark;
        return { title: t("desk.changeOf", { name }), button: t("desk.keep"), fields: this.#fields(content, false) };
      },
      run: (given) => ask("PUT", path(name), body(given), { headers: { "If-Match": etag } }),
      tell: () => t("desk.done.changed", { name }),
      then: () => this.again(),
    };
  }

  #remove({ name }) {
    return {
      key: `account ${name} remove`,
      label: t("desk.act.remove"),
      about: name,
      harm: true,
      ask: () => ({
        title: t("desk.removeOf", { name }),
        text: t("desk.ask.removeAccount", { name }),
        button: t("desk.act.remove"),
        harm: true,
      }),
      run: async () =>
        ask("DELETE", path(name), undefined, { headers: { "If-Match": (await tagged(path(name))).mark } }),
      tell: () => t("desk.done.removed", { name }),
      then: () => this.again(),
    };
  }

  #fields({ role, groups }, isNew) {
    return [
      {
        name: "role",
        label: t("desk.column.role"),
        type: "select",
        value: role,
        options: ROLES.map((each) => [each, t(`desk.role.${each}`)]),
      },
      {
        name: "groups",
        label: t("desk.column.groups"),
        type: "checks",
        value: groups ?? [],
        // also those that are not there any more: without its groups an account would reach all of them
        options: [...new Set([...this.desk.floor.groups(), ...(groups ?? [])])].sort(),
        note: t("desk.groupsNote"),
      },
      {
        name: "password",
        label: t("desk.password"),
        type: "password",
        autocomplete: "new-password",
        minlength: 8,
        maxlength: 128,
        required: isNew,
        note: t(isNew ? "desk.passwordNote" : "desk.passwordStays"),
      },
    ];
  }
}

const cells = ({ name, role, groups, changed }) => [
  name,
  t(`desk.role.${role}`),
  reach(role, groups),
  dayAndTime(changed),
];

export const reach = (role, groups) => (role === "supervisor" ? (groups?.join(", ") ?? t("desk.allGroups")) : NOTHING);

// Only a supervisor is bound to groups; none chosen: all of them.
const body = ({ role, groups, password }) => ({
  role,
  ...(role === "supervisor" && groups.length ? { groups } : {}),
  ...(password ? { password } : {}),
});
