"""Settings: one TOML file, and ACD_ variables that win over it. What is wrong is named with where it stands."""

import os
import re
import socket
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    SecretStr,
    ValidationError,
    WithJsonSchema,
    field_validator,
)

from acd.core.members import OWN_REASONS

MOST_BYTES = 79  # app_queue keeps names and reasons in 80 bytes
# Asterisk takes them in any case and shows them so; one phone must not have two names.
TECHNOLOGIES = {name.lower(): name for name in ("PJSIP", "SIP", "IAX2", "DAHDI", "Local")}
Network = IPv4Network | IPv6Network
FORBIDDEN = {"\r": "CR", "\n": "LF", "\0": "NUL", ",": ",", "|": "|", ";": ";"}


def plain_text(value: str) -> str:
    """Text that Asterisk stores whole: at most 79 bytes of UTF-8 without CR, LF, NUL and , | ; — else ValueError."""
    for character, name in FORBIDDEN.items():
        if character in value:
            raise ValueError(f"must not contain {name}")
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise ValueError("must be valid UTF-8") from None
    if size > MOST_BYTES:
        raise ValueError(f"must not be longer than {MOST_BYTES} bytes, and has {size}")
    return value


def a_name(value: str) -> str:
    """Plain text that can be told apart from others: not empty, no blanks around it, no control characters."""
    if not value.strip() or value != value.strip():
        raise ValueError("must not be empty or have blanks around it")
    if not value.isprintable():
        raise ValueError("must not contain control characters")
    return plain_text(value)


def a_reason(value: str) -> str:
    """Plain text, or none; blanks around it are dropped, as Asterisk would drop them."""
    value = plain_text(value).strip(" ")
    if not value.isprintable():
        raise ValueError("must not contain control characters")
    return value


def not_our_own(value: str) -> str:
    """A pause with one of acd's own reasons would be taken for its work."""
    if value in OWN_REASONS:
        raise ValueError(f"must not be {value!r}: acd pauses agents by that name itself")
    return value


def an_address(value: str) -> str:
    """A device such as PJSIP/1001, as Asterisk writes it."""
    if not re.fullmatch(r"[A-Za-z0-9_]+/[^\s/][^\s]*", a_name(value)):
        raise ValueError("must be a device such as PJSIP/1001")
    technology, _, rest = value.partition("/")
    return f"{TECHNOLOGIES.get(technology.lower(), technology)}/{rest}"


def of_format(name: str) -> WithJsonSchema:
    """A text for which JSON Schema has no words: bytes of UTF-8 cannot be counted there."""
    return WithJsonSchema({"type": "string", "format": name})


Name = Annotated[str, AfterValidator(a_name), of_format("acd-name")]
Reason = Annotated[str, AfterValidator(a_reason), AfterValidator(not_our_own), of_format("acd-reason")]
Address = Annotated[str, AfterValidator(an_address), of_format("acd-address")]


def a_number(value: Any) -> Any:
    """Anything but true and false, which Python takes for 1 and 0; 60.0 is the whole number 60, as in JSON."""
    if isinstance(value, bool):
        raise ValueError("must be a number")
    return int(value) if isinstance(value, float) and value.is_integer() else value


def a_secret(value: SecretStr) -> SecretStr:
    """Not blank: an empty secret would let everybody in."""
    if not value.get_secret_value().strip():
        raise ValueError("must not be empty")
    try:
        value.get_secret_value().encode()
    except UnicodeEncodeError:  # bytes of a variable that are not UTF-8
        raise ValueError("must be valid UTF-8") from None
    return value


def a_host(value: str) -> str:
    """What can be looked up."""
    try:
        value.encode("idna")
    except UnicodeError:
        raise ValueError("must be the name or the address of a host") from None
    if not value.isprintable():
        raise ValueError("must not contain control characters")
    return value


def a_path(value: Path) -> Path:
    """What the system takes for the name of a file."""
    if "\0" in str(value):
        raise ValueError("must not contain NUL")
    return value


def a_websocket(value: str) -> str:
    """Where a WebSocket is taken, or empty for nowhere."""
    host = r"([A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[[0-9a-f:.]+\])"
    found = re.fullmatch(rf"wss?://{host}(:(?P<port>[0-9]{{1,5}}))?(/[\w./~-]*)?", value, re.ASCII)
    if value and (found is None or int(found["port"] or 1) not in range(1, 65536)):
        raise ValueError("must be the address of a WebSocket such as ws://asterisk:8088/ws")
    return value


