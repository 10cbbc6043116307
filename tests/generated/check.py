#!/usr/bin/env python3
"""Draws values for generated code, and judges what it made of them.

    check.py draw SCHEMAS…            lines for a driver: function, tab, side, tab, JSON
    check.py judge NAME ANSWERS SCHEMAS…
                                      the driver's answers to those lines, one a line: "=" and JSON, or "!" and an error

The lines are drawn anew to judge them: nothing is kept between the two but the seed.
"""

import json
import pathlib
import sys

import values

VALID = 300  # a side of a function
WRONG = 1000  # at most
SHOWN = 3
WIDTH = 1000
# Java has no types that are never null, and no code of ours is in an answer that is null itself, or a list or map: there null is
# what the SDK makes of it, as its contract says. Inside an object it is refused in every language.
LENIENT = ["java", "kotlin"]
OUTSIDE = "outside of objects: "


def schemas_of(paths):
    """The functions by name: a folder is named as its function."""
    for path in map(pathlib.Path, paths):
        yield path.name, values.Schemas(json.loads((path / "callgate.schemas.json").read_text()))


def text(value, number):
    # Escaped and unescaped alike.
    return json.dumps(value, ensure_ascii=number % 2 == 0, separators=(",", ":"))


def cases(name, schemas, side):
    """(JSON, what must come back, or None where it must be refused, why)."""
    schema = schemas.sides[side]
    seed = f"{name} {side}"
    for number, value in enumerate(values.draw(schemas, side, seed, VALID)):
        yield text(value, number), values.expected(schemas, schema, value), None
    full = list(values.draw(schemas, side, seed, 2))[1]
    for number, (what, value, is_inside) in enumerate(values.wrong(schemas, schema, full)):
        if number == WRONG:
            break
        yield text(value, number), None, what if is_inside or not what.endswith("← null") else f"{OUTSIDE}{what}"


def draw(paths):
    for name, schemas in schemas_of(paths):
        for side in schemas.sides:
            for line, _, _ in cases(name, schemas, side):
                assert "\t" not in line and "\n" not in line
                print(name, side, line, sep="\t")


def complaint(language, answer, wanted, why):
    """What is wrong with an answer; None if nothing is."""
    if answer.startswith("!!"):
        return answer[2:]
    if why is not None:
        is_taken = why.startswith(OUTSIDE) and language in LENIENT
        return None if answer.startswith("!") or is_taken else f"accepted, although {why}: {answer}"
    if not answer.startswith("="):
        return f"refused: {answer}"
    found = json.loads(answer[1:])
    return None if values.same(found, wanted) else f"came back as {json.dumps(found, ensure_ascii=False)}"


def judge(language, answers, paths):
    sides = [(name, side, list(cases(name, schemas, side))) for name, schemas in schemas_of(paths) for side in schemas.sides]
    answers = pathlib.Path(answers).read_text().removesuffix("\n").split("\n")
    drawn = sum(len(lines) for _, _, lines in sides)
    if len(answers) != drawn:
        print(f"generated-{language}: 0 passed, 1 failed: {drawn} values, and {len(answers)} answers")
        return False
    failed, valid, answers = 0, 0, iter(answers)
    for name, side, lines in sides:
        complaints = []
        for line, wanted, why in lines:
            if (trouble := complaint(language, next(answers), wanted, why)) is not None:
                complaints += [f"  {line}"[:WIDTH], f"    {trouble}"[:WIDTH]]
        valid += sum(why is None for _, _, why in lines)
        if complaints:
            failed += 1
            print(f"generated-{language}: FAILED: {len(complaints) // 2} values of {name}'s {side}, for example:")
            print("\n".join(complaints[: 2 * SHOWN]))
    print(f"generated-{language}: {valid} values there and back, {drawn - valid} wrong ones")
    print(f"generated-{language}: {len(sides) - failed} passed, {failed} failed")
    return failed == 0


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["draw", *paths] if paths:
            draw(paths)
        case ["judge", language, answers, *paths] if paths:
            sys.exit(0 if judge(language, answers, paths) else 1)
        case _:
            sys.exit(__doc__)
