// The one live connection of a page: the whole picture, then each change by its number.
//
// Events: "change" when the floor is another one (at most every `every` ms), "line" when the connection came or went,
// "envelope" for each message, "signed-out" when nobody is logged in any more.

import { ask, get } from "./api.js";
import { Floor } from "./floor.js";

const AGAIN = [500, 1_000, 2_000, 4_000]; // milliseconds until the next attempt
const QUIET = 5_000; // after so long without a message the server is asked whether it is there
const PROBE_WITHIN = 3_000;
const RENEW = 20_000; // after so long in silence the line itself may be dead, though the server is there
const SKEW = 2_000; // by so much the clocks may differ from what was measured

export class Live extends EventTarget {
  floor = new Floor();
  seq = null;
  staleSince = null; // milliseconds since 1970; null while what is shown is so
  #socket = null;
  #ahead = 0; // by how much the server's clock is ahead of this one
  #heard = 0; // when the server gave its last sign of life,
  #spoke = 0; // and the stream its own
  #opened = 0;
  #failed = 0;
  #due = null;
  #timer = null;
  #attempt = 0;
  #meanwhile = new Set(); // what came while pictures were on their way: those may be older
  #closed = false;

  // `me`: who is signed in, as long as it is the same person.
  constructor({ every = 200, me }) {
    super();
    Object.assign(this, { every, me });
    addEventListener("offline", () => this.#lost());
    addEventListener("online", () => this.#soon(0));
    setInterval(() => this.#probe(), QUIET / 2);
  }

  // Resolves with the first picture. Throws Refused.
  async start() {
    await this.#take();
    this.#connect();
  }

  // Takes the whole picture anew: what is within reach may be more than before.
  async refresh() {
    const meanwhile = [];
    this.#meanwhile.add(meanwhile);
    try {
      await this.#take();
    } finally {
      this.#meanwhile.delete(meanwhile);
    }
    for (const envelope of meanwhile) this.#apply(envelope);
  }

  close() {
    this.#closed = true;
    this.#socket?.close();
  }

  // The server's time, in milliseconds since 1970.
  now() {
    return Date.now() + this.#ahead;
  }

  get isUp() {
    return this.staleSince === null;
  }

  async #take() {
    const picture = await get("/api/v1/picture");
    this.#reset(picture);
  }

  #reset(picture) {
    this.#ahead = Date.parse(picture.at) - Date.now();
    this.seq = picture.seq;
    this.floor.reset(picture);
    this.#changed();
  }

  #connect() {
    if (this.#closed || this.#socket) return;
    const url = new URL(`/api/v1/ws?after=${this.seq}`, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = (this.#socket = new WebSocket(url));
    this.#opened = Date.now();
    socket.onopen = () => socket === this.#socket && this.#came();
    socket.onmessage = ({ data }) => socket === this.#socket && this.#told(JSON.parse(data));
    socket.onclose = () => socket === this.#socket && this.#lost();
  }

  #came() {
    this.#failed = 0;
    this.#heard = this.#opened = Date.now();
    if (this.staleSince !== null) {
      this.staleSince = null;
      this.dispatchEvent(new Event("line"));
    }
  }

  #told(envelope) {
    this.#heard = this.#spoke = Date.now();
    if (envelope.type === "reset") {
      this.#reset(envelope.subject);
    } else {
      if (envelope.type === "statistics") this.#setClock(envelope.at);
      for (const each of this.#meanwhile) each.push(envelope);
      this.#apply(envelope);
    }
    this.dispatchEvent(new CustomEvent("envelope", { detail: envelope }));
  }

  // Figures are told when they are made. A clock that was set meanwhile, or a sleep, moves ours against the server's.
  #setClock(at) {
    const ahead = Date.parse(at) - Date.now();
    if (Date.now() - this.#opened > SKEW && Math.abs(ahead - this.#ahead) > SKEW) this.#ahead = ahead;
  }

  #apply(envelope) {
    if (envelope.seq <= this.seq) return;
    this.seq = envelope.seq;
    this.floor.apply(envelope);
    this.#changed();
  }

  #lost() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    if (this.#closed) return;
    if (this.staleSince === null) {
      this.staleSince = Date.now();
      this.dispatchEvent(new Event("line"));
    }
    this.#soon(AGAIN[Math.min(this.#failed++, AGAIN.length - 1)] * (0.75 + Math.random() / 2));
  }

  #soon(wait) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#again(), wait);
  }

  // A refused WebSocket does not say why; a request does.
  async #again() {
    if (this.#closed || this.#socket || this.seq === null) return; // before the first picture, start() sees to it
    const attempt = ++this.#attempt; // a late answer to an older one changes nothing
    try {
      const who = await ask("GET", "/api/v1/session", undefined, { within: PROBE_WITHIN });
      if (attempt !== this.#attempt) return;
      if (who.name !== this.me.name || who.role !== this.me.role) this.#signedOut();
      else this.#connect();
    } catch (error) {
      if (attempt !== this.#attempt) return;
      if (error.status === 401) this.#signedOut();
      else this.#lost();
    }
  }

  #signedOut() {
    this.close();
    this.dispatchEvent(new Event("signed-out"));
  }

  // A broken line may stay silent for minutes before the socket knows.
  async #probe() {
    const socket = this.#socket;
    if (!socket || Date.now() - Math.max(this.#heard, this.#opened) < QUIET) return;
    if (socket.readyState !== WebSocket.OPEN) return this.#lost();
    try {
      await ask("GET", "/healthz", undefined, { within: PROBE_WITHIN });
      this.#heard = Date.now();
      if (Date.now() - Math.max(this.#spoke, this.#opened) > RENEW) this.#renew(socket);
    } catch {
      if (socket === this.#socket) this.#lost();
    }
  }

  // Goes on over a line of which it is known that it works.
  #renew(socket) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    socket.close();
    this.#connect();
  }

  #changed() {
    this.#due ??= setTimeout(() => {
      this.#due = null;
      this.dispatchEvent(new Event("change"));
    }, this.every);
  }
}
