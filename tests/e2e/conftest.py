"""One set of containers for the whole run; a fresh acd with an empty store for every test."""

import signal
import subprocess
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from phones.control import Phone
from tests.e2e.containers import HOST, PHONES, PROJECT, SERVICES, ContainerError, Containers, OneRunAtATime
from tests.e2e.desk import Acd, Desk
from tests.e2e.local_calls import LocalCalls
from tests.e2e.operator import Operator

LINES = 60  # of each log, shown when a test fails
DESK = pytest.StashKey[Desk]()


@pytest.fixture(scope="session")
def containers(pytestconfig: pytest.Config) -> Iterator[Containers]:
    """Removed at the end, however it comes; what a killed run left behind is removed at the start."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # pytest cleans up after Ctrl-C only
    with OneRunAtATime():
        containers = Containers()
        containers.down()
        try:
            _say(
                pytestconfig, f"building and starting the containers of {PROJECT} (minutes, when it is the first time)"
            )
            containers.up()
            yield containers
        finally:
            containers.down()


def _say(config: pytest.Config, text: str) -> None:
    """To the person who waits, past the capturing of output."""
    with config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\n{text}", flush=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def phones(containers: Containers) -> AsyncIterator[dict[int, Phone]]:
    """Connected and registered, by their numbers from 1001 on."""
    ports = containers.ports
    phones = {1001 + n: Phone(1001 + n, HOST, ports.doors + n) for n in range(PHONES)}
    for phone in phones.values():
        await phone.connect(30)
        await phone.wait_until_registered()
    yield phones
    for phone in phones.values():
        await phone.close()


@pytest_asyncio.fixture(loop_scope="session")
async def desk(
    containers: Containers, phones: dict[int, Phone], tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Desk]:
    acd = Acd(tmp_path, containers)
    desk = Desk(containers, acd, phones, mark=len(await containers.queue_log()))
    request.node.stash[DESK] = desk
    try:
        await acd.start()
        yield desk
        await desk.clear()
    finally:
        await desk.abandon()


@pytest_asyncio.fixture(loop_scope="session")
async def operator(desk: Desk) -> AsyncIterator[Operator]:
    async with Operator(desk.containers) as operator:
        yield operator


@pytest_asyncio.fixture(loop_scope="session")
async def local(desk: Desk, operator: Operator) -> AsyncIterator[LocalCalls]:
    local = LocalCalls(desk, operator)
    yield local
    await local.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """A test that fails shows what acd and Asterisk said last."""
    report = yield
    desk = item.stash.get(DESK, None)
    if report.failed and desk is not None:
        report.sections.append(("acd", "\n".join(desk.acd.log.splitlines()[-LINES:])))
        for service in SERVICES:
            report.sections.append((service, _last_words(desk.containers, service)))
    return report


def _last_words(containers: Containers, service: str) -> str:
    try:
        return containers.last_words(service, LINES)
    except (ContainerError, subprocess.TimeoutExpired) as error:
        return str(error)
