// The agent's phone in this very browser, where he chose it at his log-on. It stands here by itself, whatever the page
// shows around it: a call outlives a change of the desk.

import { el } from "../dom.js";
import { has, t } from "../texts.js";

export const BROWSER = "browser"; // the choice, in place of an address
const ELEMENT = "/static/phone/element.js";
const STYLE = "/static/phone/phone.css";
const WITHIN = 15_000; // milliseconds for the phone to be registered
const KEPT = "acd-agent-browser-phone"; // the address that this browser is, or was

export class BrowserPhone {
  #made = null;
  #isUsed = false; // he is logged on at it

  constructor(mine, site) {
    Object.assign(this, { mine, isThere: site.browser_phone && isSecureContext }); // else there is no microphone
    this.element = el("section", { class: "phone", hidden: true });
  }

  bind(keys) {
    addEventListener("beforeunload", (event) => this.#made?.phone?.call && event.preventDefault()); // it would hang up
    if (!this.isThere) return;
    keys.add("a", t("agent.keys.answer"), () => this.#in("ringing")?.answer());
    keys.add("x", t("agent.keys.hangUp"), () => this.#in("ringing", "calling", "talking", "held")?.hangUp());
    keys.add("h", t("agent.keys.hold"), () => this.#in("talking")?.hold() ?? this.#in("held")?.resume());
    keys.add("m", t("agent.keys.mute"), () => this.#in("talking", "held")?.mute(!this.#made.phone.call.muted));
  }

  // Is this browser's phone again after a reload.
  show() {
    if (this.#isUsed && !this.mine.sessions.length) this.end();
    this.#isUsed = this.mine.sessions.some((each) => each.address === this.#made?.phone?.address);
    const isHis = this.mine.sessions.some((each) => each.address === localStorage.getItem(KEPT));
    if (isHis && this.isThere && !this.#made) this.#mount().catch((error) => this.#complain(error));
  }

  // The phone's address, once calls can come to it. Throws what people can read.
  async begin() {
    await this.#mount();
    const { phone } = this.#made;
    const { promise, resolve, reject } = Promise.withResolvers();
    const look = () => phone.state === "registered" && resolve(phone.address);
    const fail = ({ detail }) => reject(new Error(reasonFor(detail.code)));
    const late = setTimeout(() => reject(new Error(t("agent.phoneSilent"))), WITHIN);
    phone.addEventListener("change", look);
    phone.addEventListener("failure", fail);
    look();
    try {
      localStorage.setItem(KEPT, await promise);
      return phone.address;
    } catch (error) {
      this.end();
      throw error;
    } finally {
      clearTimeout(late);
      phone.removeEventListener("change", look);
      phone.removeEventListener("failure", fail);
    }
  }

  // It is no phone any more.
  end() {
    this.#isUsed = false;
    this.#made?.remove();
    this.#made = null;
    this.element.hidden = true;
    localStorage.removeItem(KEPT);
  }

  async #mount() {
    if (this.#made) return;
    await import(ELEMENT);
    document.head.append(el("link", { rel: "stylesheet", href: STYLE }));
    this.#made ??= el("acd-phone", { handler: this.mine.name, agent: this.mine.key });
    this.element.append(this.#made);
    this.element.hidden = false;
  }

  #complain({ message }) {
    this.element.replaceChildren(el("p", { class: "wrong", role: "alert" }, t("agent.phoneFailed", { reason: message })));
    this.element.hidden = false;
  }

  #in(...states) {
    const phone = this.#made?.phone;
    return phone && states.includes(phone.state) ? phone : null;
  }
}

const reasonFor = (code) => t("agent.phoneFailed", { reason: has(`phone.failed.${code}`) ? t(`phone.failed.${code}`) : code });
