"""The OpenAPI description: it is whole, it is right, it is the one in docs/, and /docs shows it without a network."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypedDict

import pytest
from aiohttp import web
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel

from acd.access.principals import ADMINS, EVERYBODY, Role
from acd.access.refusals import Forbidden
from acd.core.refusals import UnknownAgent
from acd.core.views import AgentView
from acd.web import docs, fields, pages
from acd.web.answers import Page, Time
from acd.web.app import DESCRIPTION, OPERATIONS
from acd.web.openapi import description
from acd.web.operations import Operations
from acd.web.problems import STATUS
from acd.web.schemas import Schemas, example_of
from tests.web.house import TOKEN, House

Json = dict[str, Any]
KEPT = Path(__file__).parent.parent.parent / "docs" / "openapi.json"
WHOLE = DESCRIPTION.document


def every_operation() -> Iterator[tuple[str, str, Json]]:
    for path, methods in WHOLE["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def everything(inside: Any, at: str = "#") -> Iterator[tuple[str, Json]]:
    """Every object of the document, with the place where it stands."""
    if isinstance(inside, dict):
        yield at, inside
    for key, each in inside.items() if isinstance(inside, dict) else enumerate(inside):
        if isinstance(each, dict | list):
            yield from everything(each, f"{at}/{key}")


def resolved(part: Json) -> Json:
    """What a $ref refers to."""
    while "$ref" in part:
        found: Any = WHOLE
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part


def fits(schema: Json, value: Any) -> None:
    """Raises jsonschema.ValidationError where a value is not as a schema of the document says."""
    Draft202012Validator({**schema, "components": WHOLE["components"]}).validate(value)


# The document ---------------------------------------------------------------------------------------------


def test_it_is_valid_openapi_3_1():
    OpenAPIV31SpecValidator(WHOLE).validate()
    assert WHOLE["openapi"].startswith("3.1.")


def test_it_is_the_one_that_is_kept_in_the_documents():
    same = KEPT.read_text() == DESCRIPTION.text
    assert same, "the API is not as docs/openapi.json says: renew it with .venv/bin/acd openapi > docs/openapi.json"


def test_the_command_line_prints_it(capsys: pytest.CaptureFixture[str]):
    from acd.__main__ import main  # here, as all the other tests need no command line

    assert main(["openapi"]) == 0
    assert capsys.readouterr().out == DESCRIPTION.text


def test_every_route_of_the_application_is_in_it_and_nothing_else():
    described = {(method.upper(), path) for method, path, _ in every_operation()}
    assert described == {(each.method, each.path) for each in OPERATIONS}


async def test_the_application_has_no_other_routes(house: House):
    routes = {(route.method, route.resource.canonical) for route in house.app.router.routes() if route.resource}
    described = {(each.method, each.path) for each in OPERATIONS}
    others = {path for method, path in routes - described if method != "HEAD"}
    assert others == docs.FILES.keys() | pages.FILES.keys()


def test_every_operation_has_an_id_of_its_own_a_summary_and_a_tag_that_is_explained():
    operations = [operation for _, _, operation in every_operation()]
    assert len({each["operationId"] for each in operations}) == len(operations)
    tags = {tag["name"]: tag["description"] for tag in WHOLE["tags"]}
    assert all(tags.values())
    for operation in operations:
        assert operation["summary"], operation["operationId"]
        assert operation["description"].startswith(operation["summary"][:20])
        assert set(operation["tags"]) <= tags.keys()


def test_every_parameter_and_every_field_says_what_it_means():
    for at, part in everything(WHOLE):
        if "in" in part and "schema" in part:
            assert part["description"], at
        if at.startswith("#/components/schemas/") and at.count("/") == 3 and "properties" in part:
            for name, field in part["properties"].items():
                assert field.get("description"), f"{at}.{name}"


def test_every_type_says_what_it_is():
    for name, schema in WHOLE["components"]["schemas"].items():
        plain = name.endswith("Body") or name in ("GroupChoice",)  # named by their operation
        assert schema.get("description") or plain, name


def test_nothing_is_explained_that_is_not_there(monkeypatch: pytest.MonkeyPatch):
    asked: set[str] = set()

    class Watched(dict[str, fields.Field]):
        def get(self, key: str, default: Any = None) -> Any:
            if key in self:
                asked.add(key)
            return super().get(key, default)

    monkeypatch.setattr(fields, "FIELDS", Watched(fields.FIELDS))
    description(OPERATIONS)
    assert asked == set(fields.FIELDS)


def test_a_field_that_nobody_explains_is_named():
    class Unheard(TypedDict):
        of: int

    with pytest.raises(KeyError, match=r"Unheard\.of"):
        Schemas().of(Unheard)


def test_a_time_has_the_format_of_one():
    found = 0
    for at, part in everything(WHOLE["paths"]):
        if "schema" in part and "example" in part:
            for name, schema in times(part["schema"], part["example"]):
                assert "date-time" in json.dumps(schema), f"{at}: {name}"
                found += 1
    assert found > 20


def times(schema: Json, example: Any, name: str = "") -> Iterator[tuple[str, Json]]:
    """The schemas of everything that looks like a time in an example."""
    schema = resolved(schema)
    if isinstance(example, dict):
        for key, value in example.items():
            yield from times(schema.get("properties", {}).get(key, {}), value, key)
    elif isinstance(example, list):
        for value in example:
            yield from times(schema.get("items", {}), value, name)
    elif re.match(r"\d{4}-\d\d-\d\dT", str(example)):
        yield name, schema


# Requests and answers -------------------------------------------------------------------------------------


def test_every_example_is_as_its_schema_says():
    checked = 0
    for at, part in everything(WHOLE["paths"]):
        if "schema" not in part:
            continue
        examples = [part["example"]] if "example" in part else []
        examples += [resolved(each)["value"] for each in part.get("examples", {}).values()]
        for example in examples:
            try:
                fits(part["schema"], example)
            except Exception as error:
                raise AssertionError(f"{at}: {error}") from None
            checked += 1
    for response in WHOLE["components"]["responses"].values():
        content = response["content"]["application/problem+json"]
        for example in content["examples"].values():
            fits(content["schema"], example["value"])
            checked += 1
    assert checked > 200


def test_every_body_and_every_answer_in_json_has_an_example():
    for method, path, operation in every_operation():
        contents = [response["content"] for response in operation["responses"].values() if "content" in response]
        contents += [operation["requestBody"]["content"]] if "requestBody" in operation else []
        for content in contents:
            shown = content.get("application/json", {})
            free = shown.get("schema") == {"type": "object"}  # this very document
            assert not shown or free or "example" in shown or shown.get("examples"), (method, path)


def test_every_refusal_has_a_response_with_its_code_at_its_status():
    for operation in OPERATIONS:
        responses = WHOLE["paths"][operation.path][operation.method.lower()]["responses"]
        for refusal in operation.refusals:
            content = resolved(responses[str(STATUS[refusal].value)])["content"]["application/problem+json"]
            assert refusal.code in content["examples"]
            problem = content["examples"][refusal.code]["value"]
            assert (problem["code"], problem["status"]) == (refusal.code, STATUS[refusal].value)


def test_every_refusal_that_there_is_can_happen_somewhere():
    shown = {code for each in WHOLE["components"]["responses"].values() for code in _codes(each)}
    assert {refusal.code for refusal in STATUS} <= shown


def _codes(response: Json) -> set[str]:
    return set(response["content"]["application/problem+json"]["examples"])


def test_the_headers_that_an_answer_has_are_told():
    for _, path, operation in every_operation():
        responses = {status: resolved(each) for status, each in operation["responses"].items()}
        assert ("401" in responses) == bool(operation["security"]) or path == "/api/v1/session"
        if "401" in responses:
            assert "WWW-Authenticate" in responses["401"]["headers"]
        if "429" in responses:
            assert "Retry-After" in responses["429"]["headers"]
        if "304" in responses:
            assert "ETag" in responses["200"]["headers"] and "ETag" in responses["304"]["headers"]
            assert "If-None-Match" in {each["name"] for each in operation["parameters"]}
        if "412" in responses:
            assert "If-Match" in {each["name"] for each in operation["parameters"]}


def test_who_may_is_told():
    for operation in OPERATIONS:
        described = WHOLE["paths"][operation.path][operation.method.lower()]
        assert frozenset(map(Role, described["x-roles"])) == operation.roles
        assert described["security"] == ([{"bearer": []}, {"cookie": []}] if operation.roles else [])


# How it is made -------------------------------------------------------------------------------------------


def of_one(handler_text: str, **declared: Any) -> Json:
    """The description of an application with one operation."""
    operations = Operations()

    async def get_thing(_request: web.Request) -> web.Response:
        return web.Response()

    get_thing.__doc__ = handler_text
    operations.get("/api/v1/handlers/{handler}", declared.pop("roles", EVERYBODY), AgentView, **declared)(get_thing)
    return description(operations)


def test_the_first_sentence_of_the_docstring_is_the_summary():
    document = of_one("What there is. In full.\n\nMore of it.")
    operation = document["paths"]["/api/v1/handlers/{handler}"]["get"]
    assert operation["summary"] == "What there is"
    assert operation["description"].startswith("What there is. In full.\n\nMore of it.\n\nWho may: ")


def test_a_view_of_the_core_is_described_as_it_is_written():
    schema = of_one("An agent.")["components"]["schemas"]["Agent"]
    assert schema["properties"]["state"]["enum"][:2] == ["NOT_READY", "READY"]
    assert schema["properties"]["state_since"]["format"] == "date-time"
    assert schema["properties"]["overall_call_rate"]["pattern"] == r"^\d+\.\d{4}$"
    assert schema["properties"]["total_wrap_up_time_exact"]["type"] == "number"
    assert schema["properties"]["wrap_up"]["anyOf"] == [{"type": "number"}, {"type": "null"}]
    assert schema["required"] == list(schema["properties"])


def test_a_page_of_something_is_named_after_it():
    schemas = Schemas()
    assert schemas.of(Page[AgentView]) == {"$ref": "#/components/schemas/AgentPage"}
    assert schemas.components["AgentPage"]["properties"]["items"]["items"] == {"$ref": "#/components/schemas/Agent"}
    assert example_of(Page[AgentView])["items"] == [example_of(AgentView)]


def test_a_text_that_is_a_time_is_described_as_one():
    assert Schemas().of(Time | None)["anyOf"][0] == {"type": "string", "format": "date-time"}


def test_a_parameter_of_a_query_is_never_null():
    class ThingQuery(BaseModel):
        queue: str | None = None

    assert Schemas.parameters(ThingQuery)[0]["schema"] == {"type": "string"}


def test_a_role_that_may_not_makes_it_forbidden():
    everybody = of_one("An agent.")["components"]["responses"]
    admins = of_one("An agent.", roles=ADMINS)["components"]["responses"]
    assert Forbidden.code in everybody and Forbidden.code in admins  # a handler that is out of reach
    assert UnknownAgent.code not in everybody


# What is served -------------------------------------------------------------------------------------------


async def test_everybody_can_read_the_description(house: House):
    answer = await house.call("GET", "/openapi.json", token=None)
    assert (answer.status, answer.headers["Content-Type"].split(";")[0]) == (200, "application/json")
    assert answer.body == WHOLE


async def test_the_page_loads_nothing_from_another_host(house: House):
    page = await house.call("GET", "/docs", token=None)
    assert page.status == 200
    loaded = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    assert {"/static/api.js", "/docs/swagger-ui.js", "/docs/swagger-ui.css"} <= set(loaded)
    for address in loaded:
        assert address.startswith(("/", "data:")) and not address.startswith("//"), address
        if address in docs.FILES or address.startswith("/static/"):
            await check_file(house, address)


async def check_file(house: House, path: str) -> None:
    answer = await house.call("GET", path, token=None)
    assert answer.status == 200
    assert answer.headers["Content-Type"].split(";")[0] in ("text/css", "text/javascript", "application/javascript")
    if path.endswith(".css"):
        assert set(re.findall(r"""url\(["']?([^:)]*:)""", answer.text)) <= {"data:"}
        assert "@import" not in answer.text
    elif path.endswith("api.js"):
        assert re.findall(r"https?:|//\w", re.sub(r"^//.*", "", answer.text, flags=re.M)) == []


