import pytest

from phones.calls import BadOrder, CallEvent, CallOrder, to_order, to_result

ORDER = CallOrder("600")


def result_of(*events):
    return to_result(ORDER, [CallEvent(float(at), name, status) for at, name, status in events])


def test_a_caller_who_hangs_up_has_ended_the_call_at_that_moment():
    result = result_of((1, "started", None), (2, "answered", 200), (7, "hung-up", None), (8, "ended", None))
    assert (result.started, result.answered, result.ended, result.ended_by) == (1, 2, 7, "caller")
    assert (result.seconds, result.status) == (5, 200)


def test_of_two_who_hang_up_the_first_has_ended_the_call():
    assert result_of((2, "answered", 200), (3, "far-end", None), (3, "hung-up", None)).ended_by == "far end"


def test_a_refused_call_was_never_answered_and_says_why():
    result = result_of((1, "started", None), (2, "refused", 486), (3, "ended", None))
    assert (result.ended_by, result.status, result.answered, result.seconds) == ("refused", 486, None, None)


def test_a_call_without_a_proper_end_was_ended_by_nobody():
    assert result_of((1, "started", None), (33, "ended", None)).ended_by == "nobody"


def test_the_first_ringing_is_the_one_that_counts():
    assert result_of((1, "ringing", 180), (2, "ringing", 183)).ringing == 1


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"number": "60 0"},
        {"number": "600", "caller": "<x>"},
        {"number": "600", "name": 'A "B"'},
        {"number": "600", "name": "[field0]"},
        {"number": "600", "stay": -1},
        {"number": "600", "patience": 1e9},
        {"number": "600", "stay": "soon"},
        {"number": 600},
        {"number": "600", "colour": "red"},
    ],
)
def test_an_order_that_makes_no_sense_is_refused(fields):
    with pytest.raises(BadOrder):
        to_order(fields)


def test_an_order_survives_the_way_there_and_back():
    order = CallOrder("600", "555", "Ann Müller", 2.5, None)
    assert to_order(order.to_json()) == order
