"""The stream's numbers: no hole, none twice, from memory and from the log, over restarts and crashes."""

import asyncio
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acd import feed as feeds
from acd.feed import AFTER_A_CRASH, Closed, Envelope, Feed, Gone, follow
from acd.store import Store


@pytest.fixture
def store(tmp_path: Path):
    store = Store(f"sqlite:///{tmp_path}/acd.db")
    store.open()
    yield store
    store.close()


def tell(feed: Feed, count: int) -> None:
    for _ in range(count):
        feed.publish("main", 1_000_000.0, "queue", "NEW_QUEUE", {"name": "é"}, queues=["support"])


async def heard(feed: Feed, after: int, count: int) -> list[int]:
    """The numbers of the next so many envelopes."""
    numbers: list[int] = []
    while len(numbers) < count:
        found = await feed.after(after, 5.0)
        numbers += [each.seq for each in found]
        after = numbers[-1]
    return numbers


async def test_numbers_grow_by_one_and_the_text_says_what_the_columns_say(store):
    feed = Feed(store)
    tell(feed, 3)
    found = await feed.after(0, 1.0)
    assert [each.seq for each in found] == [1, 2, 3]
    text = json.loads(found[2].text)
    assert text == {
        "seq": 3,
        "at": "1970-01-12T13:46:40.000000Z",
        "handler": "main",
        "type": "queue",
        "event": "NEW_QUEUE",
        "subject": {"name": "é"},
    }


async def test_what_is_gone_from_memory_comes_from_the_log(store, monkeypatch):
    monkeypatch.setattr(feeds, "AT_ONCE", 7)
    feed = Feed(store)
    feed._buffer = type(feed._buffer)(maxlen=10)
    tell(feed, 50)
    await store.written()
    assert await heard(feed, 0, 50) == list(range(1, 51))
    assert await heard(feed, 45, 5) == list(range(46, 51))


async def test_a_number_that_is_not_there_yet_is_gone(store):
    feed = Feed(store)
    tell(feed, 3)
    with pytest.raises(Gone):
        await feed.after(4, 1.0)


async def test_what_was_deleted_from_the_log_is_gone(store):
    feed = Feed(store)
    feed._buffer = type(feed._buffer)(maxlen=2)
    tell(feed, 5)
    await store.written()
    with store._transaction() as connection:
        connection.exec_driver_sql("DELETE FROM envelope WHERE seq <= 2")
    with pytest.raises(Gone):
        await feed.after(1, 1.0)
    assert await heard(feed, 2, 3) == [3, 4, 5]


async def test_a_hole_in_the_log_is_never_passed_over(store):
    feed = Feed(store)
    feed._buffer = type(feed._buffer)(maxlen=1)
    tell(feed, 6)
    await store.written()
    with store._transaction() as connection:
        connection.exec_driver_sql("DELETE FROM envelope WHERE seq = 4")
    assert [each.seq for each in await feed.after(0, 1.0)] == [1, 2, 3]
    with pytest.raises(Gone):
        await feed.after(3, 1.0)


async def test_after_an_end_in_good_order_numbers_go_on(store):
    first = Feed(store)
    tell(first, 2)
    first.close()
    await store.written()
    second = Feed(store)
    tell(second, 1)
    await store.written()
    assert await heard(second, 1, 3) == [2, 3, 4]


async def test_after_a_crash_nobody_resumes_over_what_may_be_lost(store):
    tell(Feed(store), 2)
    await store.written()
    second = Feed(store)
    assert second.seq == 2 + AFTER_A_CRASH
    for old in (1, 2, 3):  # 3 may have been told before the crash, and not kept
        with pytest.raises(Gone):
            await second.after(old, 1.0)
    tell(second, 1)
    assert await heard(second, 2 + AFTER_A_CRASH, 1) == [3 + AFTER_A_CRASH]


