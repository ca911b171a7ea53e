"""As much of PromQL as dashboards and alert rules need: an expression as a tree, and what is wrong with it.

What is exported is the measure: names, labels and their values, and the type, which says what may be asked of it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<range>\[[^\]]+\])
      | (?P<number>\d+(?:\.\d+)?(?:e-?\d+)?(?![\w.]))
      | (?P<word>[a-zA-Z_:][\w:]*)
      | (?P<sign>=~|!~|==|!=|>=|<=|[-+*/%^<>=(){},])
    )""",
    re.X,
)
DURATION = re.compile(r"\[(?:(?:\d+(?:ms|[smhdwy]))+|\$\w+)\]")
AGGREGATES = {"sum", "min", "max", "avg", "count", "topk"}
OF_COUNTERS = {"rate", "irate", "increase", "resets"}
OF_GAUGES = {"max_over_time", "min_over_time", "avg_over_time", "changes", "delta", "deriv"}
PLAIN = {"absent", "histogram_quantile", "time", "clamp_min", "clamp_max"}
OPERATORS = [
    {"or"},
    {"and", "unless"},
    {"==", "!=", ">", "<", ">=", "<="},
    {"+", "-"},
    {"*", "/", "%"},
]  # weakest first
FILTERS = {"==", "!=", ">", "<", ">=", "<="}
OF_TARGET = frozenset({"job", "instance"})  # labels that Prometheus gives to whatever it scrapes


class Wrong(Exception):
    """The expression cannot be read."""


@dataclass(frozen=True)
class Matcher:
    label: str
    sign: str
    value: str


@dataclass(frozen=True)
class Selector:
    name: str
    matchers: tuple[Matcher, ...] = ()
    range: bool = False


@dataclass(frozen=True)
class Call:
    function: str
    args: tuple["Node", ...]


@dataclass(frozen=True)
class Aggregate:
    operator: str
    arg: "Node"
    without: bool
    labels: frozenset[str]


@dataclass(frozen=True)
class Binary:
    operator: str
    left: "Node"
    right: "Node"
    on: frozenset[str] | None = None


Node = Selector | Call | Aggregate | Binary | float


