import itertools
from xml.etree import ElementTree

import pytest

from phones.calls import CallEvent, CallOrder
from phones.sipp import REFUSALS, SCENARIOS, hangup_request, render_caller, seconds_to_talk, to_event


def rendered(**order):
    return parsed(render_caller(CallOrder("600", **order)))


def parsed(scenario):
    return ElementTree.fromstring(scenario)


def test_the_scenario_names_the_caller():
    invite = rendered(caller="5551234", name="Ann Müller").find("send").text
    assert 'From: "Ann Müller" <sip:5551234@[local_ip]:[local_port]>' in invite


def test_nothing_is_left_to_fill_in():
    assert "${" not in render_caller(CallOrder("600"))


def test_every_refusal_is_logged_with_its_status():
    logged = {log.get("message") for log in rendered().iter("log")}
    assert {f"refused {status}" for status in REFUSALS} <= logged


@pytest.mark.parametrize("root", [rendered(), parsed((SCENARIOS / "callee.xml").read_text())])
def test_every_jump_has_a_place_to_land(root):
    labels = {label.get("id") for label in root.iter("label")}
    jumps = {step.get(key) for step in root for key in ("next", "ontimeout") if step.get(key)}
    assert jumps <= labels


@pytest.mark.parametrize("root", [rendered(), parsed((SCENARIOS / "callee.xml").read_text())])
def test_a_group_of_optional_messages_ends_with_one_that_is_not_and_has_its_time_limit_at_its_head(root):
    steps = [step for step in root if step.tag != "label"]
    for step, after in itertools.pairwise(steps):
        if step.get("optional"):
            assert after.tag == "recv"
            assert not after.get("timeout")


@pytest.mark.parametrize(
    ("line", "event"),
    [
        ("answered 200", CallEvent(5.0, "answered", 200)),
        ("refused 486\n", CallEvent(5.0, "refused", 486)),
        ("hung-up", CallEvent(5.0, "hung-up")),
        ("far-end", CallEvent(5.0, "far-end")),
        ("", None),
        ("The following events occurred:", None),
    ],
)
def test_a_log_line_is_an_event_or_nothing(line, event):
    assert to_event(line, 5.0) == event


@pytest.mark.parametrize(
    ("number", "seconds"),
    [("5550100", None), ("5550101", 1), ("5550197", 97), ("5550198", None), ("5550199", None), ("5", None)],
)
def test_the_last_two_digits_say_how_long_the_callee_talks(number, seconds):
    assert seconds_to_talk(number) == seconds


def test_the_request_to_hang_up_is_for_one_call_only():
    text = hangup_request("abc", "172.20.0.3:20000").decode()
    assert text.startswith("HANGUP sip:172.20.0.3:20000 SIP/2.0\r\n")
    assert "\r\nCall-ID: abc\r\n" in text
    assert text.endswith("\r\n\r\n")


def test_two_requests_to_hang_up_are_not_taken_for_one_sent_twice():
    assert hangup_request("abc", "x") != hangup_request("abc", "x")
