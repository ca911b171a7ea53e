// Shortcuts of one key. They can be switched off, and keep still while somebody types.

const OFF = "acd-agent-keys-off";

export class Keys {
  list = []; // {key, about, run}

  constructor() {
    addEventListener("keydown", (event) => this.#pressed(event));
  }

  // `about`: what it does, for people.
  add(key, about, run) {
    this.list.push({ key, about, run });
  }

  get areOn() {
    return localStorage.getItem(OFF) === null;
  }

  set areOn(on) {
    if (on) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "1");
    document.documentElement.classList.toggle("keys-off", !on);
  }

  #pressed(event) {
    if (!this.areOn || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (types(event.target) || document.querySelector("dialog[open]")) return;
    const found = this.list.find((each) => each.key === event.key.toLowerCase());
    if (!found) return;
    event.preventDefault();
    found.run();
  }
}

const types = (element) => element.isContentEditable || element.matches("input:not([type=checkbox]), textarea, select");
