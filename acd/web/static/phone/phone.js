// An agent's phone: SIP over acd's WebSocket, sound by WebRTC. It knows nothing of the page (element.js shows it).

import { allowMicrophone, choices, keep, microphone } from "./devices.js";
import { livelyTransport } from "./line.js";
import { Ringer } from "./ringer.js";

const LIBRARY = "/static/npm/sip.js/lib/index.js";
const LOCK = "acd-phone"; // two tabs of one browser must not be the same phone
const EXPIRES = 120; // seconds: after so long without a word Asterisk takes the phone for gone
const PAUSES = [1, 2, 4, 8, 15]; // seconds before the first, second ... try to come back
const GATHERING = 500; // milliseconds for the browser to find its own addresses
const HOPELESS = { 401: "signedOut", 403: "forbidden", 404: "noneConfigured" };

/**
 * Events: `change` after every change of what can be read here, `failure` with `detail.code`.
 *
 * `state`: offline, elsewhere (another tab has the phone), registering, registered; with a call ringing, calling,
 * talking, held.
 */
export class Phone extends EventTarget {
  line = "offline"; // offline, elsewhere, registering, registered
  address = ""; // such as PJSIP/1101, once it is known
  call = null; // {state, number, name, incoming, since, muted}
  chosen = choices(); // {microphone, speaker, ringer, autoAnswer}

  #path;
  #sip;
  #agent; // SIP.js's user agent
  #account;
  #registerer;
  #session;
  #wanted = false;
  #tries = 0;
  #waiting; // for the next try
  #release; // gives the phone to another tab
  #ringer = new Ringer();
  #sound = new Audio();
  #atOnce = () => this.#waiting && this.#comeUp();

  /** The phone of this agent of this handler. */
  constructor(handler, agent) {
    super();
    this.#path = `/api/v1/handlers/${encodeURIComponent(handler)}/agents/${encodeURIComponent(agent)}/browser-phone`;
    this.#sound.autoplay = true;
  }

  get state() {
    return this.call?.state ?? this.line;
  }

  // On and off --------------------------------------------------------------------------------------------

