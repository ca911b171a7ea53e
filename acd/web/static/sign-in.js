// <acd-sign-in>: by name and password, or by a token.

import { ask, reasonOf } from "./api.js";
import { el, say } from "./dom.js";
import { changed } from "./tabs.js";
import { t } from "./texts.js";

export class SignIn extends HTMLElement {
  #byToken = false;

  constructor(me) {
    super();
    this.me = me;
  }

  connectedCallback() {
    this.#show();
  }

  #show() {
    const wrong = el("p", { class: "wrong", role: "alert" });
    const fields = this.#byToken
      ? [field("token", { type: "password", autocomplete: "off" })]
      : [field("user", { autocomplete: "username" }), field("password", { type: "password", autocomplete: "current-password" })];
    const form = el(
      "form",
      { class: "card sign-in", on: { submit: (event) => this.#send(event, wrong) } },
      el("h2", {}, t("signIn.title")),
      this.me && el("p", {}, t("signIn.notYours", { name: this.me.name })),
      fields,
      wrong,
      el("button", { class: "main", type: "submit" }, t("signIn.button")),
      el("button", { type: "button", class: "plain", on: { click: () => this.#other() } }, t(`signIn.by${this.#byToken ? "Password" : "Token"}`)),
    );
    this.replaceChildren(form);
    form.querySelector("input").focus();
  }

  #other() {
    this.#byToken = !this.#byToken;
    this.#show();
  }

  async #send(event, wrong) {
    event.preventDefault();
    say(wrong, "");
    try {
      await ask("POST", "/api/v1/session", Object.fromEntries(new FormData(event.target)));
      changed();
      location.reload();
    } catch (error) {
      say(wrong, t("signIn.failed", { reason: reasonOf(error) }));
    }
  }
}

export function field(name, attributes) {
  return el("label", {}, t(`signIn.${name}`), el("input", { name, required: true, ...attributes }));
}

customElements.define("acd-sign-in", SignIn);
