// ACD groups: named sets of queues for which agents log on.

import { Refused, ask, handlerPath, tagged } from "../../api.js";
import { NOTHING } from "../../format.js";
import { t } from "../../texts.js";
import { AdminList } from "./area.js";

const path = (handler, name) => handlerPath(handler, "acd-groups", name);

export class Groups extends AdminList {
  constructor(desk) {
    super(desk, {
      name: "groups",
      columns: ["name", "queues"],
      read: async () => null,
      shown: (each) => ({
        key: `${each.handler.name} ${each.name}`,
        cells: [[each.name, this.desk.floor.placeOf(each.handler.name)].filter(Boolean).join(" · "), each.queues.join(", ") || NOTHING],
        acts: [this.#change(each), remove(each)],
      }),
      first: () => [this.#make()],
    });
  }

  // As the stream tells them.
  get items() {
    const groups = [...this.desk.floor.handlers.values()].flatMap((handler) =>
      [...handler.groups.values()].map((each) => ({ ...each, handler })),
    );
    return groups.sort((one, other) => one.name.localeCompare(other.name));
  }

  #make() {
    const handlers = [...this.desk.floor.handlers.keys()];
    const all = [...new Set([...this.desk.floor.queues()].map((each) => each.name))].sort();
    return {
      key: "new group",
      label: t("desk.act.newGroup"),
      ask: () => ({
        title: t("desk.act.newGroup").replace("…", ""),
        button: t("desk.make"),
        fields: [
          { name: "name", label: t("desk.column.name"), required: true, maxlength: 80 },
          queues(all, []),
          ...(handlers.length > 1
            ? [{ name: "handler", label: t("desk.handler"), type: "select", options: handlers }]
            : []),
        ],
      }),
      run: ({ name, queues, handler = handlers[0] }) => {
        const isThere = this.items.some((each) => each.name === name && each.handler.name === handler);
        if (isThere) throw new Refused(409, { detail: t("desk.groupExists", { name }) });
        return ask("PUT", path(handler, name), { queues });
      },
      tell: ({ name }) => t("desk.done.newGroup", { name }),
    };
  }

  #change({ name, handler }) {
    let etag; // what is changed is what was shown, and nothing that somebody else has made of it meanwhile
    return {
      key: `group ${handler.name} ${name} change`,
      label: t("desk.act.change"),
      about: name,
      ask: async () => {
        const { content, mark } = await tagged(path(handler.name, name));
        etag = mark;
        return {
          title: t("desk.changeOf", { name }),
          button: t("desk.keep"),
          fields: [queues([...new Set([...handler.queues.keys(), ...content.queues])].sort(), content.queues)],
        };
      },
      run: (body) => ask("PUT", path(handler.name, name), body, { headers: { "If-Match": etag } }),
      tell: () => t("desk.done.changed", { name }),
    };
  }
}

const queues = (options, value) => ({ name: "queues", label: t("desk.column.queues"), type: "checks", options, value });

const remove = ({ name, handler }) => ({
  key: `group ${handler.name} ${name} remove`,
  label: t("desk.act.remove"),
  about: name,
  harm: true,
  ask: () => ({
    title: t("desk.removeOf", { name }),
    text: t("desk.ask.removeGroup", { name }),
    button: t("desk.act.remove"),
    harm: true,
  }),
  run: async () =>
    ask("DELETE", path(handler.name, name), undefined, {
      headers: { "If-Match": (await tagged(path(handler.name, name))).mark },
    }),
  tell: () => t("desk.done.removed", { name }),
});
