"""Settings: the file, the variables over it, and every wrong one named with where it stands."""

import re
from pathlib import Path

import pytest

from acd.serve import api_token, login_of
from acd.settings import PAIRS, VARIABLES, SettingsError, WebSettings, an_address, load, secret_of

ROOT = Path(__file__).parent.parent
FULL = """
[handlers.main]
host = "pbx.example"
port = 5039
username = "desk"
secret = "from the file"
addresses = ["PJSIP/1*"]
wrap_up = 12.5
measurement_period = 3600
confirm_within = 3

[handlers.main.queues.support]
wrap_up = 20

[handlers.main.groups.first]
queues = ["support", "sales"]

[[handlers.main.agents]]
id = "1001"
user = "alice"
pin = "4711"

[handlers.second]
secret = "another"

[web]
host = "0.0.0.0"
port = 8081
token = "the token"
tls_certificate = "/etc/acd/certificate.pem"
tls_key = "/etc/acd/key.pem"
cors_origins = ["https://board.example", "http://10.0.0.5:3000"]
trusted_proxies = ["127.0.0.1", "10.1.0.0/16", "::1"]

[store]
url = "sqlite:////tmp/x.db"
keep_events_days = 30
keep_calls_days = 400
keep_commands_days = 500

[log]
level = "debug"
format = "json"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "acd.toml"


def refusal(file: Path, text: str = "", environment: dict[str, str] | None = None) -> str:
    """What is said when these settings are refused: one line."""
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as refused:
        load(file, environment or {})
    assert "\n" not in str(refused.value)
    return str(refused.value)


# What is right


def test_without_anything_there_are_defaults_for_everything_but_secrets():
    settings = load(None, {})
    main = settings.handlers["main"]
    assert list(settings.handlers) == ["main"]
    assert (main.host, main.port, main.username, main.secret) == ("127.0.0.1", 5038, "acd", None)
    assert (main.wrap_up, main.measurement_period, main.confirm_within, main.tls) == (10.0, 86400, 5.0, False)
    assert (main.queues, main.groups, main.agents) == ({}, {}, [])
    assert (settings.web.host, settings.web.port, settings.web.token) == ("127.0.0.1", 8080, None)
    assert (settings.web.tls_certificate, settings.web.tls_key) == (None, None)
    assert (settings.web.cors_origins, settings.web.trusted_proxies) == ([], [])
    assert (settings.log.level, settings.log.format) == ("info", "text")
    assert settings.store.url.get_secret_value() == "sqlite:///acd.db"
    assert (settings.store.keep_events_days, settings.store.keep_calls_days) == (0, 0)
    assert (settings.store.keep_commands_days, settings.store.keep_stream_hours) == (0, 24)


def test_everything_can_stand_in_the_file(file):
    file.write_text(FULL)
    settings = load(file, {})
    main = settings.handlers["main"]
    assert (main.host, main.port, main.wrap_up) == ("pbx.example", 5039, 12.5)
    assert login_of("main", main).secret == "from the file"
    assert main.queues["support"].wrap_up == 20
    assert main.groups["first"].queues == ["support", "sales"]
    assert (main.agents[0].id, main.agents[0].pin.get_secret_value()) == ("1001", "4711")
    assert list(settings.handlers) == ["main", "second"]
    assert (settings.web.port, settings.log.format) == (8081, "json")
    assert settings.store.url.get_secret_value() == "sqlite:////tmp/x.db"
    assert (settings.store.keep_events_days, settings.store.keep_calls_days) == (30, 400)
    assert settings.store.keep_commands_days == 500
    assert settings.web.tls_certificate == Path("/etc/acd/certificate.pem")
    assert settings.web.tls_key == Path("/etc/acd/key.pem")
    assert settings.web.cors_origins == ["https://board.example", "http://10.0.0.5:3000"]
    assert [str(each) for each in settings.web.trusted_proxies] == ["127.0.0.1/32", "10.1.0.0/16", "::1/128"]


VALUES = {
    "ACD_AMI_HOST": "elsewhere",
    "ACD_AMI_PORT": "5040",
    "ACD_AMI_USERNAME": "somebody",
    "ACD_AMI_SECRET": "from the variable",
    "ACD_AMI_SECRET_FILE": "/run/secret",
    "ACD_AMI_TLS": "true",
    "ACD_QUEUE_LOG": "/var/log/asterisk/queue_log",
    "ACD_CEL": "/var/log/asterisk/cel-custom/acd.csv",
    "ACD_SIP_WEBSOCKET": "ws://asterisk:8088/ws",
    "ACD_BROWSER_PHONES_FILE": "/run/secrets-acd/browser_phones",
    "ACD_WRAP_UP": "7.5",
    "ACD_MEASUREMENT_PERIOD": "60",
    "ACD_WEB_HOST": "::1",
    "ACD_WEB_PORT": "0",
    "ACD_WEB_MOST_CONNECTIONS": "700",
    "ACD_API_TOKEN": "another token",
    "ACD_API_TOKEN_FILE": "/run/token",
    "ACD_WEB_TLS_CERTIFICATE": "/run/certificate.pem",
    "ACD_WEB_TLS_KEY": "/run/key.pem",
    "ACD_WEB_CORS_ORIGINS": "https://one.example,https://two.example",
    "ACD_WEB_TRUSTED_PROXIES": "172.16.0.0/12,fd00::/8",
    "ACD_DATABASE_URL": "sqlite:////elsewhere.db",
    "ACD_KEEP_EVENTS_DAYS": "7",
    "ACD_KEEP_CALLS_DAYS": "90",
    "ACD_KEEP_COMMANDS_DAYS": "60",
    "ACD_KEEP_STREAM_HOURS": "48",
    "ACD_NODE_NAME": "node-1",
    "ACD_NODE_URL": "http://node-1:8080",
    "ACD_LOG_LEVEL": "error",
    "ACD_LOG_FORMAT": "text",
}


def test_there_is_a_value_for_every_variable_here():
    assert VALUES.keys() == VARIABLES.keys()


@pytest.mark.parametrize("variable", VALUES)
@pytest.mark.parametrize("text", ["", FULL], ids=["no file", "a file"])
def test_a_variable_wins_over_the_file_and_changes_nothing_else(file, variable, text):
    file.write_text(text)
    before, after = load(file, {}), load(file, {variable: VALUES[variable]})
    value, others = after, before.model_dump()
    for key in VARIABLES[variable]:
        value = value[key] if isinstance(value, dict) else getattr(value, key)
    plain = value.get_secret_value() if hasattr(value, "get_secret_value") else value
    plain = ",".join(map(str, plain)) if isinstance(plain, list) else plain
    assert str(plain).lower() == VALUES[variable].lower()
    *place, last = VARIABLES[variable]
    for key in place:
        others = others[key]
    others[last] = value
    if last in PAIRS:
        others[PAIRS[last]] = None  # a secret is given in one way
    assert after.model_dump() == before.model_dump() | {place[0]: after.model_dump()[place[0]]}
    now = after.model_dump()
    for key in place:
        now = now[key]
    assert now == others


def test_an_origin_is_kept_as_a_browser_writes_it():
    settings = load(None, {"ACD_WEB_CORS_ORIGINS": " https://a.example:443 , http://b.example:80, http://[::1]:8000,"})
    assert settings.web.cors_origins == ["https://a.example", "http://b.example", "http://[::1]:8000"]


def test_an_empty_variable_counts_as_none(file):
    file.write_text(FULL)
    assert load(file, dict.fromkeys(VARIABLES, "")) == load(file, {})


def test_variables_of_other_programs_do_not_matter():
    assert load(None, {"PATH": "/bin", "XACD_PORT": "1", "acd_ami_port": "x"}) == load(None, {})


def test_no_variable_of_the_compose_file_is_in_the_way():
    text = (ROOT / "docker-compose.yml").read_text()
    named = set(re.findall(r"\bACD_[A-Z0-9_]+", text))
    assert len(named) > 10
    for variable in named:
        load(None, {variable: VALUES.get(variable, "1")})


def test_what_compose_sets_for_acd_is_a_setting_of_it():
    text = (ROOT / "docker-compose.yml").read_text()
    service = re.search(r"^  acd:[^\n]*\n(.*?)^  \w", text, re.S | re.M).group(1)
    set_there = re.findall(r"^      (ACD_\w+):", service, re.M)
    assert set_there
    assert not set(set_there) - VARIABLES.keys() - {"ACD_CONFIG"}


# What is wrong


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("colour = 1", "colour"),
        ("[handlers.main]\nhots = 'x'", "handlers.main.hots"),
        ("[handlers.main.queues.support]\nwrap_up = 1\nwrapup = 1", "handlers.main.queues.support.wrapup"),
        ("[[handlers.main.agents]]\nid = '1'\nuser = 'a'\npin = '1'\nage = 5", "handlers.main.agents.0.age"),
        ("[web]\nports = 1", "web.ports"),
        ("[store]\nurls = ''", "store.urls"),
        ("[log]\nlevels = ''", "log.levels"),
    ],
)
def test_a_key_that_is_none_is_named_with_its_file(file, text, key):
    said = refusal(file, text)
    assert f"{file}: {key}: there is no such setting" in said


WRONG = [
    ("handlers", "handlers = 5"),
    ("handlers", "handlers = {}"),
    ("handlers.main", "handlers.main = 'x'"),
    ("handlers.a,b", "[handlers.'a,b']"),
    ("handlers.main.host", "[handlers.main]\nhost = 5"),
    ("handlers.main.port", "[handlers.main]\nport = 0"),
    ("handlers.main.port", "[handlers.main]\nport = 65536"),
    ("handlers.main.port", "[handlers.main]\nport = 'ami'"),
    ("handlers.main.port", "[handlers.main]\nport = 1.5"),
    ("handlers.main.port", "[handlers.main]\nport = true"),
    ("handlers.main.username", "[handlers.main]\nusername = []"),
    ("handlers.main.secret", "[handlers.main]\nsecret = 5"),
    ("handlers.main.tls", "[handlers.main]\ntls = 'perhaps'"),
    ("handlers.main.wrap_up", "[handlers.main]\nwrap_up = -1"),
    ("handlers.main.wrap_up", "[handlers.main]\nwrap_up = inf"),
    ("handlers.main.wrap_up", "[handlers.main]\nwrap_up = nan"),
    ("handlers.main.wrap_up", "[handlers.main]\nwrap_up = 1979-05-27"),
    ("handlers.main.measurement_period", "[handlers.main]\nmeasurement_period = 0"),
    ("handlers.main.measurement_period", "[handlers.main]\nmeasurement_period = 2147483648"),
    ("handlers.main.confirm_within", "[handlers.main]\nconfirm_within = 0"),
    ("handlers.main.confirm_within", "[handlers.main]\nconfirm_within = 121"),
    ("handlers.main.confirm_within", "[handlers.main]\nconfirm_within = nan"),
    ("handlers.main.addresses", "[handlers.main]\naddresses = 'PJSIP/*'"),
    ("handlers.main.queues.a;b", "[handlers.main.queues.'a;b']\nwrap_up = 1"),
    ("handlers.main.queues.support.wrap_up", "[handlers.main.queues.support]\nwrap_up = 'long'"),
    ("handlers.main.groups.first.queues", "[handlers.main.groups.first]\nqueues = []"),
    ("handlers.main.groups.first.queues.1", "[handlers.main.groups.first]\nqueues = ['a', 'b|c']"),
    ("handlers.main.groups. x", "[handlers.main.groups.' x']\nqueues = ['a']"),
    ("handlers.main.agents", "[handlers.main]\nagents = 'alice'"),
    ("handlers.main.agents.0.pin", "[[handlers.main.agents]]\nid = '1'\nuser = 'a'"),
    ("handlers.main.agents.0.id", "[[handlers.main.agents]]\nid = 1\nuser = 'a'\npin = '1'"),
    ("handlers.main.agents.0.user", "[[handlers.main.agents]]\nid = '1'\nuser = \"a\\nb\"\npin = '1'"),
    ("handlers.main.agents.0.user", f"[[handlers.main.agents]]\nid = '1'\nuser = '{'é' * 40}'\npin = '1'"),
    ("web.port", "[web]\nport = 65536"),
    ("web.port", "[web]\nport = -1"),
    ("web.tls_key", "[web]\ntls_key = 5"),
    ("web.cors_origins", "[web]\ncors_origins = 5"),
    ("web.cors_origins.0", "[web]\ncors_origins = ['*']"),
    ("web.cors_origins.0", "[web]\ncors_origins = ['null']"),
    ("web.cors_origins.0", "[web]\ncors_origins = ['https://*.example']"),
    ("web.cors_origins.0", "[web]\ncors_origins = ['https://board.example/']"),
    ("web.cors_origins.0", "[web]\ncors_origins = ['https://somebody@board.example']"),
    ("web.cors_origins.0", "[web]\ncors_origins = ['https://Board.example']"),
    ("web.cors_origins.0", "[web]\ncors_origins = ['board.example']"),
    ("web.cors_origins.1", "[web]\ncors_origins = 'https://a.example, ftp://b.example'"),
    ("web.trusted_proxies", "[web]\ntrusted_proxies = true"),
    ("web.trusted_proxies.0", "[web]\ntrusted_proxies = ['proxy.example']"),
    ("web.trusted_proxies.0", "[web]\ntrusted_proxies = ['10.1.0.1/16']"),
    ("web.trusted_proxies.0", "[web]\ntrusted_proxies = [5]"),
    ("web", "web = 5"),
    ("web.most_connections", "[web]\nmost_connections = 0"),
    ("web.most_connections", "[web]\nmost_connections = 100001"),
    ("web.most_connections", "[web]\nmost_connections = true"),
    ("handlers.main.sip_websocket", "[handlers.main]\nsip_websocket = 'http://asterisk:8088/ws'"),
    ("handlers.main.sip_websocket", "[handlers.main]\nsip_websocket = 'ws://asterisk:99999/ws'"),
    ("handlers.main.sip_websocket", "[handlers.main]\nsip_websocket = 'ws://..:8088/ws'"),
    ("web.wallboard.definition", "[web.wallboard]\ndefinition = 'ours'"),
    ("web.wallboard.threshold", "[web.wallboard]\nthreshold = -1"),
    ("web.wallboard.targets.waiting", "[web.wallboard.targets]\nwaiting = [10, 5]"),
    ("web.wallboard.targets.service_level", "[web.wallboard.targets]\nservice_level = [0.7, 0.8]"),
    ("web.wallboard.targets.ready.1", "[web.wallboard.targets]\nready = [1, true]"),
    ("web.wallboard.targets.ready", "[web.wallboard.targets]\nready = [1]"),
    ("store.url", "[store]\nurl = 5"),
    ("store.keep_events_days", "[store]\nkeep_events_days = -1"),
    ("store.keep_events_days", "[store]\nkeep_events_days = true"),
    ("store.keep_calls_days", "[store]\nkeep_calls_days = 0.5"),
    ("store.keep_calls_days", "[store]\nkeep_calls_days = 36501"),
    ("store.keep_commands_days", "[store]\nkeep_commands_days = -1"),
    ("store.keep_stream_hours", "[store]\nkeep_stream_hours = 0"),
    ("store.keep_stream_hours", "[store]\nkeep_stream_hours = 8761"),
    ("store.keep_stream_hours", "[store]\nkeep_stream_hours = true"),
    ("node.name", "[node]\nname = ''"),
    ("node.url", "[node]\nurl = 'node-1:8080'"),
    ("node.url", "[node]\nurl = 'http://node-1:8080/acd'"),
    ("log.level", "[log]\nlevel = 'loud'"),
    ("log.format", "[log]\nformat = 'xml'"),
    ("handlers.main.state_interfaces", "[handlers.main.state_interfaces]\n'Local/**' = 'PJSIP/*'"),
    ("handlers.main.state_interfaces", "[handlers.main.state_interfaces]\n'Local/1' = 'PJSIP/*'"),
]


@pytest.mark.parametrize(("key", "text"), WRONG, ids=[text.replace("\n", " ")[-60:] for _, text in WRONG])
def test_a_wrong_value_is_named_with_its_file_and_key(file, key, text):
    said = refusal(file, text)
    assert said.startswith(f"{file}: {key}")
    assert len(said) > len(f"{file}: {key}: ")


@pytest.mark.parametrize(
    "text", ["web = 5", "web = 'x'", "web = [1]", "handlers = 5", "handlers.main = []", "log = true"]
)
def test_a_section_of_the_wrong_type_is_named_with_variables_set_too(file, text):
    said = refusal(file, text, {"ACD_WEB_PORT": "1", "ACD_AMI_PORT": "5", "ACD_LOG_LEVEL": "info"})
    assert said.startswith(f"{file}: {text.split(' ')[0]}")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ACD_AMI_PORT", "ami"),
        ("ACD_AMI_PORT", "0"),
        ("ACD_AMI_PORT", "9" * 5000),
        ("ACD_AMI_TLS", "perhaps"),
        ("ACD_WRAP_UP", "-1"),
        ("ACD_WRAP_UP", "nan"),
        ("ACD_MEASUREMENT_PERIOD", "1.5"),
        ("ACD_WEB_PORT", "65536"),
        ("ACD_WEB_CORS_ORIGINS", "*"),
        ("ACD_WEB_TRUSTED_PROXIES", "everybody"),
        ("ACD_LOG_LEVEL", "LOUD"),
        ("ACD_LOG_FORMAT", "xml"),
    ],
)
def test_a_wrong_variable_is_named_by_its_own_name(file, variable, value):
    assert refusal(file, FULL, {variable: value}).startswith(f"environment: {variable}: ")


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("ACD_AMI_HSOT", "ACD_AMI_HOST"),
        ("ACD_API_TOKNE", "ACD_API_TOKEN"),
        ("ACD_DATABASE", "ACD_DATABASE_URL"),
        ("ACD_WEB_PROT", "ACD_WEB_PORT"),
    ],
)
def test_a_variable_that_is_none_is_named_with_the_one_that_may_be_meant(file, variable, meant):
    said = refusal(file, "", {variable: "x"})
    assert variable in said
    assert f"did you mean {meant}?" in said


def test_a_variable_like_no_other_is_named_without_a_guess(file):
    assert refusal(file, "", {"ACD_QQQ": "x"}) == "environment: there is no setting ACD_QQQ"


@pytest.mark.parametrize(
    "content",
    [b"[web", b"port 80", b"[web]\nport = 1\nport = 2", b"a = '\xff'", b"\x00", "töken = 1".encode("utf-16")],
)
def test_a_file_that_is_no_toml_is_refused(file, content):
    file.write_bytes(content)
    with pytest.raises(SettingsError) as refused:
        load(file, {})
    assert str(refused.value).startswith(f"{file}: is not valid TOML: ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["not-there.toml", "."])
def test_a_file_that_cannot_be_read_is_refused(tmp_path, name):
    with pytest.raises(SettingsError, match=r"cannot be read: (No such file|Is a directory)"):
        load(tmp_path / name, {})


# Secrets


def test_without_the_secret_it_is_said_what_is_missing():
    with pytest.raises(SettingsError, match=r"handlers\.main\.secret: is not set, and there is no default"):
        login_of("main", load(None, {}).handlers["main"])


@pytest.mark.parametrize("text", ["[handlers.main]\nsecret = ''", "[web]\ntoken = ''", "[handlers.main]\nsecret = ' '"])
def test_an_empty_secret_is_none(tmp_path, file, text):
    """So that nobody comes in with an empty token, and no log-in is tried with an empty secret."""
    file.write_text(text)
    with pytest.raises(SettingsError):
        settings = load(file, {})
        if "secret" in text:
            login_of("main", settings.handlers["main"])
        else:
            assert api_token(settings.web, f"sqlite:///{tmp_path}/acd.db").strip() == ""
            raise AssertionError("an empty token was taken")


def test_a_secret_is_read_from_its_file(tmp_path):
    file = tmp_path / "secret"
    file.write_text("  correct horse \n", encoding="utf-8")
    assert secret_of(None, file, "x") == "correct horse"
    settings = load(None, {"ACD_AMI_SECRET_FILE": str(file)})
    assert login_of("main", settings.handlers["main"]).secret == "correct horse"


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe\x00"])
def test_a_secret_file_that_is_of_no_use_is_named(tmp_path, content):
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match=f"handlers.main.secret: {file}"):
        secret_of(None, file, "handlers.main.secret")


def test_no_secret_is_in_what_settings_look_like(file):
    file.write_text(FULL)
    environment = {"ACD_DATABASE_URL": "postgresql://acd:db-password@db/acd"}
    settings = load(file, environment)
    login = login_of("main", settings.handlers["main"])
    for text in (repr(settings), str(settings), repr(login), str(login), repr(settings.model_dump())):
        for secret in ("from the file", "4711", "the token", "db-password"):
            assert secret not in text


@pytest.mark.parametrize(
    ("text", "environment"),
    [
        ("[handlers.main]\nsecret = 81726354", {}),
        ("[handlers.main]\nsecret = ['81726354']", {}),
        ("[handlers.main]\nsecret = '81726354'\nmore = 1", {}),
        ("[handlers.main]\nsecret = '81726354", {}),
        ("[web]\ntoken = {x = '81726354'}", {}),
        ("[[handlers.main.agents]]\nid = '1'\nuser = 'a'\npin = 81726354", {}),
        ("[[handlers.main.agents]]\nid = 'a,b'\nuser = 'a'\npin = '81726354'", {}),
        ("", {"ACD_AMI_SECRET": "81726354", "ACD_AMI_PORT": "x"}),
        ("", {"ACD_API_TOKNE": "81726354"}),
    ],
)
def test_no_secret_is_in_what_is_said_about_wrong_settings(file, text, environment):
    assert "81726354" not in refusal(file, text, environment)


# The token of the API


def test_a_token_is_made_once_for_its_owner_alone_and_used_again(tmp_path):
    url = f"sqlite:///{tmp_path}/acd.db"
    first = api_token(WebSettings(), url)
    file = tmp_path / "api_token"
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(first) >= 32
    assert file.read_text().strip() == first
    assert api_token(WebSettings(), url) == first


def test_a_token_that_is_set_wins_and_no_file_is_made(tmp_path):
    assert api_token(WebSettings(token="mine"), f"sqlite:///{tmp_path}/acd.db") == "mine"
    assert list(tmp_path.iterdir()) == []


def test_a_token_file_that_is_named_is_made_there(tmp_path):
    file = tmp_path / "token"
    made = api_token(WebSettings(token_file=file), f"sqlite:///{tmp_path}/acd.db")
    assert file.read_text().strip() == made
    assert not (tmp_path / "api_token").exists()


def test_a_token_that_cannot_be_kept_is_refused(tmp_path):
    with pytest.raises(
        SettingsError, match=r"web\.token: is not set, and .* cannot be made: No such file or directory"
    ):
        api_token(WebSettings(token_file=tmp_path / "no" / "token"), "sqlite://")


@pytest.mark.parametrize("written", ["PJSIP/1001", "pjsip/1001", "PjSip/1001"])
def test_a_phone_has_one_name_however_its_technology_is_written(written):
    assert an_address(written) == "PJSIP/1001"


def test_the_example_of_two_asterisks_names_both_with_what_compose_sets():
    given = load(ROOT / "examples" / "two-asterisks.toml", {"ACD_AMI_HOST": "asterisk", "ACD_AMI_SECRET": "secret"})
    assert {name: each.host for name, each in given.handlers.items()} == {
        "main": "asterisk",
        "second": "asterisk-second",
    }


def test_the_example_of_several_asterisks_in_the_document_is_a_settings_file(file):
    text = (ROOT / "docs" / "configuration.md").read_text().partition("## Several Asterisks")[2]
    example = text.partition("```toml\n")[2].partition("```")[0]
    file.write_text(example)
    given = load(file, {})
    assert given.handlers.keys() == {"berlin", "hamburg"}
    assert (given.handlers["hamburg"].port, given.handlers["hamburg"].groups["desk"].queues) == (5039, ["support"])
