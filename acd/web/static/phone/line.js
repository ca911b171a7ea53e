// The WebSocket below the phone. A line that is dead without saying so is found out: acd answers every beat.

const BEAT = 5000; // milliseconds between two beats; a line that has not answered by the next one is dead

/** SIP.js's transport with a heart. `sip` is the library, which is loaded only where somebody has a phone. */
export function livelyTransport(sip) {
  return class Line extends sip.Web.Transport {
    #beating;
    #asked = false;

    onWebSocketOpen(event, socket) {
      this.#asked = false;
      clearInterval(this.#beating);
      this.#beating = setInterval(() => this.#beat(socket), BEAT);
      super.onWebSocketOpen(event, socket);
    }

    onWebSocketMessage(event, socket) {
      this.#asked = false;
      super.onWebSocketMessage(event, socket);
    }

    onWebSocketClose(event, socket) {
      if (socket === this._ws) clearInterval(this.#beating);
      super.onWebSocketClose(event, socket);
    }

    #beat(socket) {
      if (this.#asked) {
        // close() alone would wait for an answer that does not come
        socket.close();
        this.onWebSocketClose({ code: 1006 }, socket);
        return;
      }
      this.#asked = true;
      socket.send("\r\n\r\n");
    }
  };
}