  /** Takes the phone, as soon as no other tab has it, and keeps it registered until `stop`. */
  async start() {
    if (this.#wanted) return;
    if (!window.isSecureContext) return this.#fail("insecure");
    this.#wanted = true;
    window.addEventListener("online", this.#atOnce);
    await this.#takeTheLock();
    if (!this.#wanted) return this.#release?.();
    await this.#begin();
  }

  /** Ends the call and gives the phone back. */
  async stop() {
    this.#wanted = false;
    window.removeEventListener("online", this.#atOnce);
    this.#waiting = clearTimeout(this.#waiting);
    this.#hushAndForget();
    const agent = this.#agent;
    this.#agent = this.#account = this.#registerer = undefined;
    this.#show("offline");
    await agent?.stop().catch(() => {}); // it unregisters, if the line allows
    this.#release?.();
  }

  async #takeTheLock() {
    const taken = (lock) => (lock ? new Promise((release) => this.#hold(release)) : null);
    const held = await new Promise((tell) => {
      navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => (tell(lock !== null), taken(lock)));
    });
    if (held) return;
    this.#show("elsewhere");
    await new Promise((tell) => navigator.locks.request(LOCK, (lock) => (tell(), taken(lock))));
  }

  #hold(release) {
    this.#release = release;
  }

  async #begin() {
    this.#show("registering");
    try {
      this.#sip ??= await import(LIBRARY);
    } catch {
      return this.#giveUp("library");
    }
    allowMicrophone(this.chosen.microphone).catch(() => this.#fail("microphone"));
    await this.#comeUp();
  }

  // The line ----------------------------------------------------------------------------------------------

  async #comeUp() {
    this.#waiting = clearTimeout(this.#waiting);
    try {
      const account = await this.#askForAccount();
      if (!account || !this.#wanted) return;
      await this.#connect(account);
      await this.#register();
    } catch {
      this.#tryLater(); // no line, or Asterisk is away
    }
  }

  /** {address, uri, username, password}, or nothing where it is of no use to ask again. */
  async #askForAccount() {
    const answer = await fetch(this.#path, { method: "POST", headers: { Accept: "application/json" } });
    if (answer.ok) return answer.json();
    if (answer.status in HOPELESS) return this.#giveUp(HOPELESS[answer.status]);
    if (answer.status === 409) this.#fail("noneFree");
    throw new Error(`${answer.status}`);
  }

  async #connect(account) {
    if (this.#agent && JSON.stringify(account) !== JSON.stringify(this.#account)) {
      this.#hushAndForget();
      this.#agent.delegate = undefined;
      this.#agent.stop().catch(() => {});
      this.#agent = undefined;
    }
    if (this.#agent) return this.#agent.reconnect();
    this.#account = account;
    this.address = account.address;
    this.#agent = this.#makeAgent(account);
    await this.#agent.start();
  }

  #makeAgent(account) {
    const { UserAgent, Web } = this.#sip;
    const server = new URL(`${this.#path}/sip`, location.href);
    server.protocol = server.protocol.replace("http", "ws");
    return new UserAgent({
      uri: UserAgent.makeURI(account.uri),
      authorizationUsername: account.username,
      authorizationPassword: account.password,
      transportConstructor: livelyTransport(this.#sip),
      transportOptions: { server: server.href, connectionTimeout: 10 },
      sessionDescriptionHandlerFactory: Web.defaultSessionDescriptionHandlerFactory(() =>
        microphone(this.chosen.microphone),
      ),
      // No server of anybody else is asked where we are: Asterisk's own address is in its answer.
      sessionDescriptionHandlerFactoryOptions: {
        iceGatheringTimeout: GATHERING,
        peerConnectionConfiguration: { iceServers: [], bundlePolicy: "max-bundle" },
      },
      delegate: {
        onInvite: (invitation) => this.#invited(invitation),
        onDisconnect: (error) => error && this.#lineLost(),
      },
      logBuiltinEnabled: false,
    });
  }

  async #register() {
    const { Registerer, RegistererState } = this.#sip;
    const registerer = new Registerer(this.#agent, { expires: EXPIRES, refreshFrequency: 50 });
    this.#registerer = registerer;
    registerer.stateChange.addListener((state) => {
      if (registerer !== this.#registerer) return;
      if (state === RegistererState.Registered) this.#registered();
      if (state === RegistererState.Unregistered) this.#lineLost();
    });
    await registerer.register({ requestDelegate: { onReject: () => this.#lineLost() } });
  }

  #registered() {
    this.#tries = 0;
    if (this.line === "registered") return;
    this.#show("registered");
    this.#pickUpTheThread();
  }

  #lineLost() {
    if (!this.#wanted || this.#waiting) return;
    const gone = this.#registerer;
    this.#registerer = undefined;
    gone?.dispose().catch(() => {});
    // A call in talk goes on without the line, by its sound alone; one that is not answered yet does not.
    if (this.call?.state === "ringing" || this.call?.state === "calling") this.#hushAndForget();
    this.#tryLater();
  }

  #tryLater() {
    if (!this.#wanted || this.#waiting) return;
    this.#show("registering");
    const seconds = PAUSES[Math.min(this.#tries++, PAUSES.length - 1)];
    this.#waiting = setTimeout(() => this.#comeUp(), seconds * 1000 * (0.75 + Math.random() / 2));
  }

  #giveUp(code) {
    this.stop();
    this.#fail(code);
  }

  // Calls -------------------------------------------------------------------------------------------------

  #invited(invitation) {
    if (this.call) return invitation.reject({ statusCode: 486 });
    const { uri, displayName } = invitation.remoteIdentity;
    this.#follow(invitation, { state: "ringing", number: uri.user ?? "", name: displayName ?? "", incoming: true });
    if (this.chosen.autoAnswer) this.answer();
    else this.#ringer.use(this.chosen.ringer).then(() => this.state === "ringing" && this.#ringer.start());
  }

  /** Takes the call that rings. */
  async answer() {
    if (this.state !== "ringing" || this.#session.state !== this.#sip.SessionState.Initial) return; // it is pressed already
    this.#ringer.stop();
    await this.#orFail("microphone", () => this.#session.accept());
  }

  /** Ends the call, declines it, or gives up calling. */
  async hangUp() {
    const { SessionState } = this.#sip;
    const session = this.#session;
    if (!session) return;
    this.#ringer.stop();
    await this.#orFail("notDone", () => {
      if (session.state === SessionState.Established) return session.bye();
      return this.call.incoming ? session.reject({ statusCode: 486 }) : session.cancel();
    });
  }

  /** Calls a number. */
  async dial(number) {
    const { Inviter } = this.#sip;
    if (this.state !== "registered") return this.#fail("notRegistered");
    const inviter = new Inviter(this.#agent, this.#address(number));
    this.#follow(inviter, { state: "calling", number, name: "", incoming: false });
    await this.#orFail("microphone", () => inviter.invite());
  }

  /** The caller hears music. */
  async hold() {
    if (this.state === "talking") await this.#reinvite("held");
  }

  async resume() {
    if (this.state === "held") await this.#reinvite("talking");
  }

  /** Whether the caller hears the agent. */
  mute(muted) {
    if (!this.call) return;
    this.call.muted = muted;
    this.#openMicrophone();
    this.#tell();
  }

  /** Sends the caller to a number, and is free. */
  async transfer(number) {
    if (this.state !== "talking" && this.state !== "held") return;
    await this.#orFail("transfer", () =>
      this.#session.refer(this.#address(number), {
        requestDelegate: { onReject: () => this.#fail("transfer") },
        onNotify: (note) => note.accept().then(() => this.#transferred(note.request.body)),
      }),
    );
  }

  /** Digits to whoever is at the other end: 0-9, *, #. */
  tones(digits) {
    if (this.state === "talking") this.#session.sessionDescriptionHandler.sendDtmf(digits);
  }

  #address(number) {
    const host = this.#agent.configuration.uri.host;
    return this.#sip.UserAgent.makeURI(`sip:${encodeURIComponent(number)}@${host}`);
  }

  #follow(session, call) {
    const { SessionState } = this.#sip;
    this.#session = session;
    this.call = { ...call, since: Date.now(), muted: false };
    session.delegate = { onInvite: () => this.#hear() };
    session.stateChange.addListener((state) => {
      if (session !== this.#session) return;
      if (state === SessionState.Established) this.#answered();
      if (state === SessionState.Terminated) this.#hushAndForget();
    });
    this.#tell();
  }

  #answered() {
    this.call.since = Date.now();
    this.call.state = "talking";
    this.#hear();
    this.#tell();
  }

  #hushAndForget() {
    this.#ringer.stop();
    this.#sound.srcObject = null;
    this.#session?.sessionDescriptionHandler?.close();
    this.#session = undefined;
    if (!this.call) return;
    this.call = null;
    this.#tell();
  }

  async #reinvite(state) {
    const call = this.call;
    this.#session.sessionDescriptionHandlerOptionsReInvite = { hold: state === "held" };
    await this.#orFail("notDone", () =>
      this.#session.invite({
        requestDelegate: {
          onAccept: () => this.#moved(call, state),
          onReject: (response) => this.#refused(call, response.message.statusCode),
        },
      }),
    );
  }

  #moved(call, state) {
    if (call !== this.call) return;
    call.state = state;
    this.#openMicrophone();
    this.#tell();
  }

  #refused(call, status) {
    if (call !== this.call) return;
    if (status === 481 || status === 408) this.#hushAndForget(); // Asterisk knows nothing of this call any more
    else this.#fail("notDone");
  }

  /** After the line was lost: tells Asterisk our new place, and learns whether the call still stands. */
  #pickUpTheThread() {
    if (this.call) this.#reinvite(this.call.state);
  }

  #transferred(sipfrag) {
    const status = Number(/^SIP\/2\.0 (\d{3})/.exec(sipfrag)?.[1]);
    if (status >= 300) this.#fail("transfer");
    else if (status >= 200) this.hangUp();
  }

  // Sound -------------------------------------------------------------------------------------------------

  /** Takes another microphone, loudspeaker, ringer or habit; at once, also in a call. */
  async choose(change) {
    this.chosen = { ...this.chosen, ...change };
    keep(this.chosen);
    if ("speaker" in change) await this.#useSpeaker();
    if ("microphone" in change && this.#session) await this.#changeMicrophone();
    this.#tell();
  }

  /** Lets the ringer be heard. */
  async tryRinger() {
    await this.#ringer.use(this.chosen.ringer);
    await this.#ringer.once();
  }

  #hear() {
    const handler = this.#session?.sessionDescriptionHandler;
    if (!handler) return;
    this.#sound.srcObject = handler.remoteMediaStream;
    this.#useSpeaker();
    this.#openMicrophone();
  }

  async #useSpeaker() {
    // Where the device has gone, the system's own speaks.
    await this.#sound.setSinkId?.(this.chosen.speaker).catch(() => this.#sound.setSinkId(""));
  }

  #openMicrophone() {
    const open = this.call.state === "talking" && !this.call.muted;
    for (const sender of this.#senders()) if (sender.track) sender.track.enabled = open;
  }

  async #changeMicrophone() {
    await this.#orFail("microphone", async () => {
      const [track] = (await microphone(this.chosen.microphone)).getAudioTracks();
      for (const sender of this.#senders()) {
        sender.track?.stop();
        await sender.replaceTrack(track);
      }
      this.#openMicrophone();
    });
  }

  #senders() {
    return this.#session?.sessionDescriptionHandler?.peerConnection?.getSenders() ?? [];
  }

  // News --------------------------------------------------------------------------------------------------

  async #orFail(code, doing) {
    try {
      await doing();
    } catch {
      this.#fail(code);
    }
  }

  #fail(code) {
    this.dispatchEvent(new CustomEvent("failure", { detail: { code } }));
  }

  #show(line) {
    if (line === this.line) return;
    this.line = line;
    this.#tell();
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}
