// <acd-agent-sign-in>: the first step of a log-in, by id and PIN. Phones and groups are shown to no stranger.

import { ask } from "../api.js";
import { el, say } from "../dom.js";
import { changed } from "../tabs.js";
import { t } from "../texts.js";
import { complaint, refusal } from "./buttons.js";

export class AgentSignIn extends HTMLElement {
  constructor(me) {
    super();
    this.me = me;
  }

  connectedCallback() {
    this.wrong = complaint();
    this.id_ = el("input", { name: "agent", required: true, autocomplete: "username", maxlength: 100 });
    this.pin = el("input", { name: "pin", type: "password", required: true, autocomplete: "current-password", maxlength: 128 });
    this.button = el("button", { class: "main", type: "submit" }, t("agent.signIn.button"));
    const form = el(
      "form",
      { class: "card sign-in", on: { submit: (event) => this.#send(event) } },
      el("h2", {}, t("agent.signIn.title")),
      el("p", { class: "muted" }, t("agent.signIn.step")),
      this.me && el("p", {}, t("signIn.notYours", { name: this.me.name })),
      el("label", {}, t("agent.signIn.id"), this.id_),
      el("label", {}, t("agent.signIn.pin"), this.pin),
      this.wrong,
      this.button,
    );
    this.replaceChildren(form);
    this.id_.focus();
  }

  async #send(event) {
    event.preventDefault();
    say(this.wrong, "");
    say(this.button, "…");
    try {
      await ask("POST", "/api/v1/session", { agent: this.id_.value.trim(), pin: this.pin.value, handler: handler() });
      changed();
      location.reload();
    } catch (error) {
      this.#refuse(error);
    }
  }

  #refuse(error) {
    say(this.button, t("agent.signIn.button"));
    say(this.wrong, refusal(error));
    this.pin.value = "";
    this.pin.focus();
  }
}

// Where there are several Asterisks, the address of the page names the agent's own: /agent?handler=berlin.
const handler = () => new URLSearchParams(location.search).get("handler");

customElements.define("acd-agent-sign-in", AgentSignIn);
