"""What is deleted in the course of time, and that nothing anybody can ask for changes by it."""

import asyncio
import json
from collections.abc import Sequence

import pytest

from acd.access.principals import Role
from acd.access.register import Register
from acd.checkpoints import Checkpoints
from acd.core import events as ev
from acd.core.center import Center
from acd.core.records import State
from acd.feed import Feed, Gone
from acd.store import STATE, BeforeTheLog, Store, retention
from acd.store.retention import DAY, HOUR, Retention, superfluous
from acd.store.tables import AgentTimeRow, CommandRow, TokenRow, WebhookRow
from tests.core.desk import START
from tests.databases import Database
from tests.helpers import until
from tests.test_store import STORIES, a_visit, an_event, an_ordinary_day, replayed, told

MIDNIGHT = 20000 * DAY


def keep(store: Store, history: Sequence[ev.Event], every: int) -> None:
    """Events as they come, with a checkpoint every so many of them."""
    center = Center()
    for number, event in enumerate(history, 1):
        center.apply(event)
        store.append("main", event)
        if number % every == 0:
            Checkpoints("main", store).keep(center.state)


def whole(center: Center) -> object:
    return STATE.dump_python(center.state)


def restored(store: Store, at: float | None = None) -> object:
    state, tail = store.load("main") if at is None else store.load_at("main", at)
    return whole(replayed(tail, state))


def deleted(
    database: Database, now: float, events: int = 0, calls: int = 0, commands: int = 0, *, stream: int = 24
) -> int:
    """Everything that is due is deleted; returns in how many steps."""
    begin = database.engine.begin
    return len(list(Retention(begin, events, calls, commands, lambda: now, keep_stream_hours=stream).steps()))


def checkpoints(database: Database) -> list[int]:
    return [seq for (seq,) in database.rows("SELECT seq FROM checkpoint ORDER BY seq")]


