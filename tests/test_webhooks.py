"""Webhooks: in order, signed, tried until they arrive, from where they were, and never in anybody's way."""

import asyncio
import json
import re
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port

from acd import feed as feeds
from acd import webhooks as hooks
from acd.feed import Envelope, Feed, Filter
from acd.store import Store
from acd.webhooks import TooManyWebhooks, UnknownWebhook, Webhook, Webhooks, pause_after
from tests.helpers import until

DOCUMENT = Path(__file__).parent.parent / "docs" / "webhooks.md"
EVERYTHING = Filter()


class Receiver:
    """A server that takes what is posted, or refuses it."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/acd"
        self.requests: list[tuple[Any, bytes]] = []  # headers, body; also of those that were refused
        self.numbers: list[int] = []  # of the envelopes that were accepted
        self.statuses: list[int] = []  # of the next answers; then 200
        self.held = asyncio.Event()  # answers wait for it
        self.held.set()

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.requests.append((request.headers.copy(), body))
        await self.held.wait()
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 200:
            self.numbers += [each["seq"] for each in json.loads(body)["envelopes"]]
        return web.Response(status=status, headers={"Location": "/elsewhere"} if status == 302 else {})

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(body) for _, body in self.requests]


@asynccontextmanager
async def receiving(port: int | None = None) -> AsyncIterator[Receiver]:
    port = port or unused_port()
    receiver = Receiver(port)
    app = web.Application()
    app.router.add_post("/acd", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield receiver
    finally:
        receiver.held.set()
        await runner.cleanup()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
def store(tmp_path: Path):
    store = Store(f"sqlite:///{tmp_path}/acd.db")
    store.open()
    yield store
    store.close()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "SHORTEST_WAIT", 0.01)
    monkeypatch.setattr(hooks, "LONGEST_WAIT", 0.05)


@asynccontextmanager
async def running(store: Store, feed: Feed) -> AsyncIterator[Webhooks]:
    async def reset() -> Envelope:
        head = {"seq": feed.seq, "type": "reset", "event": "RESET", "subject": {"seq": feed.seq, "handlers": []}}
        return Envelope(feed.seq, "", "reset", "RESET", (), (), (), json.dumps(head))

    webhooks = Webhooks(feed, store, reset)
    await webhooks.start()
    try:
        yield webhooks
    finally:
        await webhooks.close()


@pytest.fixture
def feed(store: Store) -> Feed:
    return Feed(store)


@pytest.fixture
async def webhooks(store: Store, feed: Feed) -> AsyncIterator[Webhooks]:
    async with running(store, feed) as webhooks:
        yield webhooks


def tell(feed: Feed, count: int = 1, type: str = "queue", queue: str = "support") -> None:
    for _ in range(count):
        feed.publish("main", 1_000_000.0, type, "NEW_QUEUE", {"name": "é"}, queues=[queue])


async def arrived(receiver: Receiver, numbers: list[int], seconds: float = 5) -> None:
    await until(lambda: len(receiver.numbers) >= len(numbers), seconds, what=f"{len(numbers)} envelopes")
    assert receiver.numbers == numbers


def proof() -> Callable[[str, str, bytes], bool]:
    """The check that the document shows."""
    code = re.search(r"```python\n(.*?)```", DOCUMENT.read_text(), re.S)
    assert code is not None
    names: dict[str, Any] = {}
    exec(code[1], names)  # noqa: S102 - it is ours
    return names["is_from_acd"]


# What arrives


async def test_envelopes_arrive_in_order_one_request_at_a_time_and_each_once(webhooks, feed, receiver):
    made = webhooks.make(receiver.url, EVERYTHING, "test")
    receiver.held.clear()
    tell(feed)
    await until(lambda: receiver.requests, what="the first request")
    tell(feed, 250)
    receiver.held.set()
    await arrived(receiver, list(range(1, 252)))
    assert [len(body["envelopes"]) for body in receiver.bodies] == [1, 100, 100, 50]
    assert all(body["webhook"] == made.row.id for body in receiver.bodies)
    told = await feed.after(0, 1.0)
    assert receiver.bodies[1]["envelopes"][0] == json.loads(told[1].text)
    await until(lambda: (made.row.position, made.behind, made.failures) == (251, 0, 0), what="up to date")
    assert (webhooks.deliveries, webhooks.failures, webhooks.behind, webhooks.paused) == (4, 0, 0, 0)
    assert made.row.last_success == pytest.approx(time.time(), abs=60)


async def test_what_comes_soon_after_another_goes_together_with_it(webhooks, feed, receiver, monkeypatch):
    monkeypatch.setattr(hooks, "APART", 0.3)
    webhooks.make(receiver.url, EVERYTHING, "test")
    tell(feed)
    await until(lambda: receiver.requests, what="the first request")
    for _ in range(10):
        tell(feed)
        await asyncio.sleep(0.01)
    await arrived(receiver, list(range(1, 12)))
    assert len(receiver.requests) == 2


async def test_only_what_is_wanted_is_posted_and_the_place_moves_on_all_the_same(webhooks, feed, receiver):
    made = webhooks.make(receiver.url, Filter(types=["call", "queue"], queues=["sales"]), "test")
    tell(feed, 3, queue="support")
    tell(feed, 1, queue="sales")
    tell(feed, 1, type="statistics", queue="sales")
    await arrived(receiver, [4])
    await until(lambda: made.row.position == 5, what="position 5")


async def test_a_new_webhook_hears_nothing_of_what_was_before_it(webhooks, feed, receiver):
    tell(feed, 3)
    webhooks.make(receiver.url, EVERYTHING, "test")
    tell(feed)
    await arrived(receiver, [4])


async def test_the_check_of_the_document_knows_what_is_from_acd_and_what_is_not(webhooks, feed, receiver, monkeypatch):
    made = webhooks.make(receiver.url, EVERYTHING, "test")
    assert made.row.secret.startswith("whsec_") and len(made.row.secret) > 40
    tell(feed)
    await arrived(receiver, [1])
    headers, body = receiver.requests[0]
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"].startswith("acd/")
    assert headers["Acd-Webhook"] == made.row.id
    is_from_acd, signed = proof(), headers["Acd-Signature"]
    assert is_from_acd(made.row.secret, signed, body)
    assert not is_from_acd("whsec_another", signed, body)
    assert not is_from_acd(made.row.secret, signed, body.replace(b"main", b"mail"))
    at = re.match(r"t=(\d+),v1=[0-9a-f]{64}$", signed)
    assert at is not None and abs(int(at[1]) - time.time()) < 60
    assert not is_from_acd(made.row.secret, signed.replace(at[1], str(int(at[1]) + 1)), body)
    assert not is_from_acd(made.row.secret, "", body)
    monkeypatch.setattr(time, "time", lambda: int(at[1]) + 301)
    assert not is_from_acd(made.row.secret, signed, body)


async def test_a_secret_of_ones_own_signs(webhooks, feed, receiver):
    webhooks.make(receiver.url, EVERYTHING, "test", secret="a secret of my own")
    tell(feed)
    await arrived(receiver, [1])
    headers, body = receiver.requests[0]
    assert proof()("a secret of my own", headers["Acd-Signature"], body)


# What does not arrive


async def test_what_was_refused_is_tried_until_it_is_accepted_and_nothing_overtakes_it(
    webhooks, feed, receiver, caplog
):
    made = webhooks.make(receiver.url, EVERYTHING, "test")
    receiver.statuses = [500, 429, 302, 404]
    tell(feed)
    await until(lambda: receiver.requests, what="the first request")
    tell(feed, 2)
    await arrived(receiver, [1, 2, 3])
    assert [body["envelopes"][0]["seq"] for body in receiver.bodies] == [1, 1, 1, 1, 1, 2]
    await until(lambda: made.failures == 0, what="no failures")
    assert (webhooks.deliveries, webhooks.failures, made.row.last_error) == (2, 4, None)
    assert caplog.text.count("does not take what is posted") == 1


async def test_what_was_accepted_is_not_posted_again_when_what_follows_is_refused(webhooks, feed, receiver):
    made = webhooks.make(receiver.url, EVERYTHING, "test", paused=True)
    tell(feed, 250)
    receiver.statuses = [200, 200, *[500] * 1000]
    webhooks.change(made.row.id, receiver.url, EVERYTHING)
    await until(lambda: made.failures >= 2, what="two failures")
    assert (made.row.position, made.behind) == (200, 50)
    receiver.statuses.clear()
    webhooks.change(made.row.id, receiver.url, EVERYTHING)
    await arrived(receiver, list(range(1, 251)))


async def test_the_last_error_says_what_the_receiver_answered(webhooks, feed, receiver, monkeypatch):
    monkeypatch.setattr(hooks, "SHORTEST_WAIT", 60.0)
    monkeypatch.setattr(hooks, "LONGEST_WAIT", 60.0)
    made = webhooks.make(receiver.url, EVERYTHING, "test")
    receiver.statuses = [302]
    tell(feed)
    await until(lambda: made.failures == 1, what="a failure")
    assert made.row.last_error == "302 Found (redirects are not followed)"
    assert made.row.last_success is None
    assert webhooks.behind == made.behind == 1


async def test_who_does_not_answer_in_time_is_tried_again(webhooks, feed, receiver, monkeypatch):
    monkeypatch.setattr(hooks, "ANSWER_WITHIN", 0.05)
    made = webhooks.make(receiver.url, EVERYTHING, "test")
    receiver.held.clear()
    tell(feed)
    await until(lambda: made.failures >= 2, what="two failures")
    assert made.row.last_error == "no answer within 0.05 s"
    monkeypatch.undo()
    receiver.held.set()
    await until(lambda: made.row.position == 1, what="arrived")


async def test_who_is_not_there_is_tried_until_he_is(webhooks, feed):
    port = unused_port()
    made = webhooks.make(f"http://127.0.0.1:{port}/acd", EVERYTHING, "test")
    tell(feed, 2)
    await until(lambda: made.failures >= 2, what="two failures")
    assert "Cannot connect" in str(made.row.last_error)
    async with receiving(port) as receiver:
        await arrived(receiver, [1, 2])


async def test_a_name_that_nobody_has_is_an_error_like_others(webhooks, feed, monkeypatch):
    def no_name(*_: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_name)
    made = webhooks.make("http://receiver.example/acd", EVERYTHING, "test")
    tell(feed)
    await until(lambda: made.failures >= 1, what="a failure")
    assert "receiver.example" in str(made.row.last_error)


def test_the_pause_grows_from_a_second_or_two_to_five_minutes_and_is_never_longer(monkeypatch):
    monkeypatch.undo()
    for failures in range(1, 2000):
        pause = pause_after(failures)
        assert min(150.0, 2.0 ** min(failures, 20) / 2) <= pause <= min(300.0, 2.0 ** min(failures, 20))
    assert len({pause_after(9) for _ in range(10)}) > 1


async def test_who_says_that_he_is_gone_is_paused_until_somebody_sets_him_going_again(
    webhooks, feed, store, receiver, caplog
):
    made = webhooks.make(receiver.url, EVERYTHING, "test")
    receiver.statuses = [410]
    tell(feed)
    await until(lambda: made.row.paused, what="paused")
    tell(feed)
    await store.written()
    kept = Webhooks(feed, store, lambda: pytest.fail("nobody is reset")).get(made.row.id)
    assert (kept.row.paused, kept.row.position, kept.row.last_error) == (True, 0, "410 Gone")
    assert webhooks.paused == 1 and webhooks.behind == 0
    assert "is paused" in caplog.text
    webhooks.change(made.row.id, receiver.url, EVERYTHING)
    await arrived(receiver, [1, 2])
    assert len(receiver.requests) in (2, 3)


async def test_a_test_that_is_accepted_lets_what_waits_be_tried_at_once(webhooks, feed, receiver, monkeypatch):
    monkeypatch.setattr(hooks, "SHORTEST_WAIT", 600.0)
    monkeypatch.setattr(hooks, "LONGEST_WAIT", 600.0)
    made = webhooks.make(receiver.url, EVERYTHING, "test")
    receiver.statuses = [503, 503]
    tell(feed)
    await until(lambda: made.failures == 1, what="a failure")
    assert (await webhooks.test(made.row.id))[::2] == (503, "503 Service Unavailable")
    assert made.failures == 1
    tried = await webhooks.test(made.row.id)
    assert (tried.status, tried.problem) == (200, None)
    await arrived(receiver, [0, 1])
    assert receiver.bodies[-2]["envelopes"][0]["event"] == "TEST"


# In nobody's way


async def test_a_receiver_that_hangs_holds_up_neither_the_others_nor_the_end(store, feed):
    async with receiving() as hangs, receiving() as other:
        hangs.held.clear()
        async with running(store, feed) as webhooks:
            slow = webhooks.make(hangs.url, EVERYTHING, "test")
            webhooks.make(other.url, EVERYTHING, "test")
            tell(feed, 5)
            await arrived(other, [1, 2, 3, 4, 5])
            assert slow.behind == webhooks.behind == 5
            began = time.monotonic()
        assert time.monotonic() - began < 1.0
        assert feed.stats.subscribers == 0


async def test_a_name_server_that_hangs_holds_up_neither_other_threads_nor_the_end(store, feed, monkeypatch):
    answer, asked = threading.Event(), threading.Event()

    def hangs(*_: object) -> None:
        asked.set()
        answer.wait(30)
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    with monkeypatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", hangs)
        async with running(store, feed) as webhooks:
            for number in range(40):  # more than the loop has threads
                webhooks.make(f"http://receiver-{number}.example/", EVERYTHING, "test")
            tell(feed)
            await until(asked.is_set, what="asked")
            assert await asyncio.wait_for(asyncio.to_thread(lambda: 5), 2) == 5
            began = time.monotonic()
        assert time.monotonic() - began < 1.0
        answer.set()


async def test_however_slow_a_receiver_is_he_gets_everything_from_the_log(store, receiver, monkeypatch):
    monkeypatch.setattr(hooks, "ANSWER_WITHIN", 60.0)
    feed = Feed(store)
    feed._buffer = type(feed._buffer)(maxlen=50)
    async with running(store, feed) as webhooks:
        webhooks.make(receiver.url, EVERYTHING, "test")
        receiver.held.clear()
        tell(feed)
        await until(lambda: receiver.requests, what="the first request")
        tell(feed, feeds.KEPT + 1000)
        receiver.held.set()
        await arrived(receiver, list(range(1, feeds.KEPT + 1002)), 30)
        assert feed.stats.closed_slow == 0


async def test_a_database_that_cannot_be_read_is_waited_for(store, receiver, monkeypatch, caplog):
    feed = Feed(store)
    feed._buffer = type(feed._buffer)(maxlen=1)
    async with running(store, feed) as webhooks:
        made = webhooks.make(receiver.url, EVERYTHING, "test", paused=True)
        tell(feed, 5)
        await store.written()
        with monkeypatch.context() as patched:
            patched.setattr(store, "rows", lambda *_, **__: 1 / 0)
            webhooks.change(made.row.id, receiver.url, EVERYTHING)
            await until(lambda: made.failures >= 2, what="two failures")
            assert "division by zero" in str(made.row.last_error)
        await arrived(receiver, [1, 2, 3, 4, 5])
        assert caplog.text.count("cannot go on at present") == 1


# From where it was


async def test_after_a_restart_it_goes_on_where_it_was_and_loses_and_repeats_nothing(tmp_path, receiver):
    for run in range(2):
        store = Store(f"sqlite:///{tmp_path}/acd.db")
        store.open()
        feed = Feed(store)
        async with running(store, feed) as webhooks:
            if run == 0:
                webhooks.make(receiver.url, Filter(types=["queue"]), "test")
            tell(feed, 3)
            expected = [1, 2, 3] if run == 0 else [1, 2, 3, 4, 5, 7, 8, 9]  # 6: the end of the first run
            await until(lambda: expected[-1] in receiver.numbers, what="all arrived")  # noqa: B023
        tell(feed, 2)  # when nothing is posted any more
        feed.close()
        store.close()
    assert [number for number in receiver.numbers if number != 6] == expected


async def test_its_place_is_kept_once_in_a_while_and_at_the_end(tmp_path, receiver, monkeypatch):
    monkeypatch.setattr(hooks, "KEPT_EVERY", 600.0)
    monkeypatch.setattr(hooks, "APART", 0.0)
    store = Store(f"sqlite:///{tmp_path}/acd.db")
    store.open()
    kept: list[int] = []
    keep = store.keep
    monkeypatch.setattr(store, "keep", lambda row: (kept.append(row.position), keep(row)))
    feed = Feed(store)
    async with running(store, feed) as webhooks:
        webhooks.make(receiver.url, EVERYTHING, "test")
        for number in range(1, 21):
            tell(feed)
            await until(lambda: receiver.numbers[-1:] == [number], what=str(number))  # noqa: B023
        assert kept == [0]
        await until(lambda: webhooks.behind == 0, what="up to date")
    assert kept == [0, 20]
    store.close()


async def test_its_place_is_kept_within_a_moment_when_nothing_more_comes(webhooks, feed, store, receiver, monkeypatch):
    monkeypatch.setattr(hooks, "KEPT_EVERY", 0.05)
    made = webhooks.make(receiver.url, EVERYTHING, "test")
    await store.written()
    tell(feed, 3)

    def kept() -> Webhook:
        return Webhooks(feed, store, lambda: pytest.fail("nobody is reset")).get(made.row.id)

    await until(lambda: kept().row.position == 3, what="kept")


async def test_who_needs_what_is_gone_from_the_log_begins_anew_and_goes_on(store, receiver):
    feed = Feed(store)
    feed._buffer = type(feed._buffer)(maxlen=2)
    async with running(store, feed) as webhooks:
        made = webhooks.make(receiver.url, Filter(types=["queue"]), "test", paused=True)
        tell(feed, 5)
        await store.written()
        with store._transaction() as connection:
            connection.exec_driver_sql("DELETE FROM envelope WHERE seq <= 2")
        webhooks.change(made.row.id, receiver.url, Filter(types=["queue"]))
        await arrived(receiver, [5])
        assert receiver.bodies[0]["envelopes"][0]["type"] == "reset"
        tell(feed)
        await arrived(receiver, [5, 6])
        assert feed.stats.resets == 1


async def test_after_a_crash_it_begins_anew(tmp_path, receiver):
    store = Store(f"sqlite:///{tmp_path}/acd.db")
    store.open()
    feed = Feed(store)
    async with running(store, feed) as webhooks:
        webhooks.make(receiver.url, EVERYTHING, "test")
        tell(feed, 2)
        await arrived(receiver, [1, 2])
    store.close()  # without feed.close(): what it told last is not known
    store = Store(f"sqlite:///{tmp_path}/acd.db")
    store.open()
    feed = Feed(store)
    async with running(store, feed):
        await arrived(receiver, [1, 2, feed.seq])
        assert receiver.bodies[-1]["envelopes"][0]["type"] == "reset"
    store.close()


# What is asked of it


async def test_what_is_under_way_is_posted_to_the_new_address_after_a_change(webhooks, feed, receiver):
    async with receiving() as other:
        made = webhooks.make(receiver.url, EVERYTHING, "test")
        receiver.held.clear()
        tell(feed, 2)
        await until(lambda: receiver.requests, what="the first request")
        webhooks.change(made.row.id, other.url, EVERYTHING)
        await arrived(other, [1, 2])
        receiver.held.set()
        tell(feed)
        await arrived(other, [1, 2, 3])


async def test_what_was_removed_gets_nothing_more_and_does_not_come_back(webhooks, feed, store, receiver):
    made = webhooks.make(receiver.url, EVERYTHING, "test")
    tell(feed)
    await arrived(receiver, [1])
    webhooks.remove(made.row.id)
    tell(feed)
    with pytest.raises(UnknownWebhook):
        webhooks.get(made.row.id)
    await store.written()
    assert Webhooks(feed, store, lambda: pytest.fail("nobody is reset")).all() == []
    assert webhooks.deliveries == 1
    await until(lambda: feed.stats.subscribers == 0, what="nobody listens")
    assert receiver.numbers == [1]


async def test_there_are_only_so_many(webhooks, monkeypatch):
    monkeypatch.setattr(hooks, "MOST", 2)
    for _ in range(2):
        webhooks.make("http://127.0.0.1:9/", EVERYTHING, "test")
    with pytest.raises(TooManyWebhooks):
        webhooks.make("http://127.0.0.1:9/", EVERYTHING, "test")
