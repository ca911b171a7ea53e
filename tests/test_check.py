"""acd check against a fake Asterisk on a real socket, and its verdict on recordings of a real one."""

import argparse
import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from acd import check
from acd.asterisk.message import Blocks, Message
from acd.check import FAIL, HINT, OK, WARN, Ear, Finding, Heard
from acd.settings import Settings, SettingsError
from tests.asterisk.fake_ami import FakeAsterisk, Headers, block, error, event, event_list, response, success
from tests.helpers import until
from tests.recordings import received

FILES = {  # what AST_CONFIG() reads at a site that lacks nothing
    "manager.conf,general,enabled": "yes",
    "manager.conf,general,timestampevents": "yes",
    "manager.conf,acd,read": "system,call,agent,user",
    "queues.conf,general,shared_lastcall": "yes",
    "queues.conf,general,autofill": "yes",
    "queues.conf,general,persistentmembers": "yes",
    **{
        f"queues.conf,{queue},{option}": value
        for queue in ("support", "sales")
        for option, value in {
            "wrapuptime": "2",
            "joinempty": "unavailable,invalid,unknown",
            "leavewhenempty": "unavailable,invalid,unknown",
            "ringinuse": "no",
            "timeout": "12",
            "retry": "1",
        }.items()
    },
}
DENIED = error("Permission denied")
STAMP = "1790000000.000001"


class Desk(FakeAsterisk):
    """A fake Asterisk that lacks nothing; a test takes something away."""

    def __init__(self) -> None:
        super().__init__()
        self.files = dict(FILES)
        self.members: list[tuple[str, Headers]] = []
        self.dialplan = [("600", "1", "Queue", "support,t"), ("600", "2", "UserEvent", "Left,Status: ${QUEUESTATUS}")]
        self.contexts = ["acd-queue"]  # besides the one in which that stands
        self.answers |= {
            "Originate": error("Channel not specified"),
            "Hangup": error("No channel specified"),
            "CoreSettings": response("Success", "AsteriskVersion: 22.10.1+dfsg"),
            "CoreShowChannels": event_list("Channels will follow"),
            "DeviceStateList": event_list("Device State Changes will follow"),
            "QueuePause": error("Interface not found"),
            "QueueStatus": self._queue_status,
            "ShowDialPlan": self._show_dialplan,
            "Getvar": self._getvar,
        }

    def _queue_status(self, action: Headers) -> bytes:
        queues = [("QueueParams", {"Queue": name}) for name in ("support", "sales")]
        return event_list("Queue status will follow", *queues, *self.members)(action)

    def _show_dialplan(self, action: Headers) -> bytes:
        names = ("Extension", "Priority", "Application", "AppData")
        steps = [("ListDialplan", {"Context": "in", **dict(zip(names, step, strict=True))}) for step in self.dialplan]
        steps += [
            ("ListDialplan", {"Context": each, "Priority": "1", "Application": "Gosub"}) for each in self.contexts
        ]
        return event_list("DialPlan list will follow", *steps)(action)

    def _getvar(self, action: Headers) -> bytes:
        place = re.fullmatch(r"AST_CONFIG\((.+),(?:0|-1)\)", action["Variable"])
        assert place, action
        return response("Success", f"Variable: {action['Variable']}", f"Value: {self.files.get(place[1], '')}")(action)

    def with_member(self, **headers: str) -> None:
        member = {"Queue": "support", "Name": "Ann", "Location": "PJSIP/1001", "Membership": "dynamic", **headers}
        self.members.append(("QueueMember", member))

    def moves_members(self, *events: str, stamp: str | None = STAMP) -> None:
        """QueueAdd, QueuePause and QueueRemove succeed and are followed by those of these events."""

        def answer(name: str, text: str) -> Any:
            def act(action: Headers) -> bytes:
                headers = {"Queue": action["Queue"], "Interface": action["Interface"]}
                headers |= {"Timestamp": stamp} if stamp else {}
                return success(text)(action) + event(name, **headers) * (name in events)

            return act

        def pause(action: Headers) -> bytes:
            real = answer("QueueMemberPause", "Interface paused successfully")
            return (real if "Queue" in action else error("Interface not found"))(action)

        self.answers["QueueAdd"] = answer("QueueMemberAdded", "Added interface to queue")
        self.answers["QueuePause"] = pause
        self.answers["QueueRemove"] = answer("QueueMemberRemoved", "Removed interface from queue")


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with Desk() as server:
        yield server


