// Notes of supervisors, and what happened to the agent without him: kept until he has read them.

import { List, el, say } from "../dom.js";
import { timeOfDay } from "../format.js";
import { t } from "../texts.js";

const MOST = 20; // older ones go

export class Notes {
  #notes;

  constructor({ name, key }) {
    this.kept = `acd-agent-notes:${name}/${key}`;
    const list = el("ul");
    this.list = new List(list, (note) => note.id, () => new Note((note) => this.#dismiss(note)));
    this.element = el("section", { class: "notes", "aria-label": t("agent.notes"), "aria-live": "polite", "aria-relevant": "additions" }, list);
    addEventListener("storage", ({ key: changed }) => changed === this.kept && this.#read());
    this.#read();
  }

  // A note, as the stream tells it. Every tab hears it.
  add({ seq, at, subject }) {
    this.#keep({ id: `${seq} ${at}`, at, from: subject.from, text: subject.text });
  }

  // What acd has to say, in the agent's words.
  say(text) {
    const at = new Date().toISOString();
    this.#keep({ id: `${at} ${text}`, at, from: "", text });
  }

  #keep(note) {
    this.#read(); // another tab may have been faster
    if (this.#notes.some((each) => each.id === note.id)) return;
    this.#write([...this.#notes, note].slice(-MOST));
  }

  #dismiss(note) {
    this.#write(this.#notes.filter((each) => each.id !== note.id));
    document.getElementById("content").focus(); // the button is gone
  }

  #write(notes) {
    localStorage.setItem(this.kept, JSON.stringify(notes));
    this.#read();
  }

  #read() {
    this.#notes = JSON.parse(localStorage.getItem(this.kept) ?? "[]");
    this.list.show(this.#notes);
  }
}

class Note {
  constructor(dismiss) {
    this.head = el("p", { class: "muted" });
    this.text = el("p", { class: "text" });
    const button = el("button", { type: "button", on: { click: () => dismiss(this.note) } }, t("agent.dismiss"));
    this.element = el("li", { class: "card" }, el("div", {}, this.head, this.text), button);
  }

  update(note) {
    this.note = note;
    const time = timeOfDay(note.at);
    say(this.head, note.from ? t("agent.noteFrom", { from: note.from, time }) : time);
    say(this.text, note.text);
  }
}