async def test_the_end_is_told_and_then_nothing_comes(store):
    feed = Feed(store)
    waiting = asyncio.create_task(feed.after(0, 5.0))
    await asyncio.sleep(0)
    feed.end_subscriptions()
    feed.end_subscriptions()
    assert [each.event for each in await waiting] == ["ENDING"]
    with pytest.raises(Closed):
        await feed.after(1, 5.0)


async def test_silence_is_told_as_such(store):
    assert await Feed(store).after(0, 0.01) == ()


async def test_what_is_told_in_the_moment_in_which_patience_runs_out_is_not_left_out(store, monkeypatch):
    monkeypatch.setattr(feeds, "PAUSE", 0.05)
    feed = Feed(store)
    tell(feed, 1)
    await feed.after(0, 1.0)
    pieces = follow(feed, 1, lambda _: True, 0.01)
    feed._round_at = asyncio.get_running_loop().time()  # the next round is later than patience lasts
    asyncio.get_running_loop().call_later(0.001, tell, feed, 1)
    assert await anext(pieces) == (1, [])
    place, found = await anext(pieces)
    assert (place, [each.seq for each in found]) == (2, [2])
    await pieces.aclose()


async def test_who_falls_behind_after_he_was_up_to_date_is_closed(store):
    feed = Feed(store)
    places = follow(feed, 0, lambda _: True, 0.01, most_behind=600)
    assert await anext(places) == (0, [])
    assert feed.stats.subscribers == 1
    tell(feed, 599)
    assert (await anext(places))[0] == 500
    tell(feed, 1000)
    assert [place async for place, _ in places] == []
    assert (feed.stats.closed_slow, feed.stats.subscribers) == (1, 0)


async def test_who_resumes_from_far_back_is_not_taken_for_slow(store):
    feed = Feed(store)
    tell(feed, 3000)
    await store.written()
    async for place, _ in follow(feed, 0, lambda _: True, 0.01, most_behind=100):
        if place == 3000:
            return


@settings(max_examples=20)
@given(
    told=st.lists(st.integers(1, 40), min_size=1, max_size=8),
    cuts=st.lists(st.integers(1, 30), max_size=8),
    kept=st.integers(1, 30),
)
def test_however_often_a_subscriber_leaves_and_resumes_he_hears_each_number_once(told, cuts, kept, tmp_path_factory):
    async def story() -> None:
        store = Store(f"sqlite:///{tmp_path_factory.mktemp('feed')}/acd.db")
        store.open()
        try:
            feed, total = Feed(store), sum(told)
            feed._buffer = type(feed._buffer)(maxlen=kept)

            async def tell_all() -> None:
                for count in told:
                    tell(feed, count)
                    await store.written()

            telling = asyncio.create_task(tell_all())
            numbers: list[int] = []
            visits = [*cuts, total]
            for visit in visits:
                async for _, found in follow(feed, numbers[-1] if numbers else 0, wanted, 0.2):
                    numbers += [each.seq for each in found]
                    if len(numbers) >= visit or numbers[-1:] == [total]:
                        break
                if numbers[-1:] == [total]:
                    break
            await telling
            assert numbers == list(range(1, total + 1))
        finally:
            store.close()

    def wanted(_: Envelope) -> bool:
        return True

    asyncio.run(story())


async def test_what_comes_in_the_moment_of_a_sign_of_life_is_told_after_it(store, monkeypatch):
    monkeypatch.setattr(feeds, "PAUSE", 60.0)  # between the change and the round that tells it
    feed = Feed(store)
    feed._round_at = asyncio.get_running_loop().time()
    pieces = follow(feed, 0, lambda _: True, 0.05)
    waiting = asyncio.ensure_future(anext(pieces))
    await asyncio.sleep(0)
    tell(feed, 1)
    assert await waiting == (0, [])
    assert [each.seq for each in (await anext(pieces))[1]] == [1]
    await pieces.aclose()
