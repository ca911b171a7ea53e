// <acd-phone handler="main" agent="1001">: the agent's phone, to be seen and used. `phone` is the Phone behind it.

import { el, say } from "../dom.js";
import { duration } from "../format.js";
import { t } from "../texts.js";
import { devices } from "./devices.js";
import { Phone } from "./phone.js";

const KEYS = "123456789*0#";
const SECOND = 1000; // milliseconds

export class AcdPhone extends HTMLElement {
  phone; // once it stands in a page
  #parts = {};
  #ticking;
  #asks = ""; // what the form for a number is for: dial, transfer

  connectedCallback() {
    this.phone = new Phone(this.getAttribute("handler"), this.getAttribute("agent"));
    this.phone.addEventListener("change", () => this.#draw());
    this.phone.addEventListener("failure", (event) => this.#complain(event.detail.code));
    this.setAttribute("role", "region");
    this.setAttribute("aria-label", t("phone.name"));
    this.replaceChildren(this.#head(), this.#buttons(), this.#numberForm(), this.#keypad(), this.#settings());
    this.#draw();
    this.phone.start();
  }

  disconnectedCallback() {
    clearInterval(this.#ticking);
    this.phone.stop();
  }

  // What there is -----------------------------------------------------------------------------------------

  #head() {
    const parts = this.#parts;
    parts.status = el("p", { class: "acd-phone-status", role: "status" });
    // Not in the live region: nobody wants to hear the seconds.
    parts.time = el("p", { class: "acd-phone-time", role: "timer", "aria-label": t("phone.duration") });
    parts.failure = el("p", { class: "acd-phone-failure", role: "alert" });
    return el("div", { class: "acd-phone-head" }, parts.status, parts.time, parts.failure);
  }

  #buttons() {
    const { phone } = this;
    const parts = this.#parts;
    parts.answer = button("phone.answer", "good", () => phone.answer());
    parts.hangUp = button("phone.hangUp", "bad", () => phone.hangUp());
    parts.hold = button("phone.hold", "", () => (phone.state === "held" ? phone.resume() : phone.hold()));
    parts.mute = button("phone.mute", "", () => phone.mute(!phone.call.muted));
    parts.transfer = button("phone.transfer", "", () => this.#askNumber("transfer"));
    parts.keypadKey = button("phone.keypad", "", () => this.#toggle(parts.keypadKey, parts.keypad));
    parts.dial = button("phone.dial", "", () => this.#askNumber("dial"));
    const { answer, hangUp, hold, mute, transfer, keypadKey, dial } = parts;
    return el("div", { class: "acd-phone-buttons" }, answer, hangUp, hold, mute, transfer, keypadKey, dial);
  }

  #numberForm() {
    const parts = this.#parts;
    parts.number = el("input", { type: "tel", autocomplete: "off", required: "", maxlength: "40" });
    parts.numberLabel = el("span");
    parts.send = el("button", { type: "submit" });
    const close = button("phone.close", "", () => this.#closeNumber());
    const label = el("label", {}, parts.numberLabel, parts.number);
    parts.form = el("form", { class: "acd-phone-number", hidden: "" }, label, parts.send, close);
    parts.form.addEventListener("submit", (event) => this.#useNumber(event));
    parts.form.addEventListener("keydown", (event) => event.key === "Escape" && this.#closeNumber());
    return parts.form;
  }

  #keypad() {
    const keys = [...KEYS].map((key) => {
      const made = el("button", { type: "button" });
      made.textContent = key;
      made.addEventListener("click", () => this.phone.tones(key));
      return made;
    });
    const shown = { class: "acd-phone-keypad", role: "group", "aria-label": t("phone.keypad"), hidden: "" };
    return (this.#parts.keypad = el("div", shown, ...keys));
  }

  #settings() {
    const { phone } = this;
    const chooser = (what) => this.#chooser(what);
    const auto = el("input", { type: "checkbox" });
    auto.checked = phone.chosen.autoAnswer;
    auto.addEventListener("change", () => phone.choose({ autoAnswer: auto.checked }));
    const summary = el("summary");
    summary.textContent = t("phone.settings");
    const shown = el(
      "details",
      { class: "acd-phone-settings" },
      summary,
      chooser("microphone"),
      chooser("speaker"),
      chooser("ringer"),
      button("phone.tryRinger", "", () => phone.tryRinger()),
      el("label", { class: "acd-phone-switch" }, auto, words("phone.autoAnswer")),
    );
    shown.addEventListener("toggle", () => shown.open && this.#listDevices());
    navigator.mediaDevices?.addEventListener("devicechange", () => shown.open && this.#listDevices());
    return shown;
  }

  #chooser(what) {
    const select = el("select");
    select.addEventListener("change", () => this.phone.choose({ [what]: select.value }));
    this.#parts[what] = select;
    return el("label", {}, words(`phone.${what}`), select);
  }

  async #listDevices() {
    const { microphones, speakers } = await devices();
    const { microphone, speaker, ringer } = this.#parts;
    fill(microphone, microphones, this.phone.chosen.microphone);
    fill(speaker, speakers, this.phone.chosen.speaker);
    fill(ringer, speakers, this.phone.chosen.ringer);
  }

  // What it shows -----------------------------------------------------------------------------------------

  #draw() {
    const { phone } = this;
    const { state, call } = phone;
    const parts = this.#parts;
    this.dataset.state = state;
    this.dataset.line = phone.line;
    say(parts.status, this.#statusText());
    show(parts.answer, state === "ringing");
    show(parts.hangUp, call !== null);
    say(parts.hangUp, t(state === "ringing" ? "phone.decline" : "phone.hangUp"));
    const inTalk = state === "talking" || state === "held";
    for (const part of [parts.hold, parts.mute, parts.transfer]) show(part, inTalk);
    show(parts.keypadKey, state === "talking");
    show(parts.dial, state === "registered");
    say(parts.hold, t(state === "held" ? "phone.resume" : "phone.hold"));
    parts.mute.setAttribute("aria-pressed", String(call?.muted ?? false));
    if (state !== "talking") this.#fold(parts.keypadKey, parts.keypad);
    if ((this.#asks === "transfer" && !inTalk) || (this.#asks === "dial" && state !== "registered")) this.#closeNumber();
    if (call) say(parts.failure, "");
    this.#tick();
  }

  #statusText() {
    const { state, line, call } = this.phone;
    if (!call) return t(`phone.${state}`);
    const who = [call.name, call.number].filter((each, n, all) => each && all.indexOf(each) === n).join(" ");
    const lost = line === "registered" ? "" : ` ${t("phone.lineLost")}`;
    return t(`phone.${state}`, { who: who || t("phone.unknown") }) + lost;
  }

  #tick() {
    clearInterval(this.#ticking);
    const { call } = this.phone;
    show(this.#parts.time, call !== null);
    if (!call) return;
    const draw = () => say(this.#parts.time, duration((Date.now() - call.since) / SECOND));
    draw();
    this.#ticking = setInterval(draw, SECOND);
  }

  #complain(code) {
    say(this.#parts.failure, t(`phone.failed.${code}`));
  }

  #askNumber(what) {
    const { form, number, numberLabel, send } = this.#parts;
    this.#asks = what;
    say(numberLabel, t(what === "transfer" ? "phone.transferTo" : "phone.number"));
    say(send, t(`phone.${what}`));
    show(form, true);
    number.focus();
  }

  #useNumber(event) {
    event.preventDefault();
    const number = this.#parts.number.value.replace(/[^\d*#+A-Za-z_.-]/g, "");
    const asks = this.#asks;
    this.#closeNumber();
    if (number && asks === "transfer") this.phone.transfer(number);
    if (number && asks === "dial") this.phone.dial(number);
  }

  #closeNumber() {
    const { form, number, transfer, dial } = this.#parts;
    const from = this.#asks === "transfer" ? transfer : dial;
    const hadFocus = form.contains(document.activeElement);
    this.#asks = "";
    number.value = "";
    show(form, false);
    if (hadFocus && !from.hidden) from.focus();
  }

  #toggle(key, what) {
    show(what, what.hidden);
    key.setAttribute("aria-expanded", String(!what.hidden));
  }

  #fold(key, what) {
    show(what, false);
    key.setAttribute("aria-expanded", "false");
  }
}

// Small things ---------------------------------------------------------------------------------------------

function words(key) {
  const span = el("span");
  span.textContent = t(key);
  return span;
}

function button(key, kind, pressed) {
  const made = el("button", { type: "button", "data-does": key.replace("phone.", "") });
  if (kind) made.dataset.kind = kind;
  made.textContent = t(key);
  made.addEventListener("click", pressed);
  return made;
}

function show(element, shown) {
  element.hidden = !shown;
}

function fill(select, found, chosen) {
  const options = [new Option(t("phone.usualDevice"), "")];
  found.forEach(({ id, name }, n) => options.push(new Option(name || t("phone.unnamedDevice", { n: n + 1 }), id)));
  select.replaceChildren(...options);
  select.value = found.some(({ id }) => id === chosen) ? chosen : "";
}

customElements.define("acd-phone", AcdPhone);
