// A call makes itself heard and seen outside of the page: in the title, and, for whom wants it, by a tone and a
// notification.

import { ICONS } from "../situations.js";
import { t } from "../texts.js";
import { aboutCall } from "./words.js";

const EVERY = 3_000; // milliseconds from one ring to the next
const LOCK = "acd-agent-ring"; // of two tabs one rings
const TONES = [660, 550]; // Hz

export class Alerts {
  #call = null;
  #sound = null;
  #over = () => {};

  constructor(mine, settings) {
    Object.assign(this, { mine, settings });
    settings.addEventListener("change", () => settings.isOn("sound") && this.#beep()); // to be heard once, and allowed
    // a browser lets a page sound only after somebody has pressed something in it
    addEventListener("pointerdown", () => this.#sound?.resume());
  }

  show() {
    const { what, call } = this.mine.sessions.length ? this.mine.situation : { what: "off", call: null };
    document.title = `${ICONS[what]} ${t(`words.situation.${what}`)} – acd`;
    const ringing = what === "ringing" ? call : null;
    if (ringing?.call === this.#call) return;
    this.#call = ringing?.call ?? null;
    this.#over();
    if (ringing) this.#ring(ringing);
  }

  async #ring(call) {
    const { promise, resolve } = Promise.withResolvers();
    this.#over = resolve;
    if (navigator.locks) await navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => lock && this.#tell(call, promise));
    else await this.#tell(call, promise); // a page without https
  }

  async #tell(call, over) {
    const shown = this.#notify(call);
    this.#beep();
    const rings = setInterval(() => this.#beep(), EVERY);
    await over;
    clearInterval(rings);
    shown?.close();
  }

  #notify(call) {
    if (!this.settings.isOn("notification") || globalThis.Notification?.permission !== "granted") return null;
    const shown = new Notification(t("words.situation.ringing"), { body: aboutCall(call), icon: "/static/icon.svg", tag: "acd-ring" });
    shown.onclick = () => window.focus();
    return shown;
  }

  #beep() {
    if (!this.settings.isOn("sound")) return;
    this.#sound ??= new AudioContext();
    this.#sound.resume();
    if (this.#sound.state !== "running") return; // no tones that all sound at once at the first click
    TONES.forEach((pitch, place) => this.#tone(pitch, this.#sound.currentTime + place * 0.25));
  }

  #tone(pitch, from) {
    const tone = new OscillatorNode(this.#sound, { frequency: pitch });
    const volume = new GainNode(this.#sound, { gain: 0.2 });
    tone.connect(volume).connect(this.#sound.destination);
    tone.start(from);
    tone.stop(from + 0.2);
  }
}
