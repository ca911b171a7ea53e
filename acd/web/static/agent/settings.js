// The dialog behind "?": the shortcuts, and how a call makes itself heard.

import { el } from "../dom.js";
import { t } from "../texts.js";

const KEPT = "acd-agent-";

export class Settings extends EventTarget {
  #list = el("dl", { class: "keys" });

  constructor(keys) {
    super();
    this.keys = keys;
    this.element = el("button", { type: "button", on: { click: () => this.open() } }, t("agent.settings"), el("kbd", { "aria-hidden": "true" }, "?"));
    const shortcuts = box(t("agent.keys.on"), keys.areOn, (on) => (keys.areOn = on));
    const sound = box(t("agent.sound"), this.isOn("sound"), (on) => this.#set("sound", on));
    this.note = box(t("agent.notification"), this.isOn("notification"), (on) => this.#setNotification(on));
    this.denied = el("p", { class: "wrong", role: "alert" });
    const close = el("button", { type: "button", class: "main", on: { click: () => this.dialog.close() } }, t("common.close"));
    const heading = el("h2", { id: "settings" }, t("agent.settings"));
    this.dialog = el("dialog", { "aria-labelledby": "settings" }, heading, sound, this.note, this.denied, shortcuts, this.#list, close);
    document.body.append(this.dialog);
    keys.areOn = keys.areOn;
    keys.add("?", t("agent.keys.help"), () => this.open());
  }

  open() {
    const rows = this.keys.list.map(({ key, about }) => el("div", {}, el("dt", {}, el("kbd", {}, key.toUpperCase())), el("dd", {}, about)));
    this.#list.replaceChildren(...rows);
    this.dialog.showModal();
  }

  // "sound", "notification": both only for whom wants them.
  isOn(name) {
    return localStorage.getItem(KEPT + name) !== null;
  }

  #set(name, on) {
    if (on) localStorage.setItem(KEPT + name, "1");
    else localStorage.removeItem(KEPT + name);
    this.dispatchEvent(new Event("change"));
  }

  async #setNotification(on) {
    const granted = !on || (globalThis.Notification && (await Notification.requestPermission()) === "granted");
    this.denied.textContent = granted ? "" : t("agent.notificationDenied");
    this.note.querySelector("input").checked = on && granted;
    this.#set("notification", on && granted);
  }
}

function box(text, checked, change) {
  return el("label", { class: "box" }, el("input", { type: "checkbox", checked, on: { change: ({ target }) => change(target.checked) } }), text);
}