def a_node_url(value: str) -> str:
    """Where other nodes reach this one, or empty for one that is alone."""
    if value and not re.fullmatch(r"https?://([A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?/?", value, re.ASCII):
        raise ValueError("must be an address such as http://node-1:8080")
    return value


def some(value: Any) -> Any:
    """A list; in a variable its items stand between commas."""
    return [each.strip() for each in value.split(",") if each.strip()] if isinstance(value, str) else value


def an_origin(value: str) -> str:
    """What a browser sends as Origin: https://board.example or http://10.0.0.5:3000, and nothing else."""
    if not re.fullmatch(r"https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]+)?", value):
        raise ValueError("must be an origin as browsers send it, such as https://board.example")
    scheme, _, rest = value.partition("://")
    return f"{scheme}://{rest.removesuffix(':443' if scheme == 'https' else ':80')}"


def a_network(value: Any) -> Network:
    """An address or a network."""
    try:
        if isinstance(value, str):
            return ip_network(value)
    except ValueError:
        pass
    raise ValueError("must be an address or a network such as 10.1.0.0/16")


Seconds = Annotated[float, Field(ge=0, le=86400, allow_inf_nan=False), BeforeValidator(a_number)]
Period = Annotated[int, Field(gt=0, lt=2**31), BeforeValidator(a_number)]
Days = Annotated[int, BeforeValidator(a_number), Field(ge=0, le=36500)]
Hours = Annotated[int, BeforeValidator(a_number), Field(ge=1, le=8760)]
Port = Annotated[int, BeforeValidator(a_number), Field(gt=0, lt=65536)]
Secret = Annotated[SecretStr, AfterValidator(a_secret)]
Origins = Annotated[list[Annotated[str, AfterValidator(an_origin)]], BeforeValidator(some)]
Networks = Annotated[list[Annotated[Network, PlainValidator(a_network)]], BeforeValidator(some)]
Host = Annotated[str, AfterValidator(a_host)]
File = Annotated[Path, AfterValidator(a_path)]
NodeUrl = Annotated[str, AfterValidator(a_node_url)]
SipWebsocket = Annotated[str, AfterValidator(a_websocket)]


ServiceLevel = Literal[
    "service_level_of_answered",
    "service_level_of_offered",
    "service_level_ignoring_early_abandons",
    "service_level_with_early_abandons",
]
Limit = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False), BeforeValidator(a_number)]


def _rising(limits: tuple[float, float]) -> tuple[float, float]:
    if limits[0] > limits[1]:
        raise ValueError("the second value must not be below the first: there it is worse")
    return limits


def _falling(limits: tuple[float, float]) -> tuple[float, float]:
    if limits[0] < limits[1]:
        raise ValueError("the second value must not be above the first: there it is worse")
    return limits


class SettingsError(Exception):
    """The settings cannot be used; the message says which one, where, and why."""


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AgentSettings(Section):
    """An agent to be made at start-up if he is not there."""

    id: Name
    user: Name
    pin: Secret
    wrap_up: Seconds | None = None


class QueueSettings(Section):
    wrap_up: Seconds | None = None
    disposition_required: bool = False


class GroupSettings(Section):
    queues: list[Name] = Field(min_length=1)


class HandlerSettings(Section):
    """One Asterisk server."""

    host: Host = "127.0.0.1"
    port: Port = 5038
    username: str = "acd"
    secret: Secret | None = None
    secret_file: File | None = None
    tls: bool = False
    queue_log: File | None = None
    cel: File | None = None
    sip_websocket: SipWebsocket = ""
    browser_phones_file: File | None = None
    addresses: list[str] = ["*"]
    state_interfaces: dict[str, str] = {}
    wrap_up: Seconds = 10.0
    measurement_period: Period = 86400
    measurement: Literal["restarting", "sliding"] = "restarting"
    overall_call_rate_scale: Literal[1, 10] = 1
    missed_calls: Annotated[int, BeforeValidator(a_number), Field(ge=0, le=1000)] = 0
    confirm_within: Annotated[float, BeforeValidator(a_number), Field(gt=0, le=120)] = 5.0
    transfer_context: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,79}$")] = "acd-queue"
    ring_supervisors_for: Annotated[float, BeforeValidator(a_number), Field(ge=1, le=120)] = 20.0
    dispositions: dict[Name, str] = {}
    reasons: list[Reason] = []
    queues: dict[Name, QueueSettings] = {}
    groups: dict[Name, GroupSettings] = {}
    agents: list[AgentSettings] = []

    @field_validator("state_interfaces")
    @classmethod
    def _one_star(cls, phones: dict[str, str]) -> dict[str, str]:
        for pattern, phone in phones.items():
            if pattern.count("*") > 1 or phone.count("*") > pattern.count("*"):
                raise ValueError(f"{pattern!r}: may hold one *, which its phone may repeat once")
            an_address(phone)
        return phones

    @field_validator("agents")
    @classmethod
    def _each_once(cls, agents: list[AgentSettings]) -> list[AgentSettings]:
        for what in ("id", "user"):
            names = [getattr(agent, what) for agent in agents]
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None:
                raise ValueError(f"two agents have the {what} {twice!r}")
        return agents


