// Agents: who there is, new ones, and their PINs.

import { ask, handlerPath } from "../../api.js";
import { NOTHING } from "../../format.js";
import { t } from "../../texts.js";
import { AdminList } from "./area.js";

export class People extends AdminList {
  constructor(desk) {
    super(desk, {
      name: "people",
      columns: ["name", "id"],
      read: async () => null,
      shown: (each) => ({
        key: `${each.handler} ${each.agent}`,
        cells: [each.user, [each.id ?? NOTHING, this.desk.floor.placeOf(each.handler)].filter(Boolean).join(" · ")],
        acts: each.id ? [pin(each)] : [],
      }),
      first: () => [this.#make()],
    });
  }

  // As the stream tells them.
  get items() {
    return [...this.desk.floor.agents()].sort((one, other) => one.user.localeCompare(other.user));
  }

  #make() {
    const handlers = [...this.desk.floor.handlers.keys()];
    return {
      key: "new agent",
      label: t("desk.act.newAgent"),
      ask: () => ({
        title: t("desk.act.newAgent").replace("…", ""),
        text: t("desk.ask.newAgent"),
        button: t("desk.make"),
        fields: [
          { name: "user", label: t("desk.column.name"), required: true, maxlength: 80 },
          { name: "id", label: t("desk.column.id"), required: true, maxlength: 80 },
          pinField(),
          ...(handlers.length > 1
            ? [{ name: "handler", label: t("desk.handler"), type: "select", options: handlers }]
            : []),
        ],
      }),
      run: ({ handler = handlers[0], ...given }) => ask("POST", handlerPath(handler, "agents"), given),
      tell: ({ user }) => t("desk.done.newAgent", { name: user }),
    };
  }
}

const pinField = () => ({
  name: "pin",
  label: t("desk.pin"),
  type: "password",
  autocomplete: "new-password",
  required: true,
  maxlength: 128,
});

const pin = ({ handler, agent, user }) => ({
  key: `agent ${handler} ${agent} pin`,
  label: t("desk.act.pin"),
  about: user,
  ask: () => ({
    title: t("desk.pinOf", { name: user }),
    text: t("desk.ask.pin"),
    button: t("desk.keep"),
    fields: [pinField()],
  }),
  run: (body) => ask("PUT", handlerPath(handler, "agents", agent, "pin"), body),
  tell: () => t("desk.done.pin", { name: user }),
});
