// Tokens of programs. The secret of a new one is shown once.

import { all, ask } from "../../api.js";
import { el, say } from "../../dom.js";
import { NOTHING, dayAndTime } from "../../format.js";
import { t } from "../../texts.js";
import { ask as question } from "../dialog.js";
import { reach } from "./accounts.js";
import { AdminList } from "./area.js";

const ROLES = ["integration", "supervisor", "admin", "agent"];

export class Tokens extends AdminList {
  constructor(desk) {
    super(desk, {
      name: "tokens",
      columns: ["name", "role", "groups", "made", "expires"],
      read: () => all("/api/v1/tokens", { sort: "name" }),
      shown: (each) => ({ key: each.id, cells: cells(each), acts: [this.#revoke(each)] }),
      first: () => [this.#make()],
    });
  }

  #make() {
    let secret;
    return {
      key: "new token",
      label: t("desk.act.newToken"),
      ask: () => ({ title: t("desk.act.newToken").replace("…", ""), button: t("desk.make"), fields: this.#fields() }),
      run: async (given) => {
        const made = await ask("POST", "/api/v1/tokens", body(given, this.desk.floor));
        secret = made.token;
        return made;
      },
      tell: ({ name }) => t("desk.done.newToken", { name }),
      then: () => {
        this.again();
        showOnce(secret);
      },
    };
  }

  #fields() {
    return [
      { name: "name", label: t("desk.column.name"), required: true, maxlength: 80 },
      {
        name: "role",
        label: t("desk.column.role"),
        type: "select",
        options: ROLES.map((each) => [each, t(`desk.role.${each}`)]),
      },
      {
        name: "groups",
        label: t("desk.column.groups"),
        type: "checks",
        options: this.desk.floor.groups(),
        note: t("desk.groupsNote"),
      },
      {
        name: "agent",
        label: t("desk.column.agent"),
        type: "suggest",
        options: [...this.desk.floor.agents()].map((each) => [each.agent, each.user]),
        note: t("desk.agentNote"),
      },
      ...serversOf(this.desk.floor),
      { name: "days", label: t("desk.days"), type: "number", min: 1, max: 36_500, note: t("desk.daysNote") },
    ];
  }

  #revoke({ id, name }) {
    return {
      key: `token ${id} revoke`,
      label: t("desk.act.revoke"),
      about: name,
      harm: true,
      ask: () => ({
        title: t("desk.revokeOf", { name }),
        text: t("desk.ask.revoke", { name }),
        button: t("desk.act.revoke"),
        harm: true,
      }),
      run: () => ask("DELETE", `/api/v1/tokens/${encodeURIComponent(id)}`),
      tell: () => t("desk.done.revoked", { name }),
      then: () => this.again(),
    };
  }
}

const cells = ({ name, role, groups, agent, created, created_by: by, expires }) => [
  name,
  t(`desk.role.${role}`),
  agent ?? reach(role, groups),
  t("desk.madeBy", { time: dayAndTime(created), who: by }),
  expires ? dayAndTime(expires) : NOTHING,
];

// Where there is more than one: an agent belongs to one.
const serversOf = ({ handlers }) =>
  handlers.size > 1 ? [{ name: "handler", label: t("desk.handler"), type: "select", options: [...handlers.keys()] }] : [];

function body({ name, role, groups, agent, days, handler }, floor) {
  return {
    name,
    role,
    ...(role === "supervisor" && groups.length ? { groups } : {}),
    ...(role === "agent" && agent ? { agent, handler: handler ?? floor.handlers.keys().next().value } : {}),
    ...(days ? { expires_in_days: days } : {}),
  };
}

function showOnce(secret) {
  const field = el("input", { value: secret, readonly: true, "aria-label": t("desk.secret"), class: "secret" });
  const said = el("span", { role: "status" });
  const copy = async () => {
    field.select();
    const isDone = await navigator.clipboard?.writeText(secret).then(
      () => true,
      () => false,
    );
    say(said, t(isDone ? "desk.copied" : "desk.copyYourself"));
  };
  const also = el(
    "div",
    { class: "acts" },
    field,
    el("button", { type: "button", on: { click: copy } }, t("desk.copy")),
    said,
  );
  question({ title: t("desk.secret"), text: t("desk.secretOnce"), also });
}
