"""What /metrics exports, and that the dashboard, the alerts and the document ask for nothing else."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from acd.counts import WAITS
from acd.web.app import make_app
from acd.web.requests import FEED
from tests.helpers import until
from tests.test_service import restarted
from tests.web.house import TOKEN, House, open_house
from tests.web.promql import Exported
from tests.web.switch import Call

ROOT = Path(__file__).parent.parent.parent
DASHBOARD = json.loads((ROOT / "grafana/acd.json").read_text())
ALERTS = (ROOT / "grafana/alerts.yml").read_text()
OPERATIONS = (ROOT / "docs/operations.md").read_text()
LABEL_VALUES = re.compile(r"label_values\((.+), (\w+)\)")


async def scrape(house: House) -> Exported:
    """What Prometheus gets, read by its own parser."""
    answer = await house.call("GET", "/metrics")
    assert (answer.status, answer.headers["Content-Type"].split(";")[0]) == (200, "text/plain")
    return Exported(answer.text)


@pytest.fixture
async def floor(tmp_path: Path) -> AsyncIterator[House]:
    """A house in which something of everything has happened: probes, a call, one who gave up, a wrong path."""
    async with open_house(tmp_path, linked=False, wrap_up=30) as house:
        assert (await house.call("GET", "/readyz", token=None)).status == 503
        run = asyncio.create_task(house.service.run())
        await until(lambda: house.center.state.linked, what="linked")
        await house.in_wrap_up()
        now = house.switch.now()
        given_up = Call("2.2", "support")
        house.switch.join(given_up, now - 12)
        house.switch.tell("HangupRequest", now, Uniqueid=given_up.id)
        house.switch.tell("QueueCallerAbandon", now, Uniqueid=given_up.id, Queue="support")
        house.switch.tell("QueueCallerLeave", now, Uniqueid=given_up.id, Queue="support")
        house.switch.join(Call("3.3", "sales"), now - 40)
        await until(lambda: house.center.state.queues["sales"].waiting)
        assert (await house.call("GET", "/nowhere")).status == 404
        yield house
        await house.service.close()
        await run


@pytest.fixture
async def exported(floor: House) -> Exported:
    return await scrape(floor)


# What is exported ------------------------------------------------------------------------------------------


async def test_a_queue_tells_who_waits_and_what_became_of_its_calls(exported):
    def of(name: str, *labels: str) -> float:
        return exported.value(f"acd_queue_{name}", "main", *labels)

    assert (of("waiting", "support"), of("waiting", "sales")) == (0, 1)
    assert 40 <= of("longest_wait_seconds", "sales") < 100
    assert (of("entered_total", "support"), of("entered_total", "sales")) == (2, 1)
    outcomes = exported.by("outcome", "acd_queue_outcomes_total", "support")
    assert outcomes == {"answered": 1, "abandoned": 1}
    assert (of("abandon_wait_seconds_bucket", "support", "10.0"), of("abandon_wait_seconds_sum", "support")) == (
        0,
        pytest.approx(12, abs=1e-5),
    )
    assert of("abandon_wait_seconds_bucket", "support", "15.0") == 1
    assert (of("answer_wait_seconds_count", "support"), of("talk_seconds_count", "support")) == (1, 1)
    assert (of("wrap_up_seconds_count", "support"), of("answer_wait_seconds_count", "sales")) == (0, 0)


async def test_after_call_work_is_told_apart_from_talk_for_agents_and_for_each_queue(floor: House):
    exported = await scrape(floor)
    assert exported.value("acd_agents", "main", "BUSY_WRAPUP") == 1
    assert exported.value("acd_queue_agents", "main", "support", "BUSY_WRAPUP") == 1
    assert exported.value("acd_sessions", "main", "BUSY_WRAPUP") == 1
    assert exported.value("acd_agents", "main", "BUSY_ACD") == 0
    assert exported.value("acd_queue_agents", "main", "sales", "BUSY_WRAPUP") == 0
    floor.switch.take(Call("4.4", "support"))  # Asterisk's own choice, in the midst of it
    await until(
        lambda: floor.center.state.sessions[next(iter(floor.center.state.sessions))].state.name != "BUSY_WRAPUP"
    )
    exported = await scrape(floor)
    assert exported.value("acd_agents", "main", "BUSY_ACD") == 1
    assert exported.value("acd_queue_agents", "main", "support", "BUSY_ACD") == 1


async def test_every_agent_is_in_one_state_and_one_without_a_session_is_logged_off(house: House):
    await house.agent("1002", "bob")
    key = await house.ready("both", "1001")
    exported = await scrape(house)
    states = exported.by("state", "acd_agents")
    assert states == {"READY": 1, "LOGGED_OFF": 1}
    assert sum(states.values()) == len(house.center.state.agents)
    for queue in ("support", "sales"):
        assert exported.value("acd_queue_agents", "main", queue, "READY") == 1
    await house.call("PUT", f"sessions/{key}/state", {"state": "SESSION_ENDED"})
    exported = await scrape(house)
    assert exported.value("acd_agents", "main", "LOGGED_OFF") == 2
    assert exported.value("acd_queue_agents", "main", "support", "READY") == 0
    assert exported.value("acd_sessions", "main", "READY") == 0


async def test_who_is_ready_but_not_for_this_queue_is_not_ready_there(house: House):
    await house.ready("support", "1001")
    other = await house.log_on("1001", "both", "PJSIP/1001")
    assert house.session(other).state.name == "NOT_READY"
    exported = await scrape(house)
    assert exported.value("acd_agents", "main", "READY") == 1
    assert exported.value("acd_queue_agents", "main", "support", "READY") == 1
    assert exported.value("acd_queue_agents", "main", "sales", "READY") == 0
    assert exported.value("acd_queue_agents", "main", "sales", "NOT_READY") == 1


async def test_another_measurement_period_leaves_the_counters_as_they_are(floor: House):
    assert (await floor.call("PUT", "queues/support/measurement-period", {"seconds": 60})).status == 200
    assert (await floor.get("queues/support"))["total_calls_abandoned"] == 0
    assert (await scrape(floor)).value("acd_queue_outcomes_total", "main", "support", "abandoned") == 1


async def test_a_new_process_counts_what_happens_in_it_and_not_what_it_replays(house: House):
    key, call = await house.on_a_call()
    house.switch.show_talking(call)
    async with restarted(house, killed=True) as again:
        assert again.session(key).state.name == "BUSY_ON_CALL"
        assert (await scrape(again)).by("outcome", "acd_queue_outcomes_total") == {}
        again.switch.hang_up(call)
        await again.in_state(key, "BUSY_WRAPUP")
        exported = await scrape(again)
    assert exported.value("acd_queue_talk_seconds_count", "main", "support") == 1
    assert exported.value("acd_queue_entered_total", "main", "support") == 0
    assert exported.value("acd_queue_answer_wait_seconds_count", "main", "support") == 0


async def test_the_lag_of_an_event_is_from_its_own_time_to_its_handling(floor: House):
    before = await scrape(floor)
    floor.switch.join(Call("5.5", "sales"), floor.switch.now() - 3, position=2)
    await until(lambda: len(floor.center.state.queues["sales"].waiting) == 2)
    after = await scrape(floor)

    def grown(name: str, *labels: str) -> float:
        name = f"acd_event_lag_seconds_{name}"
        return after.value(name, "main", *labels) - before.value(name, "main", *labels)

    assert (grown("bucket", "5.0") - grown("bucket", "1.0"), grown("count")) == (1, grown("bucket", "+Inf"))
    assert 3 <= grown("sum") < 5


async def test_the_lag_is_on_asterisks_clock_which_may_be_another(tmp_path):
    async with open_house(tmp_path, lambda switch: setattr(switch, "clock_ahead", 900.0)) as house:
        house.switch.join(Call("1.1", "sales"))
        await until(lambda: house.center.state.visits)
        exported = await scrape(house)
    assert exported.value("acd_event_lag_seconds_count", "main") >= 1
    assert exported.value("acd_event_lag_seconds_sum", "main") < 1
    assert exported.value("acd_link_clock_offset_seconds", "main") == pytest.approx(900, abs=1)


async def test_the_link_tells_its_ping_and_that_asterisk_was_heard(exported):
    assert 0 < exported.value("acd_link_ping_seconds", "main") < 1
    assert 0 <= exported.value("acd_unheard_seconds", "main") < 60
    assert exported.value("acd_link_reconnects_total", "main") == 0


async def test_what_nobody_knows_yet_is_not_exported(tmp_path):
    async with open_house(tmp_path, linked=False) as house:
        exported = await scrape(house)
    assert exported.value("acd_linked", "main") == 0
    assert not {"acd_link_ping_seconds", "acd_unheard_seconds"} & set(exported.samples)


async def test_a_new_link_is_a_reconnect(house: House):
    house.switch.cut()
    await until(lambda: not house.center.state.linked)
    await until(lambda: house.center.state.linked, what="linked again")
    exported = await scrape(house)
    assert exported.value("acd_link_reconnects_total", "main") == 1
    assert exported.value("acd_link_lost_links_total", "main") == 1


# Requests --------------------------------------------------------------------------------------------------


async def test_requests_are_counted_by_route_and_never_by_path(floor: House):
    for name in ("support", "sales", "nothing-of-this-name"):
        await floor.call("GET", f"queues/{name}")
    await floor.call("DELETE", "queues/support")
    await floor.call("GET", "queues/support", token="wrong")
    exported = await scrape(floor)
    route = "/api/v1/handlers/{handler}/queues/{queue}"
    assert exported.value("acd_http_requests_total", "GET", route, "2xx") == 2
    assert exported.value("acd_http_requests_total", "GET", route, "4xx") == 2
    assert exported.value("acd_http_requests_total", "*", "none", "4xx") == 2  # a wrong path, a wrong method
    assert exported.value("acd_http_requests_total", "GET", "/readyz", "5xx") == 1
    assert exported.value("acd_http_request_duration_seconds_count", "GET", route) == 4
    known = {resource.canonical for resource in floor.app.router.resources()}
    assert exported.samples["acd_http_requests_total"].labels["route"] <= known | {"none"}


async def test_a_method_that_somebody_made_up_is_no_label(floor: House):
    await floor.call("BREW", "/metrics")
    await floor.call("BREW", "/nowhere")
    exported = await scrape(floor)
    assert exported.samples["acd_http_requests_total"].labels["method"] <= {"GET", "POST", "PUT", "DELETE", "*"}


async def test_a_stream_is_counted_and_takes_no_time_into_account(house: House):
    async def stream(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        await answer.write(b"data\n")
        return answer

    async def gone(_: web.Request) -> web.StreamResponse:
        raise ConnectionResetError

    app = make_app({"main": house.handler}, house.store, TOKEN)
    app.router.add_get("/stream", stream)
    app.router.add_get("/gone", gone)
    async with TestClient(TestServer(app), headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        assert await (await client.get("/stream")).text() == "data\n"
        await client.get("/gone")
        await client.get("/healthz")
        exported = Exported(await (await client.get("/metrics")).text())
    assert exported.value("acd_http_requests_total", "GET", "/stream", "2xx") == 1
    assert exported.value("acd_http_requests_total", "GET", "/gone", "none") == 1
    assert not exported.samples["acd_http_request_duration_seconds_count"].labels["route"] & {"/stream", "/gone"}


async def test_the_stream_of_events_tells_who_listens_and_what_was_sent(house: House):
    before = await scrape(house)
    url = f"/api/v1/events?after={2**40}"  # a number that nobody was ever told
    async with house.client.get(url, headers={"Authorization": f"Bearer {TOKEN}"}) as answer:
        await until(lambda: house.app[FEED].stats.resets, what="the whole picture")
        house.switch.join(Call("1.1", "sales"))
        await until(lambda: house.center.state.visits)
        during = await scrape(house)
        answer.close()
    await until(lambda: not house.app[FEED].stats.subscribers, what="nobody listens any more")
    after = await scrape(house)
    subscribers = [each.value("acd_stream_subscribers") for each in (before, during, after)]
    assert subscribers == [0, 1, 0]
    assert during.value("acd_stream_published_total") > before.value("acd_stream_published_total")
    assert (during.value("acd_stream_resets_total"), during.value("acd_stream_closed_slow_total")) == (1, 0)


# Names -----------------------------------------------------------------------------------------------------


async def test_names_follow_the_conventions_of_prometheus(exported):
    for family in exported.families:
        assert re.fullmatch(r"(acd|process)_[a-z]+(_[a-z]+)*", family.name), family.name
        assert family.documentation, family.name
        assert not re.search(r"_(ms|milliseconds|minutes|percent|kb)(_|$)", family.name), family.name
        if family.type == "histogram":
            assert family.name.endswith("_seconds")
        for sample in family.samples:
            assert (family.type == "counter") is sample.name.endswith("_total"), sample.name


async def test_no_label_tells_of_a_person(floor: House):
    """Neither agents nor callers, their phones and numbers, nor the ids of calls and sessions."""
    exported = await scrape(floor)
    words = {word for sample in exported.samples.values() for label in sample.labels for word in sample.labels[label]}
    agents = floor.center.state.agents.values()
    people = {name for agent in agents for name in (agent.key, agent.user)} | floor.center.state.sessions.keys()
    calls = {visit.call for visit in floor.center.state.visits.values()} | {"5551234", "PJSIP/1001"}
    assert people
    assert calls
    assert not words & (people | calls)


async def test_the_names_of_queues_are_given_as_they_are(tmp_path):
    name = 'Sales "north"\\'
    async with open_house(tmp_path, lambda switch: switch.queues.update({name: {}})) as house:
        assert (await scrape(house)).samples["acd_queue_waiting"].labels["queue"] == {name, "support", "sales"}


async def test_every_metric_is_in_the_operations_document_with_its_labels_and_no_other(exported):
    listed = {}
    for names, type, labels in re.findall(r"^\| (`(?:acd|process)_[^|]*) \| (\w+) \|([^|]*)\|", OPERATIONS, re.M):
        for name in re.findall(r"`(\w+)`", names):
            listed[name] = (type, set(re.findall(r"`(\w+)`", labels)))
    real = {
        family.name + "_total" * (family.type == "counter"): (
            family.type,
            {label for sample in family.samples for label in sample.labels} - {"le"},
        )
        for family in exported.families
    }
    assert listed == real


# The dashboard ---------------------------------------------------------------------------------------------


def panels() -> list[dict[str, Any]]:
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def targets() -> Iterator[tuple[str, dict[str, Any]]]:
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], target


def variables() -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in DASHBOARD["templating"]["list"]}


def test_everything_on_the_dashboard_that_is_asked_of_prometheus_is_looked_at():
    """Nothing hides from the tests below: an `expr` is that of a panel, or of an annotation."""
    looked_at = [target["expr"] for _, target in targets()]
    looked_at += [each["expr"] for each in DASHBOARD["annotations"]["list"] if "expr" in each]
    assert sorted(looked_at) == sorted(_found(DASHBOARD, "expr"))
    assert len(looked_at) > 40


def _found(node: Any, key: str) -> Iterator[Any]:
    if isinstance(node, dict):
        yield from [node[key]] if key in node else []
        for value in node.values():
            yield from _found(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from _found(value, key)


async def test_every_expression_of_the_dashboard_asks_for_what_is_exported(exported):
    found = {expr: complaints for expr in _found(DASHBOARD, "expr") if (complaints := exported.complaints(expr))}
    assert found == {}


async def test_every_legend_names_labels_that_are_there(exported):
    for title, target in targets():
        named = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
        assert named <= exported.labels(target["expr"]), title


async def test_the_variables_are_made_of_what_is_exported(exported):
    queries = {name: each["query"]["query"] for name, each in variables().items() if each["type"] == "query"}
    assert queries.keys() == {"handler", "queue"}
    for name, query in queries.items():
        found = LABEL_VALUES.fullmatch(query)
        assert found is not None, query
        assert found[2] == name
        assert exported.complaints(found[1]) == []
        assert found[2] in exported.labels(found[1])


def test_every_variable_that_is_used_is_defined_and_every_other_is_grafanas_own():
    used = set(re.findall(r"\$\{?(\w+)\}?", json.dumps(DASHBOARD)))
    assert used - {"__range", "__rate_interval", "__all"} == variables().keys()


def test_each_threshold_of_the_service_level_is_a_bound_of_the_histogram():
    options = {option["value"] for option in variables()["threshold"]["options"]}
    assert options <= {str(bound) for bound in WAITS}
    asked = [expr for expr in _found(DASHBOARD, "expr") if "$threshold" in expr]
    assert asked
    assert all(
        'acd_queue_answer_wait_seconds_bucket{handler=~"$handler",queue=~"$queue",le="$threshold"}' in expr
        for expr in asked
    )


def test_all_that_has_a_handler_or_a_queue_follows_the_choice_of_it():
    for title, target in targets():
        for name, matchers in re.findall(r"(acd_\w+)(\{[^}]*\})?", target["expr"]):
            if not name.startswith(("acd_store", "acd_stream", "acd_http")):
                assert 'handler=~"$handler"' in matchers, title
            if name.startswith("acd_queue"):
                assert 'queue=~"$queue"' in matchers, title


def test_the_panels_lie_side_by_side_without_gap_or_overlap():
    taken: dict[tuple[int, int], str] = {}
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]
    assert taken.keys() == {(x, y) for x in range(24) for y in range(1 + max(y for _, y in taken))}


def test_the_dashboard_is_one_that_grafana_ten_reads():
    assert (DASHBOARD["schemaVersion"], DASHBOARD["id"], bool(DASHBOARD["uid"])) == (39, None, True)
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    assert [panel["title"] for panel in DASHBOARD["panels"] if panel["type"] == "row"] == ["Now", "Flow", "Health"]
    source = {"type": "prometheus", "uid": "${datasource}"}
    for panel in panels():
        assert panel["description"], panel["title"]
        assert [panel["datasource"], *(each["datasource"] for each in panel["targets"])] == [source] * (
            1 + len(panel["targets"])
        )
        names = [each["refId"] for each in panel["targets"]]
        assert len(names) == len(set(names)), panel["title"]


# Alerts ----------------------------------------------------------------------------------------------------


def alerts() -> dict[str, str]:
    """Alert -> expression. Each is one line, so that it can be read without a parser of YAML."""
    found = re.findall(r"^      - alert: (\w+)\n        expr: (.+)$", ALERTS, re.M)
    assert len(found) == ALERTS.count("alert:") == ALERTS.count("expr:")
    return dict(found)


async def test_every_alert_asks_for_what_is_exported(exported):
    found = {name: complaints for name, expr in alerts().items() if (complaints := exported.complaints(expr))}
    assert found == {}


async def test_the_words_of_an_alert_name_labels_that_it_has(exported):
    for block in ALERTS.split("- alert: ")[1:]:
        name = block.partition("\n")[0]
        assert set(re.findall(r"\$labels\.(\w+)", block)) <= exported.labels(alerts()[name]), name


def test_every_alert_is_in_the_operations_document_and_no_other():
    assert re.findall(r"^\| `(Acd\w+)` \|", OPERATIONS, re.M) == list(alerts())


# The measure itself ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expr", "complaint"),
    [
        ("sum(acd_queue_wating)", "acd_queue_wating is not exported"),
        ("acd_linked{name=~'x'}", "cannot be read"),
        ('acd_linked{queue=~"$queue"}', "acd_linked has no label queue"),
        ('acd_agents{state="BUSY"}', "acd_agents never has state BUSY"),
        ('acd_agents{state=~"READY|AWAY"}', "acd_agents never has state AWAY"),
        ("rate(acd_queue_waiting[5m])", "rate() of acd_queue_waiting, which is a gauge"),
        ("acd_queue_entered_total", "only grows: it needs rate() or increase()"),
        ("sum(acd_queue_talk_seconds_sum)", "only grows: it needs rate() or increase()"),
        ("rate(acd_queue_entered_total)", "is not taken over a time in rate"),
        ("acd_queue_waiting[5m]", "is taken over a time in nothing"),
        ("rate(acd_queue_entered_total[soon])", "is no span of time"),
        ("sum by (agent) (acd_linked)", "by agent, which is not there"),
        ("sum by (queue) (sum by (handler) (acd_queue_waiting))", "by queue, which is not there"),
        (
            "histogram_quantile(0.9, sum by (le) (rate(acd_queue_talk_seconds_count[5m])))",
            "histogram_quantile() of acd_queue_talk_seconds_count",
        ),
        (
            "histogram_quantile(0.9, sum by (queue) (rate(acd_queue_talk_seconds_bucket[5m])))",
            "histogram_quantile() without le",
        ),
        ("acd_linked + acd_store_writable", "never match"),
        ("sum by (queue) (acd_queue_waiting) / sum(acd_queue_waiting)", "never match"),
        ("acd_linked and on (queue) acd_queue_waiting", "on queue, which is not on both sides of and"),
        ("sum(acd_linked", "the end instead of , or )"),
        ("sum()", "sum of nothing"),
        ("acd_linked acd_linked", "what is 'acd_linked' doing there?"),
        ("quantile_of(acd_linked)", "quantile_of() is not known here"),
    ],
)
async def test_an_expression_that_asks_for_the_wrong_thing_is_found_out(exported, expr, complaint):
    complaints = exported.complaints(expr)
    assert [found for found in complaints if complaint in found], complaints
