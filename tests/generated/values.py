"""Values of a schema: random ones that are valid, what generated code must make of them, and ones that it must refuse.

Schemas are in the subset that `callgate generate` reads. Everything is drawn from one `random.Random`: the same seed gives
the same values.
"""

import math
import random

DEPTH_MAX = 4  # from there on, what may be absent or empty is
ITEMS_MAX = 3

INT32 = (-(2**31), 2**31 - 1)
INT64 = (-(2**63), 2**63 - 1)
INTEGERS = [0, 1, -1, 2**31 - 1, -(2**31), 2**31, 2**53 - 1, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63), 100]
NUMBERS = [
    0.0, -0.0, 1, -1, 0.1, 1.5, -2.75, 1e21, 1e-7, 2**53, 2**53 + 2, 123456789.125, 5e-324, 2.2250738585072014e-308,
    1.7976931348623157e308, -1e300, math.pi, 1 / 3,
]
TEXTS = [
    "", "a", "Ada", "ünïcode ☃", "日本語", "🐍👩‍👩‍👧‍👦", "e\u0301", "\u200fעברית", "\"quoted\"", "back\\slash/slash", "tab\tnew\nline\r",
    "\u0000\u0001\u001f\u007f", "\u2028\u2029\ufeff", "<a href='x'>&amp;</a>", "null", "true", "12", "1e5", "$x ${y} \\(z)", " ", "x" * 300,
]
KEYS = ["", "a", "b", "key", "a.b", "ключ", "🔑", "with space", "class", "$ref", "__proto__", "\"", "\\", "\n", "1"]


class Schemas:
    """One file: the schemas of a function's input and output, and what they refer to."""

    def __init__(self, file):
        # Nothing has no type, and neither has what is not described.
        self.sides = {side: file[side] for side in ("input", "output") if file.get(side, {"type": "null"}).get("type") != "null"}
        self.definitions = file.get("$defs", {})

    def plain(self, schema):
        """The schema behind references, and whether null is allowed."""
        nullable = False
        while True:
            if "$ref" in schema:
                name = schema["$ref"].removeprefix("#/$defs/").replace("~1", "/").replace("~0", "~")
                schema = self.definitions[name]
            elif "anyOf" in schema:
                others = [one for one in schema["anyOf"] if one != {"type": "null"}]
                assert len(others) == 1, f"not in the subset: {schema}"
                nullable, schema = True, others[0]
            elif isinstance(schema.get("type"), list):
                others = [one for one in schema["type"] if one != "null"]
                assert len(others) == 1, f"not in the subset: {schema}"
                nullable, schema = True, {**schema, "type": others[0]}
            else:
                return schema, nullable

    def kind(self, schema):
        """Of a plain schema: any, const, enum, map, or its type."""
        if "const" in schema:
            return "const"
        if "enum" in schema:
            return "enum"
        if schema.get("type") == "object" and "properties" not in schema:
            return "map" if schema.get("additionalProperties") is not False else "object"
        return schema.get("type", "any")


def text(rng):
    return rng.choice(TEXTS) if rng.random() < 0.7 else "".join(rng.choice("abcxyz äß€") for _ in range(rng.randrange(12)))


def integer(rng, schema):
    low, high = INT32 if schema.get("format") == "int32" else INT64
    while True:
        value = rng.choice(INTEGERS) if rng.random() < 0.6 else rng.randint(low, high) >> rng.randrange(0, 63)
        if low <= value <= high:
            break
    # 7.0 is an integer as much as 7 is.
    return float(value) if rng.random() < 0.1 and abs(value) < 2**53 else value


def number(rng):
    return rng.choice(NUMBERS) if rng.random() < 0.6 else rng.uniform(-1, 1) * 10 ** rng.randint(-20, 20)


def anything(rng, depth):
    kind = rng.randrange(7 if depth < DEPTH_MAX else 5)
    if kind == 0:
        return None
    if kind == 1:
        return rng.random() < 0.5
    if kind == 2:
        return rng.choice(INTEGERS)
    if kind == 3:
        return number(rng)
    if kind == 4:
        return text(rng)
    if kind == 5:
        return [anything(rng, depth + 1) for _ in range(rng.randint(0, ITEMS_MAX))]
    return {key: anything(rng, depth + 1) for key in rng.sample(KEYS, rng.randint(0, ITEMS_MAX))}