def parse(text: str) -> Node:
    """The tree of an expression. Raises Wrong."""
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._place = 0

    def whole(self) -> Node:
        node = self._binary(0)
        if self._place < len(self._tokens):
            raise Wrong(f"what is {self._tokens[self._place][1]!r} doing there?")
        return node

    def _next(self) -> tuple[str, str]:
        return self._tokens[self._place] if self._place < len(self._tokens) else ("end", "")

    def _take(self, *texts: str) -> str:
        """The next token, which is one of these, or whatever it is."""
        _, text = self._next()
        if not text or (texts and text not in texts):
            raise Wrong(f"{text or 'the end'} instead of {' or '.join(texts) or 'more'}")
        self._place += 1
        return text

    def _binary(self, level: int) -> Node:
        if level == len(OPERATORS):
            return self._primary()
        left = self._binary(level + 1)
        while self._next()[1] in OPERATORS[level]:
            operator = self._take()
            on = None
            if self._next()[1] == "on":
                self._take()
                on = self._labels()
            left = Binary(operator, left, self._binary(level + 1), on)
        return left

    def _primary(self) -> Node:
        kind, text = self._next()
        if kind == "number":
            return float(self._take())
        if text == "(":
            self._take()
            node = self._binary(0)
            self._take(")")
            return node
        if kind != "word":
            raise Wrong(f"{text or 'the end'} instead of a metric, a function or a number")
        if text in AGGREGATES:
            return self._aggregate()
        self._take()
        return self._call(text) if self._next()[1] == "(" else self._selector(text)

    def _aggregate(self) -> Node:
        operator = self._take()
        grouping = self._grouping()
        args = self._args()
        if not args:
            raise Wrong(f"{operator} of nothing")
        without, labels = grouping or self._grouping() or (False, frozenset())
        return Aggregate(operator, args[-1], without, labels)

    def _grouping(self) -> tuple[bool, frozenset[str]] | None:
        if self._next()[1] not in ("by", "without"):
            return None
        return self._take() == "without", self._labels()

    def _labels(self) -> frozenset[str]:
        self._take("(")
        found: list[str] = []
        while self._next()[1] != ")":
            found.append(self._take())
            if self._next()[1] != ")":
                self._take(",", ")")
        self._take(")")
        return frozenset(found)

    def _args(self) -> tuple[Node, ...]:
        self._take("(")
        found: list[Node] = []
        while self._next()[1] != ")":
            found.append(self._binary(0))
            if self._next()[1] != ")":
                self._take(",", ")")
        self._take(")")
        return tuple(found)

    def _call(self, function: str) -> Call:
        if function not in OF_COUNTERS | OF_GAUGES | PLAIN:
            raise Wrong(f"{function}() is not known here")
        return Call(function, self._args())

    def _selector(self, name: str) -> Selector:
        matchers = tuple(self._matchers()) if self._next()[1] == "{" else ()
        if self._next()[0] != "range":
            return Selector(name, matchers)
        if not DURATION.fullmatch(self._take()):
            raise Wrong(f"{self._tokens[self._place - 1][1]} is no span of time")
        return Selector(name, matchers, range=True)

    def _matchers(self) -> Iterator[Matcher]:
        self._take("{")
        while self._next()[1] != "}":
            label, sign = self._take(), self._take("=", "!=", "=~", "!~")
            if self._next()[0] != "string":
                raise Wrong(f"{label}{sign} without a string")
            yield Matcher(label, sign, self._take()[1:-1])
            if self._next()[1] != "}":
                self._take(",", "}")
        self._take("}")


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    place = 0
    while text[place:].strip():
        found = TOKEN.match(text, place)
        if found is None:
            raise Wrong(f"{text[place : place + 20]!r} cannot be read")
        place = found.end()
        yield str(found.lastgroup), found.group(str(found.lastgroup))


@dataclass
class Sample:
    """A name that is exported: its type, and the labels with the values that it has."""

    type: str
    labels: dict[str, set[str]]

    @property
    def counts(self) -> bool:
        """It only grows."""
        return self.type in ("counter", "histogram")