async def test_the_browser_is_told_to_load_nothing_from_elsewhere_and_to_run_no_script_of_a_page(house: House):
    for path in ("/docs", *docs.FILES):
        policy = (await house.call("GET", path, token=None)).headers["Content-Security-Policy"]
        rules = {name: values for name, *values in (rule.split() for rule in policy.split(";"))}
        assert rules.pop("img-src") == ["'self'", "data:"]
        assert rules.pop("media-src") == ["'self'", "blob:"]
        assert rules.pop("default-src") == ["'none'"]
        assert {value for values in rules.values() for value in values} == {"'self'", "'none'"}


async def test_the_page_has_no_script_in_itself(house: House):
    page = (await house.call("GET", "/docs", token=None)).text
    assert all(not text.strip() for text in re.findall(r"<script[^>]*>(.*?)</script>", page, re.S))
    assert not re.search(r"<style|\son\w+=|\sstyle=", page)


# What it says is done -------------------------------------------------------------------------------------


async def test_a_query_that_an_operation_does_not_know_is_refused_by_name(house: House):
    answer = await house.refused("GET", "/api/v1/handlers?colour=red")
    assert (answer.status, answer.fields) == (422, ["query.colour"])


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/handlers", "/docs"])
async def test_what_can_be_read_can_be_asked_for_without_its_body(house: House, path: str):
    async with house.client.head(path, headers={"Authorization": f"Bearer {TOKEN}"}) as answer:
        assert answer.status == 200
        assert int(answer.headers["Content-Length"]) > 0
        assert await answer.text() == ""


@pytest.mark.parametrize("method", ["PATCH", "POST", "TRACE", "PROPFIND"])
@pytest.mark.parametrize("path", ["/healthz", "/api/v1/handlers", "/openapi.json"])
async def test_a_method_that_a_path_does_not_know_is_refused_with_those_that_it_knows(
    house: House, method: str, path: str
):
    answer = await house.refused(method, path)
    assert (answer.status, answer.body["code"]) == (405, "method-not-allowed")
    assert "GET" in answer.headers["Allow"].split(",")
