"""The parts that pages are made of, each by itself in Chromium."""

import itertools
import random
import re
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page

from acd.web.pages import STATIC
from tests.web.house import House

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHOW = """async (turns) => {
  const { List, el } = await import("/static/dom.js");
  const parent = el("ul");
  const list = new List(parent, (item) => item, (item) => ({ element: el("li", {}, item), update() {} }));
  return turns.map((items) => { list.show(items); return [...parent.children].map((each) => each.textContent); });
}"""
MOVES = """async ([before, after]) => {
  const { List, el } = await import("/static/dom.js");
  const parent = el("ul");
  const list = new List(parent, (item) => item, (item) => ({ element: el("li", {}, item), update() {} }));
  list.show(before);
  const seen = new MutationObserver(() => {});
  seen.observe(parent, { childList: true });
  list.show(after);
  return seen.takeRecords().reduce((sum, each) => sum + each.addedNodes.length, 0);
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def blank(page: Page, house: House) -> Page:
    """A page of acd's that is not signed in, from which modules can be imported."""
    await page.goto(str(house.client.make_url("/")))
    await page.wait_for_selector("acd-sign-in")
    return page


async def test_a_list_shows_its_items_in_their_order_whatever_came_went_and_moved(blank: Page):
    dice = random.Random(7)
    letters = "abcdefghij"
    turns = [dice.sample(letters, dice.randint(0, len(letters))) for _ in range(300)]
    turns += [list(order) for order in itertools.permutations("abcd")]
    assert await blank.evaluate(SHOW, turns) == turns


async def test_a_list_moves_no_more_than_what_moved(blank: Page):
    assert await blank.evaluate(MOVES, [list("abcdefgh"), list("bcdefgha")]) == 1
    assert await blank.evaluate(MOVES, [list("abcdefgh"), list("habcdefg")]) == 1
    assert await blank.evaluate(MOVES, [list("abcdefgh"), list("abcdefgh")]) == 0


async def test_both_languages_have_the_same_texts_with_the_same_places(blank: Page):
    flat = """async () => {
      const found = {};
      const walk = (prefix, part, into) => typeof part === "string" ? (into[prefix] = part)
        : Object.entries(part).forEach(([name, each]) => walk(prefix ? `${prefix}.${name}` : name, each, into));
      for (const language of ["en", "de"]) {
        walk("", (await import(`/static/texts/${language}.js`)).texts, (found[language] = {}));
      }
      return found;
    }"""
    texts = await blank.evaluate(flat)
    assert texts["en"].keys() == texts["de"].keys()
    for key, text in texts["en"].items():
        assert sorted(re.findall(r"{\w+}", text)) == sorted(re.findall(r"{\w+}", texts["de"][key])), key


async def test_every_text_that_is_asked_for_is_there(blank: Page):
    asked = set()
    for path in Path(STATIC).rglob("*.js"):
        if "npm" not in path.parts:
            asked |= set(re.findall(r'\bt\("([\w.]+)"', path.read_text()))
    missing = """async (keys) => {
      const { has } = await import("/static/texts.js");
      return keys.filter((key) => !has(key));
    }"""
    assert len(asked) > 30
    assert await blank.evaluate(missing, sorted(asked)) == []


@pytest.mark.parametrize(
    ("seconds", "shown"), [(None, "\u2013"), (0, "0:00"), (59.9, "0:59"), (61, "1:01"), (3600, "1:00:00"), (-3, "0:00")]
)
async def test_a_duration_is_shown_as_people_read_it(blank: Page, seconds, shown):
    assert await blank.evaluate('async (s) => (await import("/static/format.js")).duration(s)', seconds) == shown


@pytest.mark.parametrize(
    ("value", "limits", "judgement"),
    [
        (4, [5, 10], "good"),
        (5, [5, 10], "attention"),
        (10, [5, 10], "bad"),
        (0.81, [0.8, 0.7], "good"),
        (0.8, [0.8, 0.7], "attention"),
        (0.7, [0.8, 0.7], "bad"),
        (2, [1, 0], "good"),
        (0, [1, 0], "bad"),
        (None, [1, 0], "none"),
    ],
)
async def test_a_figure_is_judged_by_its_target(blank: Page, value, limits, judgement):
    judged = 'async ([v, l]) => (await import("/static/format.js")).judged(v, l)'
    assert await blank.evaluate(judged, [value, limits]) == judgement