Rising = Annotated[tuple[Limit, Limit], AfterValidator(_rising)]
Falling = Annotated[tuple[Limit, Limit], AfterValidator(_falling)]


class TargetSettings(Section):
    """Of the wallboard: a figure needs attention from the first value on, and is bad from the second on."""

    service_level: Falling = (0.8, 0.7)
    waiting: Rising = (5, 10)
    longest_wait: Rising = (60, 120)
    abandoned: Rising = (0.05, 0.1)
    ready: Falling = (1, 0)


class WallboardSettings(Section):
    threshold: Seconds = 20.0
    definition: ServiceLevel = "service_level_of_offered"
    targets: TargetSettings = TargetSettings()


class WebSettings(Section):
    host: Host = "127.0.0.1"
    port: Annotated[int, BeforeValidator(a_number), Field(ge=0, lt=65536)] = 8080  # 0: any that is free
    token: Secret | None = None
    token_file: File | None = None
    tls_certificate: File | None = None
    tls_key: File | None = None
    cors_origins: Origins = []
    trusted_proxies: Networks = []
    wallboard: WallboardSettings = WallboardSettings()
    most_connections: Annotated[int, BeforeValidator(a_number), Field(ge=20, le=100_000)] = 5_000


class StoreSettings(Section):
    url: Secret = SecretStr("sqlite:///acd.db")  # it may hold a password
    keep_events_days: Days = 0  # 0: for ever
    keep_calls_days: Days = 0
    keep_commands_days: Days = 0
    keep_stream_hours: Hours = 24


class NodeSettings(Section):
    """This acd among several on one PostgreSQL database; without an address it is alone."""

    name: Name = Field(default_factory=socket.gethostname)
    url: NodeUrl = ""


