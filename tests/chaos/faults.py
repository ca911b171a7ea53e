"""The faults. Each says what it breaks and when, and what acd owes meanwhile."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.chaos.rig import CLOCK, LOG, SMALL_STORE, Setup
from tests.chaos.scene import Scene
from tests.e2e.containers import ContainerError
from tests.e2e.desk import eventually

SOON = 2.0  # seconds within which a closed connection is noticed
BY_PING = 10.0  # seconds within which silence is noticed
BY_WRITING = 6.0  # seconds within which a store that cannot be written is noticed

PLAIN, PROXIED, NODES = Setup(), Setup(proxied=True), Setup(nodes=True)
Happen = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """`more`: calls on top of those that are wanted, because while Asterisk is away none can come."""

    title: str
    happen: Happen
    setup: Setup = PLAIN
    more: float = 0.1


# acd --------------------------------------------------------------------------------------------------------------


def acd_killed(times: int) -> Happen:
    async def happen(scene: Scene) -> None:
        for n in range(times):
            await scene.until_calls(0.08 + 0.8 * n / times)
            await scene.a_while(0, 2)
            async with scene.acd_gone():
                await scene.rig.kill("acd")
                await scene.a_while(0.2, 5)
                await scene.rig.start("acd")

    return happen


async def acd_restarted(scene: Scene) -> None:
    for part in (0.15, 0.4, 0.65):
        await scene.until_calls(part)
        async with scene.acd_gone():
            await _end_acd(scene)
            await scene.rig.start("acd")


async def acd_away(scene: Scene) -> None:
    """Long enough for whole calls, and for many of them."""
    await scene.until_calls(0.3)
    async with scene.acd_gone():
        await _end_acd(scene)
        await asyncio.sleep(25)
        await scene.rig.start("acd")


async def _end_acd(scene: Scene) -> None:
    await scene.rig.stop("acd")
    if status := await scene.rig.exit_status("acd"):
        scene.object(f"acd ended with {status}")


async def second_acd(scene: Scene) -> None:
    """The second is refused the store, and says so; the first does not notice."""
    await scene.until_calls(0.3)
    for _ in range(3):
        began = time.monotonic()
        try:
            await scene.rig.inside("acd", "env", "ACD_WEB_PORT=8081", "timeout", "15", "acd", "serve")
        except ContainerError as refused:
            if "another acd uses" not in str(refused):
                scene.object(f"the second acd said: {refused}")
        else:
            scene.object("the second acd ended as if all were well")
        scene.note(f"the second acd ended after {time.monotonic() - began:.1f} s")
        await scene.truth(time.time())


async def clock_stepped(scene: Scene) -> None:
    """acd's machine is set forward, then back to where it was; Asterisk's is another machine."""
    for part, seconds in ((0.2, 120.0), (0.4, 0.0), (0.6, -120.0), (0.8, 0.0)):
        await scene.until_calls(part)
        program = "import struct, sys; open(sys.argv[1], 'r+b').write(struct.pack('d', float(sys.argv[2])))"
        await scene.rig.inside("acd", "python3", "-c", program, CLOCK, str(seconds))
        await scene.truth(time.time())


# Asterisk ---------------------------------------------------------------------------------------------------------


async def asterisk_restarted(scene: Scene) -> None:
    await scene.until_calls(0.3)
    async with scene.asterisk_gone():
        await scene.rig.cli("core restart now")


async def asterisk_stopped(scene: Scene) -> None:
    await scene.until_calls(0.3)
    async with scene.asterisk_gone():
        await scene.rig.stop("asterisk")
        await scene.away_for(5)
        await scene.rig.start("asterisk")


async def asterisk_killed(scene: Scene) -> None:
    await scene.until_calls(0.3)
    async with scene.asterisk_gone():
        await scene.rig.kill("asterisk")
        await scene.away_for(5)
        await scene.rig.start("asterisk")


async def asterisk_paused(scene: Scene) -> None:
    await scene.until_calls(0.3)
    async with scene.asterisk_slow():
        await scene.rig.docker("pause", scene.rig.container("asterisk"))
        await asyncio.sleep(8)
        await scene.rig.docker("unpause", scene.rig.container("asterisk"))


async def both_killed(scene: Scene) -> None:
    """As when the power fails."""
    await scene.until_calls(0.3)
    async with scene.acd_gone(), scene.asterisk_gone():
        await scene.rig.kill("asterisk", "acd")
        await scene.a_while(2, 4)
        await scene.rig.start("asterisk", "acd")


# The link ---------------------------------------------------------------------------------------------------------


async def link_cut(scene: Scene) -> None:
    await scene.until_calls(0.15)
    await scene.truth(await scene.link("cut"))
    for part, seconds in ((0.3, 5), (0.5, 20)):
        await scene.until_calls(part)
        await _no_link(scene, seconds)


async def link_away(scene: Scene) -> None:
    await scene.until_calls(0.3)
    await _no_link(scene, 6)


async def _no_link(scene: Scene, seconds: float) -> None:
    async with scene.no_link("close", SOON):
        await asyncio.sleep(seconds)


async def link_half_open(scene: Scene) -> None:
    await scene.until_calls(0.3)
    async with scene.no_link("freeze", BY_PING):
        await asyncio.sleep(20)


async def link_slow(scene: Scene) -> None:
    """Half a second on its way, and barely enough room for what there is to tell."""
    await scene.until_calls(0.3)
    await scene.link("slow 0.5 60000")
    await asyncio.sleep(20)
    await scene.truth(await scene.link("open"))


# The store --------------------------------------------------------------------------------------------------------


async def database_locked(scene: Scene) -> None:
    await scene.until_calls(0.3)
    program = (
        "import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=5);"
        "c.execute('BEGIN EXCLUSIVE'); time.sleep(10); c.execute('ROLLBACK')"
    )
    began = time.time()
    await scene.rig.inside("acd", "python3", "-c", program, scene.rig.database)
    await _store_was_away(scene, began)


async def disk_full(scene: Scene) -> None:
    await scene.until_calls(0.3)
    filler = f"{SMALL_STORE}/filler"
    await scene.rig.inside("acd", "sh", "-c", f"dd if=/dev/zero of={filler} bs=64k 2>/dev/null; sync; df {SMALL_STORE}")
    await asyncio.sleep(15)
    await scene.rig.inside("acd", "rm", filler)
    await _store_is_back(scene)  # it may have found room all the while, in the space of its own log


async def _store_was_away(scene: Scene, began: float) -> None:
    """Calls go on and are seen; that nothing can be written is told, and made good afterwards."""
    scene.reader.mute.append((began + BY_WRITING, time.time()))
    await _store_is_back(scene)


async def _store_is_back(scene: Scene) -> None:
    over = time.time()
    await eventually(scene.api.ready, 30, "acd is ready again")
    scene.note(f"ready again after {time.time() - over:.1f} s")
    await scene.truth(over)


async def database_moved(scene: Scene) -> None:
    """Somebody moves the file away, and 10 s later back, over whatever stands there then."""
    await scene.until_calls(0.3)
    folder, _, name = scene.rig.database.rpartition("/")
    files = f"{name} {name}-wal {name}-shm"
    move = f"cd {folder} && for f in {files}; do if [ -e {{0}}$f ]; then mv {{0}}$f {{1}}$f; fi; done"
    began = time.time()
    await scene.rig.inside("acd", "sh", "-c", move.format("", "away-"))
    await asyncio.sleep(10)
    await scene.rig.inside("acd", "sh", "-c", move.format("away-", ""))
    scene.note(f"moved away at {began:.1f}")
    await scene.truth(time.time())


# queue_log --------------------------------------------------------------------------------------------------------


async def log_rotated(scene: Scene) -> None:
    """In the middle of a gap: acd must look into two files."""
    await scene.until_calls(0.3)
    async with scene.acd_gone():
        await _end_acd(scene)
        await asyncio.sleep(8)
        await scene.rig.inside("asterisk", "mv", f"{LOG}/queue_log", f"{LOG}/queue_log.1")
        await scene.rig.cli("logger reload")
        await asyncio.sleep(8)
        await scene.rig.start("acd")


# Nodes ------------------------------------------------------------------------------------------------------------


async def leader_killed(scene: Scene) -> None:
    await scene.until_calls(0.25)
    async with scene.leader_gone() as gone:
        await scene.rig.kill(gone)
    await scene.rig.start(gone)
    await scene.until_calls(0.55)
    await scene.follows(gone)
    async with scene.leader_gone() as gone:
        await scene.rig.stop(gone)


async def leader_frozen(scene: Scene) -> None:
    """It wakes up later, in the belief that it leads."""
    await scene.until_calls(0.3)
    async with scene.leader_gone() as gone:
        await scene.rig.docker("pause", scene.rig.container(gone))
    await scene.a_while(3, 6)
    await scene.rig.docker("unpause", scene.rig.container(gone))
    await scene.follows(gone)


async def leader_cut_off(scene: Scene) -> None:
    """From everything: Asterisk, the database, the other node."""
    await scene.until_calls(0.3)
    network = f"{scene.rig.project}_default"
    async with scene.leader_gone() as gone:
        await scene.rig.docker("network", "disconnect", network, scene.rig.container(gone))
    await scene.a_while(3, 6)
    await scene.rig.docker("network", "connect", "--alias", gone, network, scene.rig.container(gone))
    await scene.follows(gone)


FAULTS = {
    "acd-killed": Fault("acd killed five times (SIGKILL)", acd_killed(5)),
    "acd-restarted": Fault("acd ended and started three times (SIGTERM)", acd_restarted),
    "acd-away": Fault("acd ended, and started 25 s later", acd_away),
    "second-acd": Fault("a second acd started on the same store, three times", second_acd),
    "clock-stepped": Fault(
        "acd's clock set 120 s forward, back, 120 s back, forward", clock_stepped, Setup(settable_clock=True)
    ),
    "asterisk-restarted": Fault("Asterisk told to `core restart now`", asterisk_restarted, more=0.3),
    "asterisk-stopped": Fault("Asterisk stopped, and started 5 s later", asterisk_stopped, more=0.3),
    "asterisk-killed": Fault("Asterisk killed (SIGKILL), and started 5 s later", asterisk_killed, more=0.3),
    "asterisk-paused": Fault("Asterisk stands still for 8 s", asterisk_paused, more=0.2),
    "both-killed": Fault("Asterisk and acd killed at once, and started", both_killed, more=0.3),
    "link-cut": Fault("AMI link reset; away for 5 s; away for 20 s", link_cut, PROXIED),
    "link-half-open": Fault("AMI link half-open for 20 s: nothing passes, nobody is told", link_half_open, PROXIED),
    "link-slow": Fault("AMI link slow for 20 s: 0.5 s late, 60 kB/s", link_slow, PROXIED),
    "database-locked": Fault("the database locked by another process for 10 s", database_locked),
    "disk-full": Fault("the store's disk full for 15 s", disk_full, Setup(small_store=True)),
    "database-moved": Fault("the database's file moved away for 10 s", database_moved),
    "log-rotated": Fault("queue_log rotated while acd was away for 16 s", log_rotated),
    "leader-killed": Fault("two nodes: the one that leads killed, the next ended", leader_killed, NODES),
    "leader-frozen": Fault("two nodes: the one that leads frozen, and woken up later", leader_frozen, NODES),
    "leader-cut-off": Fault("two nodes: the one that leads cut off from everything", leader_cut_off, NODES),
}