class Drawing:
    """Draws values of one file's schemas. `fullness` is how likely it is that what may be there is there."""

    def __init__(self, schemas, rng, fullness):
        self.schemas, self.rng, self.fullness = schemas, rng, fullness

    def there(self, depth):
        return depth < DEPTH_MAX and self.rng.random() < self.fullness

    def value(self, schema, depth=0):
        schema, nullable = self.schemas.plain(schema)
        rng = self.rng
        if nullable and not self.there(depth):
            return None
        match self.schemas.kind(schema):
            case "any":
                return anything(rng, depth)
            case "const":
                return schema["const"]
            case "enum":
                # Open: a newer function may answer values that an app does not know.
                return rng.choice(schema["enum"]) if rng.random() < 0.8 else text(rng)
            case "string":
                return text(rng)
            case "integer":
                return integer(rng, schema)
            case "number":
                return number(rng)
            case "boolean":
                return rng.random() < 0.5
            case "null":
                return None
            case "array":
                return [self.value(schema["items"], depth + 1) for _ in range(self.count(depth))]
            case "map":
                of = schema.get("additionalProperties", {})
                of = {} if of is True else of
                return {key: self.value(of, depth + 1) for key in rng.sample(KEYS, self.count(depth))}
            case "object":
                return self.object(schema, depth)
            case kind:
                raise AssertionError(f"not in the subset: {kind}")

    def count(self, depth):
        if self.fullness == 0:
            return 0
        if self.fullness == 1:
            return 1 + (depth < 2)
        return self.rng.randint(0, ITEMS_MAX) if depth < DEPTH_MAX else 0

    def object(self, schema, depth):
        required = schema.get("required", [])
        found = {}
        for name, of in schema["properties"].items():
            if name in required or self.there(depth):
                found[name] = self.value(of, depth + 1)
            elif self.rng.random() < 0.1 and depth < DEPTH_MAX and self.schemas.plain(of)[1]:
                found[name] = None
        if schema.get("additionalProperties") is not False and self.rng.random() < 0.1:
            # An older app hears of members that came later.
            found["a member that came later"] = anything(self.rng, depth + 1)
        members = list(found.items())
        self.rng.shuffle(members)
        return dict(members)


def expected(schemas, schema, value):
    """What is left of a value after it went through a generated type. This is all that may differ:

    - members that the schema does not name are passed over;
    - an optional member that is null is absent;
    - a number is a number, however it is written: 7.0 is 7.
    """
    schema, _ = schemas.plain(schema)
    if value is None:
        return None
    match schemas.kind(schema):
        case "integer":
            return int(value)
        case "number":
            return float(value)
        case "array":
            return [expected(schemas, schema["items"], item) for item in value]
        case "map":
            of = schema.get("additionalProperties", {})
            return {key: expected(schemas, {} if of is True else of, item) for key, item in value.items()}
        case "object":
            required = schema.get("required", [])
            return {
                name: expected(schemas, of, value[name])
                for name, of in schema.get("properties", {}).items()
                if name in value and (name in required or value[name] is not None)
            }
    return value


def same(found, wanted):
    """Equal as JSON. Python takes true for 1; JSON does not. A whole number is the same to its last digit, and a fraction is the
    same double, however it is written."""
    if isinstance(found, bool) or isinstance(wanted, bool):
        return found is wanted
    if isinstance(found, dict) and isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(same(found[key], wanted[key]) for key in wanted)
    if isinstance(found, list) and isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(same, found, wanted))
    if isinstance(wanted, float):
        return isinstance(found, int | float) and float(found) == wanted
    return found == wanted


WRONG = {
    "string": [7, True, {"a": 1}, ["a"]],
    "enum": [7, False, {"a": 1}, ["a"]],
    "integer": ["7", "", 1.5, True, {"a": 1}, [1], 2**63],
    "number": ["1.5", "", "NaN", False, {"a": 1}, [1]],
    "boolean": ["true", "", 0, 1, {"a": 1}, [True]],
    "array": ["a", 7, True, {"0": 1}],
    "map": ["a", 7, True, [1], []],
    "object": ["a", 7, True, [1], []],
}


def wrong(schemas, schema, value, is_inside=False):
    """Every way to be wrong in one place of a valid value: (what is wrong, the wrong value, whether that place is inside an object
    with members of known names)."""
    schema, nullable = schemas.plain(schema)
    kind = schemas.kind(schema)
    for other in WRONG.get(kind, []):
        yield f"{kind} ← {other!r}", other, is_inside
    if kind == "integer" and schema.get("format") == "int32":
        yield "int32 ← 2^31", 2**31, is_inside
    if not nullable and kind not in ("any", "null", "const"):
        yield f"{kind} ← null", None, is_inside
    if value is None:
        return
    match kind:
        case "array":
            for place, item in enumerate(value):
                for what, other, inside in wrong(schemas, schema["items"], item, is_inside):
                    yield f"[{place}] {what}", [*value[:place], other, *value[place + 1 :]], inside
        case "map":
            of = schema.get("additionalProperties", {})
            for key, item in value.items():
                for what, other, inside in wrong(schemas, {} if of is True else of, item, is_inside):
                    yield f"{{{key!r}}} {what}", {**value, key: other}, inside
        case "object":
            required = schema.get("required", [])
            for name, of in schema.get("properties", {}).items():
                if name in value:
                    for what, other, inside in wrong(schemas, of, value[name], True):
                        # An optional member may be null as well as absent.
                        if name in required or other is not None:
                            yield f".{name} {what}", {**value, name: other}, inside
                if name in required and not schemas.plain(of)[1]:
                    yield f".{name} is missing", {key: item for key, item in value.items() if key != name}, True


def draw(schemas, side, seed, count):
    """`count` valid values of a side: first the emptiest and the fullest."""
    rng = random.Random(seed)
    for number_ in range(count):
        fullness = {0: 0, 1: 1}.get(number_, rng.choice([0.2, 0.5, 0.8]))
        yield Drawing(schemas, rng, fullness).value(schemas.sides[side])