def settings_for(desk: FakeAsterisk, **handler: Any) -> Settings:
    main = {"port": desk.port, "secret": desk.secret, **handler}
    return Settings.model_validate({"handlers": {"main": main}})


def options(*, probe: bool = False, listen: float = 0.0) -> argparse.Namespace:
    return argparse.Namespace(probe=probe, listen=listen)


async def findings_of(desk: FakeAsterisk, *, probe: bool = False, **handler: Any) -> list[Finding]:
    settings = settings_for(desk, **handler).handlers["main"]
    return [finding async for finding in check.check("main", settings, options(probe=probe))]


def worse(findings: list[Finding]) -> list[str]:
    """What is not ok, less the remark that AST_CONFIG() reads everything."""
    lines = [finding.line("main") for finding in findings if finding.level != OK]
    return [line for line in lines if "by the function AST_CONFIG()" not in line]


async def only(desk: FakeAsterisk, **more: Any) -> str:
    """The one thing that is not ok."""
    [line] = worse(await findings_of(desk, **more))
    return line


# reaching Asterisk


async def test_a_site_that_lacks_nothing_passes(desk: Desk, capsys: pytest.CaptureFixture[str]):
    assert await check.run(settings_for(desk), options()) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"ok   main: logged in as acd at 127.0.0.1:{desk.port}, and it has booted"
    assert lines[-1] == f"0 failed, 1 warnings, {len(lines) - 2} ok"


async def test_a_check_changes_nothing(desk: Desk):
    await findings_of(desk)
    assert {"QueueAdd", "QueueRemove"}.isdisjoint(desk.names())
    assert [a["Interface"] for a in desk.received if a["Action"] == "QueuePause"] == [check.NOBODY]


async def test_no_answer_at_the_port_is_named(capsys: pytest.CaptureFixture[str]):
    async with Desk() as gone:
        settings = settings_for(gone)
    assert await check.run(settings, options()) == 1
    out = capsys.readouterr().out
    assert "cannot be reached" in out and "Connect call failed" in out
    assert out.endswith("1 failed, 0 warnings, 0 ok\n")


async def test_a_refused_log_in_is_named_without_the_secret(desk: Desk):
    line = await only(desk, secret="wrong horse")
    assert line.startswith("FAIL main: Asterisk refused the log-in: Authentication failed (user acd)")
    assert "manager.conf [acd]" in line and "wrong horse" not in line


