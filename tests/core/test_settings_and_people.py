"""What the settings say is the beginning; what people set lasts until the settings say something new."""

import pytest

from acd.core import events as ev
from tests.core.desk import Desk


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.agent()
    return desk


def settings(desk: Desk, period: int = 86400, **more: object) -> None:
    """acd is started with these."""
    what = {"wrap_up": {}, "groups": {}, "agents_wrap_up": {}} | more
    desk.apply(
        ev.Registrations(desk.now, what["wrap_up"], what["groups"], 10, period, 0, False, 1, what["agents_wrap_up"])
    )


def test_a_wrap_up_time_that_leaves_the_settings_is_no_more(desk):
    settings(desk, wrap_up={"support": 4.0}, agents_wrap_up={"1001": 3.0})
    assert (desk.center.queue("support").wrap_up, desk.person().wrap_up) == (4.0, 3.0)
    settings(desk)
    assert (desk.center.queue("support").wrap_up, desk.person().wrap_up) == (None, None)


def test_a_wrap_up_time_that_somebody_set_lasts_through_a_start_with_the_same_settings(desk):
    settings(desk, wrap_up={"support": 4.0}, agents_wrap_up={"1001": 3.0})
    desk.apply(ev.WrapUpSet(desk.now, 7.0, queue="support"))
    desk.apply(ev.WrapUpSet(desk.now, 8.0, agent="1001"))
    settings(desk, wrap_up={"support": 4.0}, agents_wrap_up={"1001": 3.0})
    assert (desk.center.queue("support").wrap_up, desk.person().wrap_up) == (7.0, 8.0)
    settings(desk, wrap_up={"support": 5.0}, agents_wrap_up={"1001": 2.0})
    assert (desk.center.queue("support").wrap_up, desk.person().wrap_up) == (5.0, 2.0)


def test_an_agent_who_is_made_later_has_the_wrap_up_time_of_the_settings(desk):
    settings(desk, agents_wrap_up={"1002": 3.0})
    desk.apply(desk.center.create_agent(desk.now, "1002", "bob"))
    assert desk.person("1002").wrap_up == 3.0


def test_a_group_that_somebody_changed_stays_so_until_the_settings_change(desk):
    settings(desk, groups={"all": ["support"]})
    desk.apply(ev.GroupSet(desk.now, "all", ["sales"]))
    settings(desk, groups={"all": ["support"]})
    assert desk.center.group("all").queues == ["sales"]
    settings(desk, groups={"all": ["support", "sales"]})
    assert desk.center.group("all").queues == ["support", "sales"]


def test_another_default_period_reaches_everybody_who_has_none_of_his_own(desk):
    desk.apply(desk.center.set_measurement_period(desk.now, 600, queue="sales"))
    settings(desk, period=3600)
    assert desk.person().measured.seconds == 3600
    assert desk.center.queue("support").measured.seconds == 3600
    assert desk.center.queue("sales").measured.seconds == 600


def test_an_exit_explained_after_the_period_it_belongs_to_is_not_counted_in_the_next(desk):
    desk.apply(desk.center.set_measurement_period(desk.now, 100, queue="support"))
    desk.after(90).join()
    desk.after(9)
    desk.leave()
    desk.now += 1.5
    desk.join("c2")  # in the next period
    desk.after(1)  # the exit is explained now
    seen = desk.queue_now()
    assert (seen.total_calls_queued, seen.longest_ever_wait_time) == (1, 0)
    assert desk.center.queue("support").measured.tally.left == 0


def test_another_kind_of_period_starts_the_counters_anew(desk):
    desk.join()
    desk.apply(ev.Registrations(desk.now, {}, {}, 10, 86400, 0, True))
    assert desk.queue_now().total_calls_queued == 0
    desk.join("c2")
    desk.apply(ev.Registrations(desk.now, {}, {}, 10, 86400, 0, False))
    assert desk.queue_now().total_calls_queued == 0


def test_asterisk_has_as_long_to_carry_out_an_order_as_the_settings_say(desk):
    desk.apply(ev.Registrations(desk.now, {}, {}, 10, 86400, confirm_within=30.0))
    desk.obedient = False
    desk.ask(desk.person().sessions[0], "NOT_READY", "lunch")
    assert desk.center.next_deadline() == desk.now + 30
