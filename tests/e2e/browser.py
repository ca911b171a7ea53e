"""An agent whose phone is his browser: Chromium with a microphone that sends a tone, and ears that tell tones apart."""

import array
import math
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from phones.callers import Caller
from phones.sound import tone_of
from tests.e2e.containers import REPOSITORY
from tests.e2e.desk import PIN, Api, Desk, HeardCall, Json, Seat, eventually

CHROMIUM = "/usr/bin/chromium"
AXE = REPOSITORY / "build" / "npm" / "axe-core" / "axe.min.js"
PAGE = "/healthz"  # what it says is replaced; only that it comes from acd counts
RATE = 48000
PIECE = RATE // 5  # samples of tone, and as many of silence
VOICE = 1101  # whose tone the microphone sends
LOUDER_THAN = -60  # dB in the browser's analyser; silence is below -100
POLICY = (  # as acd sends it with its pages, as far as a page can set it by itself
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
CLEAR = """async (policy) => {
  const make = (name, fields) => Object.assign(document.createElement(name), fields);
  document.documentElement.lang = "en";
  document.head.append(make("meta", { httpEquiv: "Content-Security-Policy", content: policy }));
  document.head.append(make("link", { rel: "stylesheet", href: "/static/phone/phone.css" }));
  document.body.replaceChildren(make("main", {}));
  await import("/static/phone/element.js");
}"""
# What the page cannot show: the connections that sound takes, how often it rang, and when the phone's state moved.
WATCH = """
window.peers = [];
window.moves = [];
const Peer = window.RTCPeerConnection;
window.rings = 0;
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...given) { window.rings++; return start.apply(this, given); };
window.RTCPeerConnection = class extends Peer { constructor(...given) { super(...given); window.peers.push(this); } };
"""
MOUNT = """([handler, agent]) => {
  const element = document.createElement("acd-phone");
  element.setAttribute("handler", handler);
  element.setAttribute("agent", agent);
  document.querySelector("main").append(element);
  element.phone.addEventListener("change", () => {
    const { state, line, call } = element.phone;
    window.moves.push({ at: Date.now() / 1000, state, line, number: call?.number ?? null, incoming: call?.incoming });
  });
}"""
SIGN_IN = """async (body) => {
  const answer = await fetch("/api/v1/session", { method: "POST", body: JSON.stringify(body) });
  return answer.status;
}"""
LISTEN = """async () => {
  const peer = window.peers.findLast((each) => each.connectionState === "connected");
  if (!peer) return [];
  const context = new AudioContext({ sampleRate: 8000 });
  await context.resume();
  const ear = context.createAnalyser();
  ear.fftSize = 4096;
  ear.smoothingTimeConstant = 0;
  context.createMediaStreamSource(new MediaStream([peer.getReceivers()[0].track])).connect(ear);
  await new Promise((heard) => setTimeout(heard, 1000));
  const levels = new Float32Array(ear.frequencyBinCount);
  ear.getFloatFrequencyData(levels);
  await context.close();
  return [...levels];
}"""


def write_tone(path: Path, frequency: int) -> None:
    """A second at half of full loudness, in pieces: a browser takes a tone without end for noise, and suppresses it."""
    tone = (int(16000 * math.sin(2 * math.pi * frequency * n / RATE)) for n in range(RATE))
    samples = array.array("h", (sample if n // PIECE % 2 else 0 for n, sample in enumerate(tone)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())


@asynccontextmanager
async def chromium(folder: Path) -> AsyncIterator[Browser]:
    """Debian's Chromium, whose microphone sends the tone of VOICE."""
    write_tone(folder / "voice.wav", tone_of(VOICE))
    words = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={folder / 'voice.wav'}",
        "--autoplay-policy=no-user-gesture-required",
    ]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=words)
        try:
            yield browser
        finally:
            await browser.close()


class BrowserAgent(Seat):
    """An agent whose phone is a page; to the comparison of figures like one at a softphone."""

    def __init__(self, api: Api, id: str, user: str, page: Page) -> None:
        super().__init__(api, id, user, "")
        self.page = page
        self.moves: list[Json] = []
        self.failures: list[str] = []

    # The page

    async def open(self, url: str) -> None:
        """Signs in and takes a phone; returns when Asterisk can ring it."""
        await self.page.goto(url + PAGE)
        body = {"handler": "main", "agent": self.id, "pin": PIN}
        assert await self.page.evaluate(SIGN_IN, body) == HTTPStatus.CREATED
        await self.load(url)
        await self.until_state("registered", 15)
        self.address = await self.present_address()

    async def load(self, url: str) -> None:
        """The page, anew. Its user is signed in."""
        self.page.on("pageerror", lambda error: self.failures.append(str(error)))
        self.page.on("console", lambda said: self.failures.append(said.text) if said.type == "error" else None)
        await self.page.add_init_script(WATCH)
        await self.page.goto(url + PAGE)
        await self.page.evaluate(CLEAR, POLICY)
        await self.page.evaluate(MOUNT, ["main", self.id])

    async def present_address(self) -> str:
        return str(await self.page.evaluate("document.querySelector('acd-phone').phone.address"))

    async def press(self, name: str) -> None:
        await self.page.get_by_role("button", name=name, exact=True).click(timeout=5000)

    async def state(self) -> str:
        return str(await self.page.evaluate("document.querySelector('acd-phone').phone.state"))

    async def until_state(self, state: str, seconds: float = 5) -> None:
        async def look() -> bool:
            return await self.state() == state

        await eventually(look, seconds, f"{self.user}'s phone is {state}; {self.failures}")

    async def hears(self, *extensions: int) -> set[int]:
        """Those of these phones whose tone comes out of the browser within the next second."""
        levels = await self.page.evaluate(LISTEN)
        width = 8000 / 4096  # Hz of one bin

        def loudness(extension: int) -> float:
            middle = round(tone_of(extension) / width)
            return max(levels[middle - 2 : middle + 3], default=-200.0)

        return {each for each in extensions if loudness(each) > LOUDER_THAN}

    async def until_line(self, line: str, seconds: float) -> None:
        """offline, elsewhere, registering, registered: whatever call there is."""

        async def look() -> bool:
            return bool(await self.page.evaluate("document.querySelector('acd-phone').phone.line") == line)

        await eventually(look, seconds, f"the line of {self.user}'s phone is {line}")

    async def until_idle(self, seconds: float) -> None:
        """No call is left; brings `heard` up to date."""
        await self.until_state("registered", seconds)
        await self.look_back()

    async def takes(self) -> None:
        """Answers what rings, or will ring in a moment."""
        await self.until_state("ringing")
        await self.press("Answer")
        await self.until_state("talking")

    async def complaints(self) -> list[str]:
        """What axe-core finds at the phone as it is now that matters to people who cannot see or use a mouse."""
        await self.page.evaluate(AXE.read_text())
        found = await self.page.evaluate("axe.run('acd-phone')")
        assert found["passes"], "axe looked at nothing"
        return [
            f"{each['id']}: {node['html']} {node['failureSummary']}"
            for each in found["violations"]
            if each["impact"] in ("serious", "critical")
            for node in each["nodes"]
        ]

    # What the phone heard

    async def look_back(self) -> list[HeardCall]:
        """Brings what the page noted to `heard`."""
        self.moves = await self.page.evaluate("window.moves")
        return self.heard

    @property
    def heard(self) -> list[HeardCall]:
        """The calls at this phone, as of the last `look_back`."""
        calls: list[HeardCall] = []
        under_way = False
        for move in self.moves:
            has_call = move["number"] is not None
            if has_call and not under_way:
                calls.append(HeardCall(move["number"], bool(move["incoming"]), move["at"]))
            if move["state"] == "talking":
                calls[-1].answered = calls[-1].answered or move["at"]
            if under_way and not has_call:
                calls[-1].ended = move["at"]
            under_way = has_call
        return calls

    def heard_from(self, caller: Caller | str) -> list[HeardCall]:
        number = caller if isinstance(caller, str) else caller.result.caller
        return [call for call in self.heard if call.peer == number]


async def browser_agent(desk: Desk, page: Page, id: str, user: str) -> BrowserAgent:
    """Makes an agent with an ID and a PIN, and opens his phone."""
    agent = BrowserAgent(desk.api, id, user, page)
    await desk.api.post("/agents", {"id": id, "pin": PIN, "user": user})
    await agent.open(desk.acd.url)
    return agent
