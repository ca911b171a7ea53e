// Rings without a sound file: two tones that warble, two seconds on and three off.

const TONES = [440, 554]; // Hz
const WARBLE = 0.04; // seconds of each tone
const RINGS = 2; // seconds
const CADENCE = 5; // seconds from one ring to the next
const VOLUME = 0.2;

export class Ringer {
  #context;
  #repeating;
  #device = "";

  /** The loudspeaker that rings; "" is the system's own. */
  async use(device) {
    this.#device = device;
    await this.#context?.setSinkId?.(device);
  }

  start() {
    if (this.#repeating) return;
    this.#ring();
    this.#repeating = setInterval(() => this.#ring(), CADENCE * 1000);
  }

  stop() {
    clearInterval(this.#repeating);
    this.#repeating = undefined;
    this.#context?.close();
    this.#context = undefined;
  }

  /** One ring, for somebody who chooses a loudspeaker. */
  async once() {
    if (this.#repeating) return;
    await this.#ring();
    setTimeout(() => this.#repeating || this.stop(), RINGS * 1000);
  }

  async #ring() {
    const context = (this.#context ??= new AudioContext());
    // Where the device has gone, the system's own rings: better there than nowhere.
    if (this.#device) await context.setSinkId?.(this.#device).catch(() => {});
    await context.resume();
    const [tone, volume] = [context.createOscillator(), context.createGain()];
    const end = context.currentTime + RINGS;
    volume.gain.value = VOLUME;
    for (let at = context.currentTime, n = 0; at < end; at += WARBLE, n++) {
      tone.frequency.setValueAtTime(TONES[n % TONES.length], at);
    }
    tone.connect(volume).connect(context.destination);
    tone.start();
    tone.stop(end);
  }
}
