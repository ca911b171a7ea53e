"""The ears of the other tests: phones hear whom they talk with, and nobody else."""

import pytest

from phones.control import Phone, PhoneError
from tests.e2e.sound import call, hang_up, until_hearing

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(60, func_only=True)]


async def test_two_phones_in_a_call_hear_one_another_and_nobody_else(phones: dict[int, Phone]) -> None:
    pairs = [(1001, 1002), (1003, 1004)]
    for one, other in pairs:
        await call(phones, one, other)
    await until_hearing(phones, {1001: {1002}, 1002: {1001}, 1003: {1004}, 1004: {1003}})
    await hang_up(phones, (1001, 1003))
    for phone in (phones[1002], phones[1004]):
        await phone.wait_until_idle()


async def test_a_phone_on_hold_hears_its_caller_no_more(phones: dict[int, Phone]) -> None:
    await call(phones, 1001, 1002)
    await phones[1002].hold()
    await until_hearing(phones, {1001: set()})
    await phones[1002].resume()
    await until_hearing(phones, {1001: {1002}, 1002: {1001}})
    await hang_up(phones, (1001,))
    await phones[1002].wait_until_idle()


async def test_a_phone_without_a_call_hears_nothing(phones: dict[int, Phone]) -> None:
    with pytest.raises(PhoneError, match="hears nothing"):
        await phones[1005].listen()