class LogSettings(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class Settings(Section):
    """Everything `acd` can be told."""

    handlers: dict[Name, HandlerSettings] = Field(default={"main": HandlerSettings()}, min_length=1)
    web: WebSettings = WebSettings()
    store: StoreSettings = StoreSettings()
    node: NodeSettings = Field(default_factory=NodeSettings)
    log: LogSettings = LogSettings()


VARIABLES: dict[str, tuple[str, ...]] = {  # variable -> where its value goes
    "ACD_AMI_HOST": ("handlers", "main", "host"),
    "ACD_AMI_PORT": ("handlers", "main", "port"),
    "ACD_AMI_USERNAME": ("handlers", "main", "username"),
    "ACD_AMI_SECRET": ("handlers", "main", "secret"),
    "ACD_AMI_SECRET_FILE": ("handlers", "main", "secret_file"),
    "ACD_AMI_TLS": ("handlers", "main", "tls"),
    "ACD_QUEUE_LOG": ("handlers", "main", "queue_log"),
    "ACD_CEL": ("handlers", "main", "cel"),
    "ACD_SIP_WEBSOCKET": ("handlers", "main", "sip_websocket"),
    "ACD_BROWSER_PHONES_FILE": ("handlers", "main", "browser_phones_file"),
    "ACD_WRAP_UP": ("handlers", "main", "wrap_up"),
    "ACD_MEASUREMENT_PERIOD": ("handlers", "main", "measurement_period"),
    "ACD_WEB_HOST": ("web", "host"),
    "ACD_WEB_PORT": ("web", "port"),
    "ACD_WEB_MOST_CONNECTIONS": ("web", "most_connections"),
    "ACD_API_TOKEN": ("web", "token"),
    "ACD_API_TOKEN_FILE": ("web", "token_file"),
    "ACD_WEB_TLS_CERTIFICATE": ("web", "tls_certificate"),
    "ACD_WEB_TLS_KEY": ("web", "tls_key"),
    "ACD_WEB_CORS_ORIGINS": ("web", "cors_origins"),
    "ACD_WEB_TRUSTED_PROXIES": ("web", "trusted_proxies"),
    "ACD_DATABASE_URL": ("store", "url"),
    "ACD_NODE_NAME": ("node", "name"),
    "ACD_NODE_URL": ("node", "url"),
    "ACD_KEEP_EVENTS_DAYS": ("store", "keep_events_days"),
    "ACD_KEEP_CALLS_DAYS": ("store", "keep_calls_days"),
    "ACD_KEEP_COMMANDS_DAYS": ("store", "keep_commands_days"),
    "ACD_KEEP_STREAM_HOURS": ("store", "keep_stream_hours"),
    "ACD_LOG_LEVEL": ("log", "level"),
    "ACD_LOG_FORMAT": ("log", "format"),
}
PAIRS = {"secret": "secret_file", "secret_file": "secret", "token": "token_file", "token_file": "token"}
OTHERS = frozenset({"ACD_CONFIG", "ACD_URL"})  # read by the command line
COMPOSE = re.compile(
    r"ACD_(ASTERISK_|BIND|PORT|SECOND_|SIP_PORT|SIP_SECRET|BROWSER_PHONES$|TRUNK_|EXTERNAL_|LOCAL_|RTP_|PHONE|CALLER|SOFTPHONE|DEMO|POSTGRES_|AMI_PERMIT|AMI_BIND)"
)


def load(path: Path | None, environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of the file (if any) and the environment. Raises SettingsError."""
    tree = _read(path) if path is not None else {}
    places = _overlay(tree, environment)
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        errors = error.errors()
        # a misspelt key is the cause where the right one is missing beside it
        first = next((each for each in errors if each["type"] == "extra_forbidden"), errors[0])
        raise SettingsError(_sentence(first, path, places)) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    except RecursionError:
        raise SettingsError(f"{path}: is not valid TOML: nested too deeply") from None
    except ValueError as error:  # no TOML, no UTF-8, or a number of thousands of digits
        raise SettingsError(f"{path}: is not valid TOML: {_one_line(str(error))}") from None


def _overlay(tree: dict[str, Any], environment: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    """Lays the variables over the file's values; returns which variable filled which place."""
    places: dict[tuple[str, ...], str] = {}
    for variable, value in sorted(environment.items(), reverse=True):  # of a pair the secret itself comes last and wins
        if not variable.startswith("ACD_") or variable in OTHERS or COMPOSE.match(variable):
            continue
        if variable not in VARIABLES:
            raise SettingsError(f"environment: there is no setting {_one_line(variable)}{_did_you_mean(variable)}")
        if value:
            *section, key = VARIABLES[variable]
            if key in PAIRS:  # the variable stands for the secret, however the file gives it
                _take(tree, (*section, PAIRS[key]))
            _put(tree, VARIABLES[variable], value)
            places[VARIABLES[variable]] = variable
    return places


def _take(tree: Any, place: tuple[str, ...]) -> None:
    for key in place[:-1]:
        tree = tree.get(key, {}) if isinstance(tree, dict) else {}
    if isinstance(tree, dict):
        tree.pop(place[-1], None)


def _did_you_mean(variable: str) -> str:
    near = get_close_matches(variable, VARIABLES, n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def _put(tree: dict[str, Any], place: tuple[str, ...], value: str) -> None:
    for key in place[:-1]:
        tree = tree.setdefault(key, {})
        if not isinstance(tree, dict):
            return  # a section that is none; it is refused as such
    tree[place[-1]] = value


def _sentence(error: Any, path: Path | None, places: dict[tuple[str, ...], str]) -> str:
    place = tuple(str(part) for part in error["loc"])
    unknown = error["type"] == "extra_forbidden"
    reason = "there is no such setting" if unknown else _one_line(error["msg"].removeprefix("Value error, "))
    key = _one_line(".".join(place))
    variable = places.get(place) or places.get(place[:-1])  # also of one item in a list
    if variable is not None:
        return f"environment: {variable}: {reason}"
    return f"{path or 'settings'}: {key}: {reason}"


def _one_line(text: str) -> str:
    """The text as a terminal and a log can show it: a key may hold anything."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def secret_of(value: SecretStr | None, file: Path | None, what: str) -> str:
    """A secret given as such or in a file. Raises SettingsError when it is neither, or the file is empty."""
    if value is not None:
        return value.get_secret_value()
    if file is None:
        raise SettingsError(f"{what}: is not set, and there is no default")
    try:
        secret = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{what}: {file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{what}: {file} is not UTF-8 text") from None
    if not secret:
        raise SettingsError(f"{what}: {file} is empty")
    return secret
