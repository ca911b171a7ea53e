"""Types as JSON schemas (2020-12): views and TypedDicts for what goes out, pydantic models for what comes in."""

import builtins
import dataclasses
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum, StrEnum
from types import NoneType
from typing import Annotated, Any, NotRequired, TypeVar, get_args, get_origin, get_type_hints, is_typeddict

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from acd.core.views import AgentView, Moment, QueueView, SessionView
from acd.web.fields import field_of

Json = dict[str, Any]
REF = "#/components/schemas/"
TAPI_NAMES: dict[Any, str] = {AgentView: "Agent", SessionView: "AgentSession", QueueView: "Queue"}
PLAIN: dict[Any, Json] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    NoneType: {"type": "null"},
    datetime: {"type": "string", "format": "date-time"},
    Moment: {"type": "string", "format": "date-time"},
    Decimal: {"type": "string", "pattern": r"^\d+\.\d{4}$"},
    Any: {},
}


class Schemas:
    """Makes schemas; those of types with a name are kept in `components` and referred to."""

    def __init__(self) -> None:
        self.components: dict[str, Json] = {}

    # What goes out ----------------------------------------------------------------------------------------

    def of(self, kind: Any) -> Json:
        """The schema of whatever such an annotation allows."""
        if kind in PLAIN:
            return dict(PLAIN[kind])
        if get_args(kind) and not has_fields(kind):
            return self._made_of(get_origin(kind), get_args(kind))
        if isinstance(kind, type) and issubclass(kind, Enum):
            return _enumerators(kind)
        return self._named(kind)

    def _made_of(self, origin: Any, args: Sequence[Any]) -> Json:
        match origin:
            case typing.Annotated:
                return PLAIN[args[0]] | {"format": args[1]} if isinstance(args[1], str) else self.of(args[1])
            case typing.Union | types.UnionType:
                return {"anyOf": [self.of(each) for each in args]}
            case typing.Literal:
                return {"enum": list(args)}
            case builtins.dict:
                return {"type": "object", "additionalProperties": self.of(args[1])}
        return {"type": "array", "items": self.of(args[0])}

    def _named(self, kind: Any) -> Json:
        name = name_of(kind)
        if name not in self.components:
            self.components[name] = {}  # so that a type may hold itself
            self.components[name] = self._object(kind)
        return {"$ref": REF + name}

    def _object(self, kind: Any) -> Json:
        owner = get_origin(kind) or kind
        properties = {}
        for name, hint in hints_of(kind).items():
            field = field_of(owner.__name__, name)
            properties[name] = self.of(hint) | {"description": field.text}
        return {
            "type": "object",
            "description": text_of(owner),
            "properties": properties,
            "required": [name for name in properties if name in _required(owner)],
        }

    # What comes in ----------------------------------------------------------------------------------------

    def add_models(self, models: Iterable[type[BaseModel]]) -> None:
        """Bodies, and whatever models they are made of."""
        wanted = sorted(set(models), key=lambda each: each.__name__)
        _, made = models_json_schema(
            [(each, "validation") for each in wanted],
            ref_template=REF + "{model}",
            schema_generator=_WithoutTitles,
        )
        for name, schema in made.get("$defs", {}).items():
            assert name not in self.components, f"two types are called {name}"
            self.components[name] = described(name, schema)

    @staticmethod
    def parameters(model: type[BaseModel]) -> list[Json]:
        """The fields of a query, as parameters."""
        schema = described(model.__name__, model.model_json_schema(schema_generator=_WithoutTitles))
        needed = schema.get("required", [])
        return [_parameter(model, name, each, name in needed) for name, each in schema["properties"].items()]


def name_of(kind: Any) -> str:
    """What a type is called in the description: TAPI's name where TAPI has one."""
    args = get_args(kind)
    if args:
        return f"{name_of(args[0])}{get_origin(kind).__name__}"
    return TAPI_NAMES.get(kind) or str(kind.__name__)


def text_of(kind: Any) -> str:
    """Its docstring, in one piece."""
    return " ".join((kind.__doc__ or "").split())


