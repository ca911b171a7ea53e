"""Idempotency-Key: a command that comes twice is carried out once."""

import pytest

from tests.web.house import House

TOKENS = "/api/v1/tokens"
BODY = b'{"name": "wallboard", "role": "integration"}'


async def test_a_command_that_comes_again_with_its_key_gets_the_answer_of_the_first_time(house: House):
    first = await house.send("POST", TOKENS, BODY, **{"Idempotency-Key": "k"})
    again = await house.send("POST", TOKENS, BODY, **{"Idempotency-Key": "k"})
    assert (first.status, again.status) == (201, 201)
    assert again.body == first.body
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len((await house.get(TOKENS))["items"]) == 1


async def test_another_key_is_another_command(house: House):
    for key in "ab":
        assert (await house.send("POST", TOKENS, BODY, **{"Idempotency-Key": key})).status == 201
    assert len((await house.get(TOKENS))["items"]) == 2


async def test_a_key_that_comes_with_another_body_is_refused_and_nothing_done(house: House):
    await house.send("POST", TOKENS, BODY, **{"Idempotency-Key": "k"})
    answer = await house.send("POST", TOKENS, BODY.replace(b"wallboard", b"other"), **{"Idempotency-Key": "k"})
    assert (answer.status, answer.body["code"]) == (409, "idempotency-key-reused")
    assert [each["name"] for each in (await house.get(TOKENS))["items"]] == ["wallboard"]


@pytest.mark.parametrize("key", ["", "k" * 201])
async def test_a_key_that_cannot_be_kept_is_refused_by_name(house: House, key: str):
    answer = await house.send("POST", TOKENS, BODY, **{"Idempotency-Key": key})
    assert (answer.status, answer.fields) == (422, ["header.Idempotency-Key"])
    assert (await house.get(TOKENS))["items"] == []
