// The one live connection of a page: the whole picture, then each change by its number.
//
// Events: "change" when the floor is another one (at most every `every` ms), "line" when the connection came or went,
// "envelope" for each message, "signed-out" when nobody is logged in any more.

import { ask, get } from "./api.js";
import { Floor } from "./floor.js";

const AGAIN = [500, 1_000, 2_000, 4_000]; // milliseconds until the next attempt
const QUIET = 5_000; // after so long without a message the server is asked whether it is there
const PROBE_WITHIN = 3_000;

export class Live extends EventTarget {
  floor = new Floor();
  seq = null;
  staleSince = null; // milliseconds since 1970; null while what is shown is so
  #socket = null;
  #ahead = 0; // by how much the server's clock is ahead of this one
  #heard = 0;
  #failed = 0;
  #due = null;
  #meanwhile = null; // what came while the picture was on its way: it may be older
  #closed = false;

  constructor({ every = 200 } = {}) {
    super();
    this.every = every;
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
    const meanwhile = (this.#meanwhile = []);
    try {
      await this.#take();
    } finally {
      this.#meanwhile = null;
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
    socket.onopen = () => this.#came();
    socket.onmessage = ({ data }) => this.#told(JSON.parse(data));
    socket.onclose = () => socket === this.#socket && this.#lost();
  }

  #came() {
    this.#failed = 0;
    this.#heard = Date.now();
    if (this.staleSince !== null) {
      this.staleSince = null;
      this.dispatchEvent(new Event("line"));
    }
  }

  #told(envelope) {
    this.#heard = Date.now();
    if (envelope.type === "reset") {
      this.#reset(envelope.subject);
    } else {
      this.#meanwhile?.push(envelope);
      this.#apply(envelope);
    }
    this.dispatchEvent(new CustomEvent("envelope", { detail: envelope }));
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
    setTimeout(() => this.#again(), wait);
  }

  // A refused WebSocket does not say why; a request does.
  async #again() {
    if (this.#closed || this.#socket) return;
    try {
      if (this.seq === null) await this.#take();
      else await get("/api/v1/session");
      this.#connect();
    } catch (error) {
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
    if (socket?.readyState !== WebSocket.OPEN || Date.now() - this.#heard < QUIET) return;
    try {
      await ask("GET", "/healthz", undefined, { within: PROBE_WITHIN });
      this.#heard = Date.now();
    } catch {
      if (socket === this.#socket) this.#lost();
    }
  }

  #changed() {
    this.#due ??= setTimeout(() => {
      this.#due = null;
      this.dispatchEvent(new Event("change"));
    }, this.every);
  }
}