# The state


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("every", [1, 7])
def test_a_restart_gives_the_same_state_after_old_events_are_deleted(database, story, every):
    history = told(story)
    with database.opened() as store:
        keep(store, history, every)
    before = database.numbers()
    with database.opened() as store:
        state = restored(store)
    deleted(database, history[-1].at + 2 * DAY, events=1)
    with database.opened() as store:
        assert restored(store) == state == whole(replayed(history))
    assert database.numbers() == before[len(before) // every * every :]


@pytest.mark.parametrize("limit", [None, 0.3, 0.7])
def test_the_state_at_any_time_within_the_limit_is_told(database, limit):
    history = told(an_ordinary_day)
    begin, end = history[0].at, history[-1].at
    since = begin if limit is None else begin + limit * (end - begin)
    with database.opened() as store:
        keep(store, history, 3)
    if limit is not None:
        deleted(database, since + DAY, events=1)
        assert 0 < len(database.numbers()) < len(history)
    with database.opened() as store:
        for moment in sorted({event.at + odd for event in history for odd in (-0.001, 0, 0.001)}):
            if moment < since:
                continue
            until_then = [event for event in history if event.at <= moment]
            assert restored(store, moment) == whole(replayed(until_then)), moment
        assert restored(store, end + 1) == restored(store)


def test_a_replay_begins_at_the_last_checkpoint_before_the_time_asked_for(database):
    with database.opened() as store:
        keep(store, [an_event(number) for number in range(1, 31)], 10)
    with database.opened() as store:
        assert store.load_at("main", START + 25)[1] == [an_event(number) for number in range(21, 26)]
        assert store.load_at("main", START + 5)[1] == [an_event(number) for number in range(1, 6)]
        assert store.load_at("main", START) == (State(), [])
        assert store.load_at("nobody", START + 25) == (State(), [])


def test_what_is_later_than_asked_for_is_left_out_of_a_replay_also_when_clocks_go_back(database):
    times = [1.0, 2.0, 2.5, 2.4, 3.0]
    with database.opened() as store:
        for at in times:
            store.append("main", ev.CallerAbandoned(at, str(at), "support"))
    with database.opened() as store:
        assert [event.at for event in store.load_at("main", 2.45)[1]] == [1.0, 2.0, 2.4]
        assert [event.at for event in store.load_at("main", 2.5)[1]] == [1.0, 2.0, 2.5, 2.4]


def test_what_was_before_the_log_is_refused_and_it_is_said_since_when_it_can_be_told(database):
    history = [ev.CallerAbandoned(START + day * DAY, "c", "support") for day in range(1, 21)]
    with database.opened() as store:
        keep(store, history, 5)
    deleted(database, START + 13 * DAY, events=1)
    assert database.numbers() == list(range(11, 21))
    with database.opened() as store:
        assert store.load_at("main", START + 10 * DAY)[1] == []
        with pytest.raises(
            BeforeTheLog, match=r"the log of main reaches back to \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00"
        ):
            store.load_at("main", START + 9.99 * DAY)


# Events


def test_nothing_is_deleted_when_everything_is_kept_for_ever(database):
    with database.opened() as store:
        keep(store, [an_event(number) for number in range(1, 21)], 20)
        store.keep_call("main", a_visit())
    deleted(database, START + 40000 * DAY)
    assert database.numbers() == list(range(1, 21))
    assert database.rows("SELECT count(*) FROM call") == [(1,)]


def test_events_without_a_checkpoint_behind_them_stay_however_old_they_are(database):
    with database.opened() as store:
        for number in range(1, 6):
            store.append("main", an_event(number))
    deleted(database, START + 1000 * DAY, events=1)
    assert database.numbers() == [1, 2, 3, 4, 5]


def test_an_event_that_is_younger_than_the_limit_stays(database):
    with database.opened() as store:
        keep(store, [an_event(number) for number in range(1, 21)], 1)
    deleted(database, START + 10 + DAY, events=1)
    assert database.numbers() == list(range(11, 21))


def test_each_handler_has_a_log_of_its_own(database):
    with database.opened() as store:
        for number in range(1, 11):
            store.append("main" if number % 2 else "other", an_event(number))
        Checkpoints("main", store).keep(State(tells_status=True))
    deleted(database, START + 100 * DAY, events=1)
    assert database.rows("SELECT handler, seq FROM event ORDER BY seq") == [("other", seq) for seq in range(1, 6)]
    with database.opened() as store:
        assert store.load("main") == (State(tells_status=True), [])
        assert store.load_at("other", START + 4) == (State(), [an_event(2), an_event(4)])


def test_a_checkpoint_made_while_a_clock_was_wrong_costs_no_young_event(database):
    with database.opened() as store:
        store.append("main", an_event(1))
        Checkpoints("main", store).keep(State())
        store.append("main", ev.CallerAbandoned(0.0, "1970", "support"))
        Checkpoints("main", store).keep(State())
        store.append("main", an_event(3))
    deleted(database, START + DAY / 2, events=1)
    assert database.numbers() == [1, 2, 3]


def test_numbers_are_never_used_again_even_if_no_event_is_left(database):
    with database.opened() as store:
        keep(store, [an_event(number) for number in range(1, 11)], 10)
    deleted(database, START + 100 * DAY, events=1)
    assert database.numbers() == []
    with database.opened() as store:
        assert store.append("main", an_event(11)) == 11
    with database.opened() as store:
        assert store.load("main")[1] == [an_event(11)]


def test_the_number_of_an_event_that_was_given_up_is_not_used_again_behind_a_checkpoint(database):
    with database.opened() as store:
        keep(store, [an_event(number) for number in range(1, 11)], 10)
    database.run("DELETE FROM event WHERE seq > 3")  # as when the database was away for too long
    with database.opened() as store:
        assert store.append("main", an_event(11)) == 11
    with database.opened() as store:
        assert store.load("main")[1] == [an_event(11)]


def test_deleting_goes_on_where_it_was_broken_off(database, monkeypatch):
    monkeypatch.setattr(retention, "ROWS", 3)
    with database.opened() as store:
        keep(store, [an_event(number) for number in range(1, 31)], 30)
    steps = Retention(database.engine.begin, 1, 0, 0, lambda: START + 100 * DAY, keep_stream_hours=24).steps()
    while len(database.numbers()) > 20:
        next(steps)
    assert database.numbers()[-1] == 30
    assert deleted(database, START + 100 * DAY, events=1) > 5
    assert database.numbers() == []


# Checkpoints


def test_of_old_checkpoints_one_a_day_stays_and_of_the_last_day_one_an_hour():
    now = MIDNIGHT + 12 * HOUR + 60
    made = [(seq, MIDNIGHT - 3 * DAY + seq * HOUR / 2) for seq in range(1, 1000)]
    made = [checkpoint for checkpoint in made if checkpoint[1] < now]
    spare = superfluous(made, now)
    kept = [at - MIDNIGHT for seq, at in made if seq not in spare]
    assert kept[:3] == [-3 * DAY + HOUR / 2, -2 * DAY, -DAY]
    assert kept[3] == -11.5 * HOUR  # the hour that was cut by the end of the day
    assert kept[4:] == [hour * HOUR for hour in range(-11, 13)]
    assert superfluous([made[0]], now) == superfluous([], now) == []


def test_the_newest_checkpoint_stays_however_old_and_close_to_another_it_is(database):
    with database.opened() as store:
        keep(store, [an_event(number) for number in range(1, 11)], 1)
    assert checkpoints(database) == list(range(1, 11))
    deleted(database, START + 100 * DAY)
    assert checkpoints(database) == [1, 10]
    deleted(database, START + 100 * DAY, events=1)
    assert checkpoints(database) == [10]


def test_a_state_in_the_past_is_the_same_after_checkpoints_are_thinned(database):
    history = told(an_ordinary_day)
    with database.opened() as store:
        keep(store, history, 2)
    many = checkpoints(database)
    moments = [event.at for event in history]
    with database.opened() as store:
        before = [restored(store, moment) for moment in moments]
    deleted(database, history[-1].at + 100 * DAY)
    assert len(checkpoints(database)) < len(many)
    with database.opened() as store:
        assert [restored(store, moment) for moment in moments] == before


# The ledger


def test_calls_that_entered_before_the_limit_are_deleted_of_every_handler(database, monkeypatch):
    monkeypatch.setattr(retention, "ROWS", 4)
    with database.opened() as store:
        for handler in ("main", "other", "third"):
            for day in range(10):
                visit = a_visit()
                visit.key, visit.entered = f"c{day}/support/1", START + day * DAY
                store.keep_call(handler, visit)
    deleted(database, START + 17.5 * DAY, calls=10)
    left = database.rows("SELECT handler, key FROM call ORDER BY handler, key")
    assert left == [(handler, f"c{day}/support/1") for handler in ("main", "other", "third") for day in (8, 9)]


# What agents did


def did(database: Database, handler: str = "main") -> list[tuple[str, float]]:
    rows = database.rows("SELECT handler, agent, at FROM agent_time ORDER BY agent, at")
    return [(agent, (at - START) / DAY) for there, agent, at in rows if there == handler]


def worked(store: Store, agent: str, days: Sequence[float], handler: str = "main") -> None:
    for day in days:
        store.keep(
            AgentTimeRow(handler=handler, agent=agent, at=START + day * DAY, state="READY", reason="", wrap_up=False)
        )


def test_what_agents_did_is_deleted_with_the_calls_but_for_what_each_did_at_the_limit(database, monkeypatch):
    monkeypatch.setattr(retention, "FEW", 3)
    with database.opened() as store:
        for handler in ("main", "other"):
            worked(store, "alice", [0, 1, 2, 3, 4, 5, 6, 7, 9], handler)
            worked(store, "bob", [0, 0.5], handler)
            worked(store, "carol", [8], handler)
            worked(store, "dave", [3, 5], handler)
    deleted(database, START + 15 * DAY, calls=10)
    expected = [("alice", 5), ("alice", 6), ("alice", 7), ("alice", 9), ("bob", 0.5), ("carol", 8), ("dave", 5)]
    assert did(database) == did(database, "other") == expected
    deleted(database, START + 15.5 * DAY, calls=10)
    assert did(database) == expected
    deleted(database, START + 1000 * DAY, calls=10)
    assert did(database) == [("alice", 9), ("bob", 0.5), ("carol", 8), ("dave", 5)]


def test_what_agents_did_is_kept_as_long_as_the_calls(database):
    with database.opened() as store:
        worked(store, "alice", [0, 1])
    deleted(database, START + 40000 * DAY)
    assert did(database) == [("alice", 0), ("alice", 1)]


# The log of commands


def test_commands_are_deleted_when_they_are_too_old_and_only_if_somebody_wants_that(database, monkeypatch):
    monkeypatch.setattr(retention, "FEW", 3)
    with database.opened() as store:
        for day in range(10):
            at, path = START + day * DAY, "/api/v1/session"
            store.keep(
                CommandRow(
                    id=f"c{day}", at=at, who="carol", role="admin", source="", method="POST", path=path, status=201
                )
            )
    deleted(database, START + 40000 * DAY)
    assert database.rows("SELECT count(*) FROM command") == [(10,)]
    deleted(database, START + 17.5 * DAY, commands=10)
    assert database.rows("SELECT id FROM command ORDER BY id") == [("c8",), ("c9",)]


# The stream


def tell(store: Store, *envelopes: tuple[int, float]) -> None:
    texts = dict.fromkeys(("handler", "type", "event", "agents", "queues", "groups", "text"), "x")
    for seq, hour in envelopes:
        store.keep_envelope({"seq": seq, "at": START + hour * HOUR, **texts})


def stream(database: Database) -> list[int]:
    return [seq for (seq,) in database.rows("SELECT seq FROM envelope ORDER BY seq")]


def test_envelopes_are_deleted_when_they_are_so_many_hours_old(database, monkeypatch):
    monkeypatch.setattr(retention, "FEW", 4)
    with database.opened() as store:
        tell(store, *((seq, seq) for seq in range(1, 31)))
    deleted(database, START + 30 * HOUR)
    assert stream(database) == list(range(6, 31))
    deleted(database, START + 30 * HOUR, stream=12)
    assert stream(database) == list(range(18, 31))


def test_the_newest_envelope_stays_however_old_so_that_its_number_is_not_given_again(database):
    with database.opened() as store:
        tell(store, *((seq, 0) for seq in range(1, 6)))
    deleted(database, START + 100 * DAY)
    assert stream(database) == [5]
    with database.opened() as store:
        assert Feed(store).seq >= 5


def test_deleting_makes_no_hole_in_the_stream_where_a_clock_went_back(database, monkeypatch):
    monkeypatch.setattr(retention, "FEW", 2)
    with database.opened() as store:
        tell(store, (1, 0), (2, 40), (3, 0), (4, 40), (5, 40))
    deleted(database, START + 30 * HOUR)
    assert stream(database) == [4, 5]


def test_envelopes_of_a_time_yet_to_come_do_not_keep_the_others_for_ever(database):
    with database.opened() as store:
        tell(store, (1, 10_000), (2, 10_000), (3, 0), (4, 29))
    deleted(database, START + 30 * HOUR)
    assert stream(database) == [4]


def test_a_subscriber_for_whom_too_much_was_deleted_is_told_so(database):
    async def story(store: Store) -> None:
        feed = Feed(store)
        with pytest.raises(Gone):
            await feed.after(2, 0.1)
        assert [each.seq for each in await feed.after(6, 0.1)] == list(range(7, 31))

    with database.opened() as store:
        tell(store, *((seq, seq) for seq in range(1, 31)))
    database.run("UPDATE envelope SET type = 'acd', event = 'ENDED', agents = '[]', queues = '[]', groups = '[]'")
    deleted(database, START + 30 * HOUR)
    with database.opened() as store:
        asyncio.run(story(store))


# Who comes in, and where is posted to


def a_token(id: str, revoked: float | None, expires: float | None) -> TokenRow:
    who = {"kind": "session", "name": "carol", "role": "admin", "hash": "", "created": START, "created_by": ""}
    return TokenRow(id=id, revoked=revoked, expires=expires, **who)


def test_tokens_are_deleted_a_day_after_they_ended(database, monkeypatch):
    monkeypatch.setattr(retention, "FEW", 2)
    with database.opened() as store:
        for id, revoked, expires in [
            ("for ever", None, None),
            ("revoked", START, None),
            ("revoked now", START + 2 * DAY, None),
            ("expired", None, START),
            ("expired and revoked", START, START),
            ("expired now", None, START + 2 * DAY),
            ("to expire", None, START + 9 * DAY),
            ("to expire, and revoked", START, START + 9 * DAY),
        ]:
            store.keep(a_token(id, revoked, expires))
    deleted(database, START + 2.5 * DAY)
    left = [id for (id,) in database.rows("SELECT id FROM token ORDER BY id")]
    assert left == ["expired now", "for ever", "revoked now", "to expire"]


def test_accounts_are_deleted_a_day_after_they_were_removed(database):
    now = START
    with database.opened() as store:
        register = Register(store, "", lambda *_: None, clock=lambda: now)
        for name in ("carol", "dave"):
            register.set_account(name, Role.ADMIN, None, "its hash")
        now = START + 5 * DAY
        register.remove_account("carol")
    deleted(database, now + 0.9 * DAY)
    assert database.rows("SELECT name FROM account ORDER BY name") == [("carol",), ("dave",)]
    deleted(database, now + 1.1 * DAY)
    assert database.rows("SELECT name FROM account") == [("dave",)]


def test_webhooks_are_deleted_a_day_after_they_were_removed(database):
    with database.opened() as store:
        for id, removed in (("gone", True), ("there", False)):
            more = {"secret": "", "wanted": "{}", "created_by": "", "position": 5, "paused": False}
            store.keep(WebhookRow(id=id, url="http://a/", created=0, removed=removed, changed=START, **more))
    deleted(database, START + 0.9 * DAY)
    assert database.rows("SELECT count(*) FROM webhook") == [(2,)]
    deleted(database, START + 1.1 * DAY)
    assert database.rows("SELECT id FROM webhook") == [("there",)]


# On the writer's thread


async def test_what_is_too_old_is_deleted_at_the_start_and_every_hour(database, monkeypatch):
    monkeypatch.setattr("acd.store.PAUSE", 0.001)
    now = START + 100 * DAY
    with database.opened() as store:
        keep(store, [an_event(number) for number in range(1, 11)], 10)
    monkeypatch.setattr("acd.store.RETENTION_EVERY", 0.01)
    monkeypatch.setattr("acd.store.RETENTION_AFTER", 0.0)
    with database.opened(keep_events_days=1, clock=lambda: now) as store:
        await until(lambda: database.numbers() == [], what="deleted at the start")
        store.append("main", ev.CallerAbandoned(now, "c", "support"))
        Checkpoints("main", store).keep(State())
        await store.written()
        assert database.numbers() == [11]
        now += 2 * DAY
        await until(lambda: database.numbers() == [], what="deleted an hour later")


async def test_what_is_to_be_written_does_not_wait_until_all_is_deleted(database, monkeypatch):
    monkeypatch.setattr(retention, "ROWS", 1)
    with database.opened() as store:
        keep(store, [an_event(number) for number in range(1, 1001)], 1000)
    monkeypatch.setattr("acd.store.RETENTION_AFTER", 0.0)
    with database.opened(keep_events_days=1, clock=lambda: START + 100 * DAY) as store:
        await until(lambda: database.numbers()[0] > 1, what="deleting has begun")
        store.append("main", an_event(1001))
        await store.written()
        assert (database.numbers()[0] < 1000, database.numbers()[-1]) == (True, 1001)


async def test_a_database_that_cannot_delete_now_is_told_and_written_as_before(database, monkeypatch, caplog):
    monkeypatch.setattr("acd.store.RETENTION_EVERY", 0.01)
    monkeypatch.setattr("acd.store.RETENTION_AFTER", 0.0)
    with database.opened(keep_calls_days=1) as store:
        database.rename("checkpoint", "elsewhere")
        await until(lambda: "cannot be deleted at present" in caplog.text, what="told")
        database.rename("elsewhere", "checkpoint")
        store.append("main", an_event(1))
        await store.written()
        assert store.problem is None
    assert database.numbers() == [1]
    assert json.loads(database.rows("SELECT data FROM event")[0][0]) == list(an_event(1))