async def test_a_missing_class_system_is_named(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(check, "BOOT_TIMEOUT", 0.05)
    desk.booted = False
    line = await only(desk)
    assert line.startswith("FAIL main: no FullyBooted") and "read = system," in line


async def test_a_link_that_is_lost_on_the_way_is_a_failure(desk: Desk):
    desk.answers["CoreShowChannels"] = lambda _: desk.cut() or b""  # type: ignore[func-returns-value]
    assert "could not be finished" in await only(desk)


async def test_where_phones_of_browsers_are_not_taken_is_a_hint(desk: Desk, tmp_path: Path):
    nowhere = {"sip_websocket": "ws://127.0.0.1:1/ws", "browser_phones_file": tmp_path / "browser_phones"}
    line = await only(desk, **nowhere)
    assert line.startswith("hint main: no phones of browsers are taken at ws://127.0.0.1:1/ws: ")
    assert "res_pjsip_transport_websocket.so" in line


async def test_where_they_are_taken_it_says_so(desk: Desk, tmp_path: Path):
    async def take(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("sip",))
        await socket.prepare(request)
        await socket.receive()
        return socket

    app = web.Application()
    app.router.add_get("/ws", take)
    async with TestServer(app) as server:
        there = str(server.make_url("/ws")).replace("http:", "ws:")
        found = await findings_of(desk, sip_websocket=there, browser_phones_file=tmp_path / "browser_phones")
    assert f"ok   main: phones of browsers are taken at {there}" in [each.line("main") for each in found]


async def test_a_secret_that_ami_cannot_carry_is_an_error_in_the_settings(desk: Desk):
    with pytest.raises(SettingsError, match=r"handlers\.main"):
        await check.run(settings_for(desk, secret="two\nlines"), options())


async def test_every_handler_is_checked(desk: Desk, capsys: pytest.CaptureFixture[str]):
    one = {"port": desk.port, "secret": desk.secret}
    settings = Settings.model_validate({"handlers": {"north": one, "south": one}})
    assert await check.run(settings, options()) == 0
    out = capsys.readouterr().out
    assert "ok   north: the clocks agree" in out and "ok   south: the clocks agree" in out


# version, rights, clocks


@pytest.mark.parametrize(
    ("version", "level"),
    [("22.10.1+dfsg", OK), ("GIT-23-abc", OK), ("20.11.0", FAIL), ("certified-20.7-cert4", FAIL), ("?", WARN)],
)
async def test_asterisk_must_be_22_or_later(desk: Desk, version: str, level: str):
    desk.answers["CoreSettings"] = response("Success", f"AsteriskVersion: {version}")
    [finding] = [f for f in await findings_of(desk) if version in f.what]
    assert finding.level == level


@pytest.mark.parametrize("action", ["CoreShowChannels", "DeviceStateList", "QueuePause"])
async def test_an_action_that_is_not_allowed_is_named_with_its_class(desk: Desk, action: str):
    desk.answers[action] = DENIED
    line = await only(desk)
    assert line.startswith(f"FAIL main: the AMI user acd may not use {action}")
    assert "write = agent,reporting" in line


@pytest.mark.parametrize(("action", "of_class"), [("Originate", "originate"), ("Hangup", "call")])
async def test_what_supervisors_cannot_do_is_a_hint_and_no_failure(
    desk: Desk, action: str, of_class: str, capsys: pytest.CaptureFixture[str]
):
    desk.answers[action] = DENIED
    line = await only(desk)
    assert line.startswith(f"hint main: the AMI user acd may not use {action} (class {of_class} is missing in write)")
    assert "write = call,agent,reporting,originate" in line
    assert await check.run(settings_for(desk), options()) == 0
    assert capsys.readouterr().out.endswith(" ok, 1 hints\n")


async def test_a_dialplan_that_cannot_take_a_caller_into_a_queue_by_its_name_is_a_hint(desk: Desk):
    desk.contexts = ["queues"]
    assert (await only(desk)).startswith("hint main: the dialplan has no context acd-queue")


async def test_that_supervisors_can_do_their_work_is_told(desk: Desk):
    findings = await findings_of(desk)
    assert [f.what for f in findings if f.level == OK and "supervisors" in f.what] == [
        "acd may do what supervisors ask for"
    ]
    assert not [f for f in findings if f.level == HINT]


async def test_a_module_that_is_not_loaded_is_named(desk: Desk):
    del desk.answers["DeviceStateList"]
    assert "modules.conf: load = res_manager_devicestate.so" in await only(desk)


async def test_an_asterisk_without_app_queue_is_named(desk: Desk):
    del desk.answers["QueueStatus"], desk.answers["QueuePause"]
    lines = worse(await findings_of(desk))
    assert sum("load = app_queue.so" in line for line in lines) == 2


async def test_a_read_class_that_is_missing_in_manager_conf_is_named(desk: Desk):
    desk.files["manager.conf,acd,read"] = "system, call ,user"
    line = await only(desk)
    assert "lacks class agent in read" in line


@pytest.mark.parametrize("read", ["all", "system,call,agent,dialplan", ""])
async def test_the_classes_that_will_do_are_not_complained_of(desk: Desk, read: str):
    desk.files["manager.conf,acd,read"] = read
    assert worse(await findings_of(desk)) == []


async def test_timestampevents_off_is_a_failure(desk: Desk):
    desk.files["manager.conf,general,timestampevents"] = ""
    assert "timestampevents = yes" in await only(desk)


async def test_clocks_that_differ_are_told(desk: Desk):
    desk.clock_ahead = -60.0
    assert "-60 s off" in await only(desk)


# queues


async def test_a_queue_of_the_settings_that_asterisk_does_not_have_is_named_with_a_guess(desk: Desk):
    line = await only(desk, queues={"Support": {"wrap_up": 5}})
    assert "queues.Support names queue 'Support'" in line and "did you mean support?" in line


async def test_a_queue_of_a_group_that_asterisk_does_not_have_is_named(desk: Desk):
    assert "groups.all names queue 'nights'" in await only(desk, groups={"all": {"queues": ["sales", "nights"]}})


@pytest.mark.parametrize(
    ("option", "value", "level"),
    [
        ("wrapuptime", "", WARN),
        ("wrapuptime", "30", WARN),
        ("joinempty", "strict", FAIL),
        ("joinempty", "no", FAIL),
        ("joinempty", "paused, invalid", FAIL),
        ("leavewhenempty", "yes", FAIL),
        ("leavewhenempty", "inuse", FAIL),
        ("ringinuse", "", WARN),
        ("autofill", "no", WARN),
        ("timeout", "0", WARN),
        ("retry", "", WARN),
    ],
)
async def test_an_option_that_does_not_suit_is_named_with_a_better_one(desk: Desk, option: str, value: str, level: str):
    desk.files[f"queues.conf,sales,{option}"] = value
    line = await only(desk)
    assert line.startswith(f"{level:<4} main: queue sales: {option} is {value or 'not set'};")
    assert f"queues.conf [sales]: {option} = " in line


@pytest.mark.parametrize(
    ("option", "value"), [("joinempty", "yes"), ("joinempty", "loose"), ("leavewhenempty", "no"), ("wrapuptime", "10")]
)
async def test_an_option_that_suits_is_not_complained_of(desk: Desk, option: str, value: str):
    desk.files[f"queues.conf,sales,{option}"] = value
    assert worse(await findings_of(desk)) == []


async def test_no_native_wrap_up_is_fine_where_acd_has_none_either(desk: Desk):
    desk.files["queues.conf,sales,wrapuptime"] = "0"
    assert worse(await findings_of(desk, queues={"sales": {"wrap_up": 0}})) == []


@pytest.mark.parametrize("option", ["shared_lastcall", "persistentmembers"])
async def test_an_option_for_all_queues_is_named(desk: Desk, option: str):
    desk.files[f"queues.conf,general,{option}"] = "no"
    assert f"queues.conf [general]: {option} = yes" in await only(desk)


async def test_a_queue_that_is_not_in_queues_conf_is_told(desk: Desk):
    desk.files = {place: value for place, value in desk.files.items() if ",sales," not in place}
    assert "sets nothing for queue sales" in await only(desk)


@pytest.mark.parametrize("answer", [DENIED, response("Success", "Variable: x", "Value: ")])
async def test_options_that_cannot_be_read_are_a_warning_only(desk: Desk, answer: Any):
    desk.answers["Getvar"] = answer
    line = await only(desk)
    assert line.startswith("warn main: the options in queues.conf cannot be read") and "docs/asterisk.md#queues" in line


# members and dialplan


@pytest.mark.parametrize(
    ("member", "told"),
    [
        ({"Membership": "static"}, "static members: PJSIP/1001 ('Ann' in support)"),
        ({"Location": "Local/1@in", "StateInterface": "Local/1@in"}, "no StateInterface"),
        ({"Location": "Local/1@in", "StateInterface": "PJSIP/1"}, "Local members: Local/1@in ('Ann' in support);"),
        ({"Name": "Ann|1"}, "names that Asterisk cannot store"),
        ({"Name": "n" * 80}, "names that Asterisk cannot store"),
    ],
)
async def test_a_member_in_the_way_is_told(desk: Desk, member: Headers, told: str):
    desk.with_member(**member)
    assert told in await only(desk)


async def test_many_members_make_a_short_line(desk: Desk):
    for number in range(8):
        desk.with_member(Location=f"PJSIP/{number}", Membership="static")
    assert "and 3 more" in await only(desk)


async def test_a_queue_in_the_dialplan_without_its_user_event_is_told(desk: Desk):
    desk.dialplan += [("601", "1", "UserEvent", "x,${QUEUESTATUS}"), ("601", "2", "Queue", "sales")]
    assert "after Queue() in 601@in priority 2;" in await only(desk)


async def test_a_dialplan_that_cannot_be_read_is_told(desk: Desk):
    desk.answers["ShowDialPlan"] = DENIED
    assert "no Queue() is found" in await only(desk)


# --probe


async def test_the_probe_shows_that_member_events_come_with_their_time(desk: Desk):
    desk.moves_members("QueueMemberAdded", "QueueMemberPause", "QueueMemberRemoved")
    remove = desk.answers["QueueRemove"]
    assert callable(remove)
    device = event("DeviceStateChange", Device="Queue:x", State="NOT_INUSE", Timestamp=STAMP)
    desk.answers["QueueRemove"] = lambda action: remove(action) + device
    findings = await findings_of(desk, probe=True)
    assert worse(findings) == []
    assert "probe: members' events arrive" in [finding.what for finding in findings]
    added = next(action for action in desk.received if action["Action"] == "QueueAdd")
    assert (added["Interface"], added["Paused"], added["Queue"]) == (check.NOBODY, "true", "support")


async def test_the_probe_names_the_events_that_do_not_come(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(check, "PROBE_TIMEOUT", 0.05)
    desk.moves_members("QueueMemberAdded", "QueueMemberRemoved", stamp=None)
    lines = worse(await findings_of(desk, probe=True))
    assert [line.partition(";")[0] for line in lines] == [
        "FAIL main: probe: did not arrive: QueueMemberPause",
        "warn main: probe: DeviceStateChange did not arrive",
        "FAIL main: probe: events carry no time",
    ]


async def test_the_probe_takes_its_member_out_again_whatever_happens(desk: Desk):
    desk.moves_members()
    desk.answers["QueueAdd"] = error("Unable to add interface: Already there")
    desk.answers["QueuePause"] = lambda a: (DENIED if "Queue" in a else error("Interface not found"))(a)
    assert "probe: a member cannot be moved in queue support: Permission denied" in await only(desk, probe=True)
    assert desk.names()[-1] == "QueueRemove"


# the documents


ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("file", ["docs/asterisk.md", "asterisk-conf/etc/manager.conf"])
def test_the_event_filters_let_everything_through_that_is_wanted(file: str):
    named = set(re.findall(r"eventfilter\(action\(include\),name\((\w+)\)", (ROOT / file).read_text()))
    assert named >= check.translate.TRANSLATORS.keys() - {"VarSet"}


def test_what_a_finding_points_to_in_the_documents_is_there():
    headings = re.findall(r"^#+ (.+)$", (ROOT / check.DOCS).read_text(), re.M)
    anchors = {heading.lower().replace(" ", "-") for heading in headings}
    assert set(re.findall(r"{DOCS}#([\w-]+)", Path(check.__file__).read_text())) <= anchors


# --listen


def recorded(name: str) -> list[Message]:
    """The events of a recording that the link would hand over."""
    messages = [Message(text.strip(b"\r\n").decode()) for text in Blocks(1 << 20).feed(received(name))]
    return [message for message in messages if message.event in check.translate.TRANSLATORS]


def after(*recordings: str, without: tuple[str, ...] = ()) -> tuple[Heard, list[str]]:
    """What is not ok after these recordings, with some events kept back."""
    heard = Heard()
    for message in [message for name in recordings for message in recorded(name)]:
        if message.event not in without:
            heard.take(message)
    return heard, worse(list(heard.findings()))


def test_an_answered_call_and_one_that_timed_out_are_everything_to_listen_for():
    heard, wrong = after("a-caller-hangs-up", "g-queue-timeout")
    assert heard.everything() and wrong == []


def test_a_call_alone_leaves_open_whether_the_dialplan_tells_why_callers_leave():
    heard, [line] = after("a-caller-hangs-up", without=("VarSet",))
    assert not heard.everything()
    assert line.startswith("warn main: listen: no caller left a queue without an agent")


def test_a_caller_who_hangs_up_need_not_be_explained():
    _, [line] = after("a-caller-hangs-up", "e-abandon-waiting", without=("VarSet",))
    assert "no caller left a queue" in line


def test_a_missing_user_event_is_noticed():
    _, [line] = after("a-caller-hangs-up", "g-queue-timeout", without=("VarSet",))
    assert line.startswith("warn main: listen: a caller left a queue and QUEUESTATUS was not told")


@pytest.mark.parametrize(
    ("name", "of_class"), [(name, of_class) for of_class, names in check.OF_A_CALL.items() for name in names]
)
def test_an_event_that_does_not_come_is_named_with_its_class(name: str, of_class: str):
    _, wrong = after("a-caller-hangs-up", "g-queue-timeout", without=(name,))
    assert wrong[0].startswith(f"FAIL main: listen: did not arrive: {name};") and f"class {of_class}" in wrong[0]


def test_an_agents_leg_that_does_not_enter_the_bridge_is_told():
    heard = Heard()
    messages = [*recorded("a-caller-hangs-up"), *recorded("g-queue-timeout")]
    leg = next(m.get("DestUniqueid") for m in messages if m.event == "AgentConnect")
    for message in messages:
        if (message.event, message.get("Uniqueid")) != ("BridgeEnter", leg):
            heard.take(message)
    [line] = worse(list(heard.findings()))
    assert line.startswith("FAIL main: listen: of the leg of ") and "did not come: BridgeEnter;" in line


def test_an_event_without_a_time_and_one_that_cannot_be_understood_are_told():
    heard = Heard()
    heard.take(Message("Event: QueueCallerJoin\r\nUniqueid: 1.1"))
    lines = worse(list(heard.findings()))
    assert any("events carry no time" in line for line in lines)
    assert any("QueueCallerJoin without Queue" in line for line in lines)


async def test_listening_ends_when_everything_has_come(desk: Desk, capsys: pytest.CaptureFixture[str]):
    run = asyncio.create_task(check.run(settings_for(desk), options(listen=30)))
    printed = ""

    def listening() -> bool:
        nonlocal printed
        printed += capsys.readouterr().out
        return "listening for 30 s" in printed

    await until(listening)
    for name in ("a-caller-hangs-up", "g-queue-timeout"):
        for message in recorded(name):
            desk.push(block(*str(message).split("\r\n")))
    assert await asyncio.wait_for(run, 5) == 0
    assert "listen: every event of a queue call arrived" in capsys.readouterr().out


async def test_listening_where_nobody_calls_fails(desk: Desk, capsys: pytest.CaptureFixture[str]):
    assert await check.run(settings_for(desk), options(listen=0.05)) == 1
    assert "listen: no event of a call came" in capsys.readouterr().out


async def test_a_link_lost_while_listening_is_told(desk: Desk):
    ear = Ear()
    listening = asyncio.create_task(check.listen(ear, 30))
    await until(lambda: ear.take is not None)
    ear.lose("Asterisk closed the connection")
    with pytest.raises(check.LinkError, match="closed the connection"):
        await listening