def hints_of(kind: Any) -> dict[str, Any]:
    """The fields of a dataclass or TypedDict, also of one such as Page[Call]."""
    owner = get_origin(kind) or kind
    if not has_fields(kind):
        raise TypeError(f"{kind!r} cannot be described")
    of = dict(zip(getattr(owner, "__parameters__", ()), get_args(kind), strict=True))
    hints = get_type_hints(owner, include_extras=True)
    return {name: _filled_in(hint, of) for name, hint in hints.items()}


def has_fields(kind: Any) -> bool:
    """It is a dataclass or a TypedDict, also one such as Page[Call]."""
    owner = get_origin(kind) or kind
    return dataclasses.is_dataclass(owner) or is_typeddict(owner)


def _filled_in(hint: Any, of: Mapping[Any, Any]) -> Any:
    if get_origin(hint) is NotRequired:
        return _filled_in(get_args(hint)[0], of)
    if isinstance(hint, TypeVar):
        return of[hint]
    if get_origin(hint) is list:
        return list[_filled_in(get_args(hint)[0], of)]  # type: ignore[misc]  # a type that is made here
    return hint


def _required(owner: Any) -> frozenset[str]:
    if is_typeddict(owner):
        keys: frozenset[str] = owner.__required_keys__
        return keys
    return frozenset(each.name for each in dataclasses.fields(owner))


def _enumerators(kind: type[Enum]) -> Json:
    values = [each.value if issubclass(kind, StrEnum) else each.name for each in kind]
    return {"type": "string", "enum": values}


class _WithoutTitles(GenerateJsonSchema):
    """A title that repeats the name tells nothing."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def described(kind: str, schema: Json) -> Json:
    """A model's schema, with what its fields say."""
    schema.pop("title", None)
    if "description" in schema:
        schema["description"] = " ".join(schema["description"].split())
    for name, each in schema.get("properties", {}).items():
        each.setdefault("description", field_of(kind, name).text)
    return schema


def _parameter(model: type[BaseModel], name: str, schema: Json, needed: bool) -> Json:
    text = schema.pop("description")
    if "anyOf" in schema:  # nothing is said by leaving it out, there is no null in a query
        (said,) = (each for each in schema.pop("anyOf") if each != {"type": "null"})
        schema = said | {key: value for key, value in schema.items() if value is not None}
    separated = {"style": "form", "explode": False} if schema.get("type") == "array" else {}
    schema.pop("uniqueItems", None)  # what is said twice is said
    parameter = {"name": name, "in": "query", "required": needed, "description": text, "schema": schema}
    parameter |= separated
    example = field_of(model.__name__, name).example
    return parameter if example is None else parameter | {"example": example}


# Examples -------------------------------------------------------------------------------------------------


def example_of(kind: Any) -> Any:
    """An answer of this type as it could be, put together from the examples of its fields."""
    kind = _marked(kind)
    if get_origin(kind) is list:
        return [example_of(get_args(kind)[0])]
    owner = (get_origin(kind) or kind).__name__
    return {name: _example(owner, name, hint) for name, hint in hints_of(kind).items()}


def _example(owner: str, name: str, hint: Any) -> Any:
    field = field_of(owner, name)
    return example_of(hint) if field.example is None and holds_objects(hint) else field.example


def holds_objects(hint: Any) -> bool:
    """It is a type with fields of its own, or a list of those."""
    return has_fields(_marked(get_args(_marked(hint))[0] if get_origin(_marked(hint)) is list else hint))


def _marked(hint: Any) -> Any:
    """Annotated[Json, X] is an X, written as JSON."""
    return get_args(hint)[1] if get_origin(hint) is Annotated else hint


def examples_of(model: type[BaseModel], schema: Json) -> list[Json]:
    """Bodies as they could be: the model's own examples, else one made of those of its fields."""
    if "examples" in schema:
        own: list[Json] = schema["examples"]
        return own
    examples = {name: field_of(model.__name__, name).example for name in schema.get("properties", {})}
    return [{name: value for name, value in examples.items() if value is not None}]
