"""Whatever stands in the file and the environment: settings, or one line about what is wrong, and never a secret."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.serve import api_token, login_of, serve
from acd.settings import COMPOSE, OTHERS, VARIABLES, HandlerSettings, Settings, SettingsError, WebSettings, load

Read = TypeVar("Read")
SECRET = "hunter-2-secret"


def quoted(text: str) -> str:
    """A TOML string or key of any text."""
    odd = (f"\\U{ord(each):08X}" if not each.isprintable() or each in '"\\' else each for each in text)
    return f'"{"".join(odd)}"'


KEYS = sorted(
    {*Settings.model_fields, *HandlerSettings.model_fields, *WebSettings.model_fields, "url", "level", "format"}
)
KEY = st.sampled_from([*KEYS, "main", "second", "support", "id", "user", "pin"]) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=5
)
WORDS = st.sampled_from(
    ["", " ", "PJSIP/*", "a,b", "1001", "\0", "\n", "é" * 50, "..", "x" * 300, "::1", "%00", "true"]
)
SCALARS = (
    st.none().map(lambda _: "''")
    | st.integers().map(str)
    | st.floats().map(repr)
    | st.sampled_from(
        ["true", "false", "1979-05-27", "07:32:00", "1979-05-27T07:32:00-23:59", "9" * 5000, "0x" + "f" * 99]
    )
    | (WORDS | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)).map(quoted)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(KEY, inner, max_size=3).map(
            lambda table: "{" + ", ".join(f"{quoted(key)} = {value}" for key, value in table.items()) + "}"
        )
    ),
    max_leaves=6,
)
SECTIONS = st.sampled_from(
    [
        *("", "[handlers.main]", "[handlers.second]", "[handlers.main.queues.support]", "[handlers.main.groups.first]"),
        *("[[handlers.main.agents]]", "[handlers.main.state_interfaces]", "[web]", "[store]", "[log]", "[handlers]"),
    ]
)
LINES = st.builds(lambda key, value: f"{quoted(key)} = {value}", KEY, VALUES)
FILES = st.lists(SECTIONS | LINES, max_size=8).map("\n".join)


def read(load_it: Callable[[], Read]) -> Read | None:
    """What was read; None where it is refused in one plain line."""
    try:
        return load_it()
    except SettingsError as error:
        assert str(error).isprintable()
        assert len(str(error)) > 10
        assert SECRET not in str(error)
        return None


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("settings") / "acd.toml"


@given(content=st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_settings_or_one_line(file: Path, content: bytes):
    file.write_bytes(content)
    read(lambda: load(file, {}))


@given(text=FILES)
def test_any_toml_is_settings_or_one_line(file: Path, text: str):
    file.write_text(text, encoding="utf-8")
    settings = read(lambda: load(file, {}))
    if settings is not None:
        for name, handler in settings.handlers.items():
            read(lambda name=name, handler=handler: login_of(name, handler))


PLACES = st.sampled_from(
    [
        *(
            "[handlers.main]\nsecret = {}",
            "[handlers.main]\nport = {}",
            "[handlers.main]\nmore = {}",
            "[web]\ntoken = {}",
        ),
        *("[web]\nhost = 5\ntoken = {}", "[store]\nurl = {}", "[handlers.main]\nsecret = {}\nsecret = 1", "token = {}"),
        *(
            "[[handlers.main.agents]]\nid = '1'\nuser = 'a'\npin = {}",
            "[[handlers.main.agents]]\npin = {}",
            "[web]\nport = {}",
        ),
    ]
)
WRAPPED = st.sampled_from(["'{}'", "['{}']", "{{x = '{}'}}", "'{}", '"{}\\q"', "'{}' x", "[['{}'], 5]"])


@given(place=PLACES, wrapped=WRAPPED, variable=st.sampled_from([*VARIABLES, "ACD_TYPO"]))
def test_a_secret_in_any_place_is_in_no_refusal(file: Path, place: str, wrapped: str, variable: str):
    file.write_text(place.format(wrapped.format(SECRET)), encoding="utf-8")
    read(lambda: load(file, {}))
    read(lambda: load(file, {variable: SECRET}))


NAMES = st.sampled_from([*VARIABLES, *OTHERS]) | st.text(max_size=6).map(lambda text: f"ACD_{text}")
CONTENT = st.sampled_from(["0", "1e999", "9" * 5000, "nan", "true", "\udcff", "/", "x" * 5000, "::"]) | st.text(
    max_size=8
)


@given(environment=st.dictionaries(NAMES, CONTENT, max_size=4))
def test_any_environment_is_settings_or_one_line_that_names_a_variable(environment: dict[str, str]):
    try:
        load(None, environment)
    except SettingsError as error:
        assert str(error).isprintable()
        assert re.match(r"environment: (there is no setting )?ACD_", str(error))
        assert not all(name in OTHERS or COMPOSE.match(name) for name in environment)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a = " + "[" * 5000, "nested too deeply"),
        ("a = " + "{a = " * 3000, "nested too deeply"),
        ("[handlers.main]\nport = " + "9" * 5000, "integer"),
        ('"a\\nb" = 1', r"a\nb: there is no such setting"),
        ('[handlers.main]\nsecret_file = "a\\u0000"', "handlers.main.secret_file: must not contain NUL"),
        ('[web]\ntoken_file = "a\\u0000"', "web.token_file: must not contain NUL"),
        ('[web]\nhost = "a..b"', "web.host: must be the name or the address of a host"),
        (f"[handlers.main]\nhost = '{'x' * 64}'", "handlers.main.host: must be the name or the address of a host"),
        ('[handlers.main]\nhost = "a\\u0000"', "handlers.main.host: must not contain control characters"),
        (
            '[handlers.main.state_interfaces]\n"Local/*" = "PJSIP/*\\r\\nAction: x"',
            "handlers.main.state_interfaces: must not contain control characters",
        ),
    ],
    ids=lambda text: text[:40],
)
def test_what_once_ended_in_a_traceback_is_named(file: Path, text: str, what: str):
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as refused:
        load(file, {})
    assert what in str(refused.value)


def test_a_token_that_is_no_text_is_refused_and_not_met_by_every_request():
    with pytest.raises(SettingsError, match="environment: ACD_API_TOKEN: must be valid UTF-8"):
        load(None, {"ACD_API_TOKEN": "\udcff"})


def test_a_token_file_whose_name_is_too_long_is_named():
    with pytest.raises(SettingsError, match=r"web\.token: x+ cannot be read: File name too long"):
        api_token(WebSettings(token_file=Path("x" * 5000)), "sqlite://")


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://acd:{SECRET}@db:{SECRET}/acd",
        f"postgresql://acd:a/{SECRET}@db/acd",
        f"sqlite:////tmp/\0{SECRET}",
        f"sqlite:///?timeout={SECRET}",
        f"mysql://[{SECRET}/x",
        SECRET,
    ],
)
def test_the_address_of_a_database_is_refused_without_being_told(url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("os.umask", lambda _: 0)  # of this process
    settings: Any = Settings.model_validate({"store": {"url": url}})
    with pytest.raises(SettingsError, match=r"^store\.url: the database cannot be opened: ") as refused:
        asyncio.run(serve(settings))
    assert SECRET not in str(refused.value)
