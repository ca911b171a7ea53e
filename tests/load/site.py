"""What this Asterisk has beyond the project's own configuration: queues, the numbers that lead to them, phones, users.

All phones and all callers are SIPp on Asterisk's own loopback, so phones need no registration and no password.
"""

from pathlib import Path

QUEUES = 16
AGENTS = 640  # enough for 100 calls a second
FIRST_NUMBER, FIRST_PHONE = 700, 2001
PHONES_PORT = 5070
NUMBERS = "numbers.csv"  # for SIPp
TRACKER, PANEL, SECRET = "tracker", "panel", "only-for-this-bench"

EXTENSIONS = """\
; Answered when an agent answers.
[from-trunk](+)
exten => _7XX,1,Gosub(digits-of-caller,s,1)
 same => n,Gosub(queue,${EXTEN},1(q${EXTEN}))
 same => n,Hangup()
"""
USER = """\
[{name}]
secret = {secret}
deny = 0.0.0.0/0.0.0.0
permit = 127.0.0.0/255.0.0.0
permit = 10.0.0.0/255.0.0.0
permit = 172.16.0.0/255.240.0.0
permit = 192.168.0.0/255.255.0.0
writetimeout = 5000
read = {read}
write = {write}
"""
PHONE = """\
[{phone}](load-phone)
aors = {phone}
[{phone}]
type = aor
contact = sip:{phone}@127.0.0.1:{port}
"""


def phones() -> range:
    return range(FIRST_PHONE, FIRST_PHONE + AGENTS)


def numbers() -> range:
    return range(FIRST_NUMBER, FIRST_NUMBER + QUEUES)


def group_of(phone: int) -> str:
    """The queue, which is a group of its own."""
    return f"q{FIRST_NUMBER + phone % QUEUES}"


def write(folder: Path) -> None:
    """All of it, where docker-compose.yml mounts it."""
    folder.mkdir(parents=True, exist_ok=True)
    # Nobody comes in as such a phone: there is no address by which it could be known.
    template = "[load-phone](!,endpoint)\nidentify_by = ip\ncontext = from-phone\n"
    users = ((TRACKER, "system,call,agent,user", "system"), (PANEL, "", "reporting"))
    files = {
        "queues.conf": "".join(f"[q{number}](desk)\nstrategy = rrmemory\n" for number in numbers()),
        "extensions.conf": EXTENSIONS,
        "pjsip.conf": template + "".join(PHONE.format(phone=phone, port=PHONES_PORT) for phone in phones()),
        "manager.conf": "".join(USER.format(name=n, secret=SECRET, read=r, write=w) for n, r, w in users),
        NUMBERS: "SEQUENTIAL\n" + "".join(f"{number};5550{number};\n" for number in numbers()),
    }
    for name, text in files.items():
        (folder / name).write_text(text)
