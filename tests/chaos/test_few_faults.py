"""Six of the faults with fewer calls, so that they fit into every run; all of them are in `make chaos`."""

import random
from pathlib import Path

import pytest

from tests.chaos.audit import Findings
from tests.chaos.faults import (
    NODES,
    Happen,
    acd_killed,
    asterisk_killed,
    leader_cut_off,
    leader_frozen,
    leader_killed,
    link_away,
)
from tests.chaos.rig import Rig, Setup
from tests.chaos.scene import Scene

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240, func_only=True)]

CALLS = 50
WANTED = 25  # of them, because while Asterisk is away none can come
RATE = 3.0  # a second


async def _play(rig: Rig, folder: Path, fault: Happen, setup: Setup) -> Findings:
    print("seed", seed := random.randrange(10_000))
    return await Scene(rig, "few", CALLS, seed, folder, rate=RATE).play(setup, fault)


def _nothing_is_amiss(found: Findings) -> None:
    assert found.calls >= WANTED
    assert found.sentences() == []
    assert found.to_truth


async def test_acd_is_killed_under_load_and_no_call_is_lost(rig: Rig, tmp_path: Path) -> None:
    _nothing_is_amiss(await _play(rig, tmp_path, acd_killed(2), Setup()))


async def test_asterisk_is_killed_under_load_and_what_it_took_with_it_is_told(rig: Rig, tmp_path: Path) -> None:
    _nothing_is_amiss(await _play(rig, tmp_path, asterisk_killed, Setup()))


async def test_the_link_is_away_under_load_and_no_call_is_lost(rig: Rig, tmp_path: Path) -> None:
    _nothing_is_amiss(await _play(rig, tmp_path, link_away, Setup(proxied=True)))


async def test_a_node_that_leads_is_killed_and_another_takes_over_within_five_seconds(rig: Rig, tmp_path: Path) -> None:
    _nothing_is_amiss(await _play(rig, tmp_path, leader_killed, NODES))


async def test_a_node_that_was_frozen_has_nothing_more_to_say(rig: Rig, tmp_path: Path) -> None:
    _nothing_is_amiss(await _play(rig, tmp_path, leader_frozen, NODES))


async def test_a_node_that_was_cut_off_follows_when_it_is_back(rig: Rig, tmp_path: Path) -> None:
    _nothing_is_amiss(await _play(rig, tmp_path, leader_cut_off, NODES))