class Exported:
    """What a scrape brought, as the measure of expressions."""

    def __init__(self, text: str) -> None:
        self.families = list(text_string_to_metric_families(text))
        self.samples: dict[str, Sample] = {}
        self._rows: dict[str, list[tuple[dict[str, str], float]]] = {}
        for family in self.families:
            for name, labels, value, *_ in family.samples:
                sample = self.samples.setdefault(name, Sample(family.type, {}))
                for label, word in labels.items():
                    sample.labels.setdefault(label, set()).add(word)
                self._rows.setdefault(name, []).append((labels, value))

    def value(self, name: str, *words: str) -> float:
        """Of the one sample with these values of labels, in whatever order."""
        (found,) = [value for labels, value in self._rows[name] if sorted(labels.values()) == sorted(words)]
        return found

    def by(self, label: str, name: str, *words: str) -> dict[str, float]:
        """Value of a label -> that of the sample, where it is not zero, of samples with these values of labels."""
        rows = [(labels, value) for labels, value in self._rows[name] if {*words} <= {*labels.values()}]
        return {labels[label]: value for labels, value in rows if value}

    def complaints(self, text: str) -> list[str]:
        """All that is wrong with an expression."""
        try:
            return list(dict.fromkeys(self._of(parse(text))))
        except Wrong as wrong:
            return [str(wrong)]

    def labels(self, text: str) -> frozenset[str]:
        """The labels of what an expression gives."""
        found = self._labels(parse(text))
        return frozenset() if found is None else found

    # One node at a time -----------------------------------------------------------------------------------

    def _of(self, node: Node, function: str = "") -> Iterator[str]:
        match node:
            case Selector():
                yield from self._of_selector(node, function)
            case Call(name, args):
                for arg in args:
                    yield from self._of(arg, name)
                if name == "histogram_quantile":
                    yield from self._of_quantile(args)
            case Aggregate(_, arg, without, labels):
                yield from self._of(arg)
                for label in sorted(labels - (self._labels(arg) or frozenset())):
                    yield f"{'without' if without else 'by'} {label}, which is not there"
            case Binary():
                yield from self._of(node.left)
                yield from self._of(node.right)
                yield from self._of_matching(node)

    def _of_selector(self, node: Selector, function: str) -> Iterator[str]:
        sample = self.samples.get(node.name)
        if sample is None:
            yield f"{node.name} is not exported"
            return
        if sample.counts and function not in OF_COUNTERS:
            yield f"{node.name} only grows: it needs rate() or increase()"
        if not sample.counts and function in OF_COUNTERS:
            yield f"{function}() of {node.name}, which is a gauge"
        if node.range is not (function in OF_COUNTERS | OF_GAUGES):
            yield f"{node.name} is {'' if node.range else 'not '}taken over a time in {function or 'nothing'}"
        for matcher in node.matchers:
            yield from _of_matcher(node.name, sample, matcher)

    def _of_quantile(self, args: tuple[Node, ...]) -> Iterator[str]:
        for selector in _selectors(args[-1]):
            if not selector.name.endswith("_bucket"):
                yield f"histogram_quantile() of {selector.name}"
        if "le" not in (self._labels(args[-1]) or frozenset()):
            yield "histogram_quantile() without le"

    def _of_matching(self, node: Binary) -> Iterator[str]:
        left, right = self._labels(node.left), self._labels(node.right)
        if left is None or right is None:
            return
        if node.on is not None:
            for label in sorted(node.on - (left & right)):
                yield f"on {label}, which is not on both sides of {node.operator}"
        elif left != right:
            yield f"{sorted(left)} {node.operator} {sorted(right)} never match"

    def _labels(self, node: Node) -> frozenset[str] | None:
        """The labels of a result; None of a mere number."""
        found: frozenset[str] | None = None
        match node:
            case Selector(name):
                sample = self.samples.get(name)
                found = OF_TARGET | (frozenset(sample.labels) if sample is not None else frozenset())
            case Call("absent"):
                found = frozenset()
            case Call(name, args):
                found = next((labels for labels in map(self._labels, args) if labels is not None), None)
                if name == "histogram_quantile" and found is not None:
                    found -= {"le"}
            case Aggregate("topk", arg):
                found = self._labels(arg)
            case Aggregate(_, arg, without, labels):
                found = (self._labels(arg) or frozenset()) - labels if without else labels
            case Binary(operator, left, right, on):
                sides = [labels for labels in map(self._labels, (left, right)) if labels is not None]
                found = sides[0] if sides else None
                if len(sides) > 1 and on is not None and operator not in {"and", "unless", *FILTERS}:
                    found = on
        return found


def _of_matcher(name: str, sample: Sample, matcher: Matcher) -> Iterator[str]:
    if matcher.label in OF_TARGET:
        return
    if matcher.label not in sample.labels:
        yield f"{name} has no label {matcher.label}"
    elif "$" not in matcher.value:
        words = matcher.value.split("|") if "~" in matcher.sign else [matcher.value]
        for word in words:
            if word not in sample.labels[matcher.label]:
                yield f"{name} never has {matcher.label} {word}"


def _selectors(node: Node) -> Iterable[Selector]:
    match node:
        case Selector():
            yield node
        case Call(_, args):
            for arg in args:
                yield from _selectors(arg)
        case Aggregate(_, arg):
            yield from _selectors(arg)
        case Binary(_, left, right):
            yield from _selectors(left)
            yield from _selectors(right)
