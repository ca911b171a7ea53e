"""What a browser may say to Asterisk."""

import pytest

from acd.sip import may_pass


def message(start="INVITE sip:600@asterisk SIP/2.0", *, sender='"Alice" <sip:1101@asterisk>;tag=a', body="", **more):
    """A SIP message of the phone 1101; `more` headers win, None leaves one out."""
    headers = {"Via": "SIP/2.0/WSS x.invalid", "To": "<sip:600@asterisk>", "From": sender, "CSeq": "1 INVITE"}
    headers |= {"Content-Length": str(len(body.encode()))} | {
        name.replace("_", "-"): text for name, text in more.items()
    }
    lines = [start, *(f"{name}: {text}" for name, text in headers.items() if text is not None)]
    return "\r\n".join([*lines, "", body])


def passes(text: str) -> bool:
    return may_pass(text, {"1101"})


@pytest.mark.parametrize("method", ["REGISTER", "INVITE", "OPTIONS", "SUBSCRIBE", "MESSAGE", "CANCEL"])
def test_requests_of_the_own_user_pass(method):
    assert passes(message(f"{method} sip:asterisk SIP/2.0"))


def test_a_body_passes_with_its_length_in_bytes():
    assert passes(message(body="v=0\r\ns=Grüße\r\n"))


@pytest.mark.parametrize(
    "sender",
    [
        "<sip:1102@asterisk>;tag=a",
        "<sip:00491234567@asterisk>;tag=a",
        "<sip:trunk@asterisk>;tag=a",
        '"1101" <sip:1102@asterisk>',
        '"<sip:1101@asterisk>" <sip:1102@asterisk>',
        "sip:1102@asterisk",
        "<tel:1101>",
        "<sip:1101@a>, <sip:1102@b>",
        "<sip:asterisk>",
        "",
    ],
)
def test_a_request_of_another_sender_does_not(sender):
    assert not passes(message(sender=sender))


@pytest.mark.parametrize("method", ["BYE", "ACK", "INVITE", "REFER", "UPDATE", "INFO", "NOTIFY"])
def test_parts_of_a_dialog_pass_whoever_their_sender_is(method):
    text = message(f"{method} sip:asterisk SIP/2.0", sender="<sip:x7@y.invalid>;tag=b", To="<sip:555@asterisk>;tag=c")
    assert passes(text)


@pytest.mark.parametrize("method", ["REGISTER", "MESSAGE", "SUBSCRIBE", "OPTIONS"])
def test_what_is_of_no_dialog_gains_nothing_by_a_tag(method):
    text = message(f"{method} sip:asterisk SIP/2.0", sender="<sip:1102@asterisk>", To="<sip:1102@asterisk>;tag=c")
    assert not passes(text)


def test_answers_pass():
    assert passes(message("SIP/2.0 200 OK", sender="<sip:555@asterisk>;tag=a"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\r\n\r\n",
        "hello",
        message(Content_Length=None),
        message(Content_Length="5"),
        message() + message(sender="<sip:1102@asterisk>"),
        message(f="<sip:1102@asterisk>"),
        message(t="<sip:1102@asterisk>"),
        message(Subject="one\r\n two"),
        message(Subject="one\0two"),
        message().replace("\r\n", "\n"),
        message("INVITE sip:600@asterisk SIP/1.0"),
    ],
)
def test_what_asterisk_could_read_otherwise_does_not_pass(text):
    assert not passes(text)


def test_who_has_no_phone_may_say_nothing():
    assert not may_pass(message(), set())
