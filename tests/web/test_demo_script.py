"""scripts/demo waits until the API says certain things; what it looks for is what the API writes."""

import re
from pathlib import Path

from tests.reports.books import a_call
from tests.web.house import House
from tests.web.test_reports import keep

SCRIPT = Path(__file__).parents[2] / "scripts" / "demo"
LOOKS = dict(re.findall(r"^(\w+)\(\) { get .* grep -Eq '([^']+)'; }$", SCRIPT.read_text(), re.M))


async def test_the_demo_sees_that_acd_is_linked(house: House):
    assert re.search(LOOKS["is_ready"], (await house.call("GET", "/readyz")).text)


async def test_the_demo_sees_that_five_agents_are_logged_on(house: House):
    for number in range(5):
        assert not re.search(LOOKS["agents_on"], (await house.call("GET", "")).text)
        await house.ready(agent=f"100{number}")
    assert re.search(LOOKS["agents_on"], (await house.call("GET", "")).text)


async def test_the_demo_sees_that_a_call_was_taken(house: House):
    assert not re.search(LOOKS["call_taken"], (await house.call("GET", "calls")).text)
    keep(house, a_call(house.service.now() - 60))
    assert re.search(LOOKS["call_taken"], (await house.call("GET", "calls")).text)
