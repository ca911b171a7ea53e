"""What a phone in a browser may say to Asterisk: as the user whose phone it is, and as nobody else.

Asterisk takes who calls for the user that his From names, and whom it does not know by that for whoever has the
address that the message came from, which is acd's. So acd looks before it passes a message on.
"""

import re
from collections.abc import Collection

START = re.compile(r"([A-Z]+) sips?:\S+ SIP/2\.0|SIP/2\.0 [1-6]\d\d [^\r\n]*")
HEADER = re.compile(r"([A-Za-z0-9.!%*_+`'~-]+)[ \t]*:[ \t]*([^\r\n\0]*)")
SENDER = re.compile(r'(?:"(?:[^"\\]|\\.)*"[ \t]*|[^"<>]*)<sips?:([\w.+-]+)@[^<>]*>(?:;[^<>"]*)?', re.ASCII)
OF_A_DIALOG = re.compile(r">\s*;.*\btag=")
IN_DIALOG = frozenset({"ACK", "BYE", "CANCEL", "INFO", "INVITE", "NOTIFY", "PRACK", "REFER", "UPDATE"})


def may_pass(text: str, users: Collection[str]) -> bool:
    """One whole SIP message: an answer, a part of a dialog that Asterisk knows, or a request of one of these users.

    A dialog's parts may name another sender: who was called speaks by the address that was called. Asterisk refuses
    those of dialogs that it does not know.
    """
    head, end, body = text.partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    start, headers = START.fullmatch(first), [HEADER.fullmatch(line) for line in lines]
    if start is None or not end:
        return False
    named = [(each[1].lower(), each[2].strip()) for each in headers if each is not None]
    if len(named) < len(headers):  # a folded line hides what it is part of
        return False
    if _values(named, "content-length", "l") != [str(len(body.encode()))]:
        return False  # what is behind the body would be read as a message of its own
    return start[1] is None or _is_theirs(start[1], named, users)


def _is_theirs(method: str, named: list[tuple[str, str]], users: Collection[str]) -> bool:
    senders, receivers = _values(named, "from", "f"), _values(named, "to", "t")
    if len(senders) != 1 or len(receivers) != 1:
        return False
    if method in IN_DIALOG and OF_A_DIALOG.search(receivers[0]):
        return True
    sender = SENDER.fullmatch(senders[0])
    return sender is not None and sender[1] in users


def _values(named: list[tuple[str, str]], *names: str) -> list[str]:
    return [value for name, value in named if name in names]
