"""Training: Splink and the stream weigh every pair alike, and the same records give the same weights."""

from __future__ import annotations

import json
import shutil
from datetime import date
from itertools import combinations
from math import isfinite, log2
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bereik import linkage, training
from bereik import names as naming
from bereik.bundle import Bundle, InvalidDeclarations
from bereik.declared.linkage import Linkage
from bereik.fiction import registers
from bereik.linkage import Identity, Traits

SCHEMAS = Path(__file__).parents[2] / "schemas"
TODAY = date(2026, 1, 1)
ROWS = 4_000


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return Bundle.compile(SCHEMAS)


@pytest.fixture(scope="module")
def rows(bundle: Bundle) -> list[dict[str, Any]]:
    """Records of the fiction that weights are trained on."""
    columns = {path: name for kind in bundle.signal_types.values() for name, path in kind.identity.items()}
    found = []
    for row in registers.signals(bundle, registers.Split.TRAIN, 7, ROWS):
        written = row.signal._asdict()
        who = Identity({columns[name]: value for name, value in written.items() if value and name in columns})
        found.append({"id": row.signal.signal_id} | linkage.traits(who, TODAY).row())
    return found


@pytest.fixture(scope="module")
def document(rows: list[dict[str, Any]], bundle: Bundle) -> dict[str, Any]:
    return training.train(rows, bundle.linkage, 1, "the fiction")


def under(document: dict[str, Any], folder: Path) -> Linkage:
    """The rules with these weights."""
    schemas = folder / "schemas"
    shutil.copytree(SCHEMAS, schemas)
    (schemas / "linkage.weights.json").write_text(json.dumps(document), encoding="utf-8")
    return Bundle.compile(schemas).linkage


def people(number: int, common: str, born: tuple[int, int, int]) -> list[Traits]:
    """Records that touch every level: few values each, many of them unknown, names at the edge of being alike."""
    chance = Random(20261122)
    names = [
        "vries",
        "vreis",
        "bakker",
        "backer",
        "bekker",
        "yilmaz",
        "yildiz",
        "abcdefgh",
        "abcdefgx",
        "a",
        "ab",
        "xa",
        "kaya",
        "kaaya",
        common,
    ]
    births = [
        born,
        (1980, 4, 3),
        (1980, 3, 4),
        (1980, 3, 9),
        (1981, 3, 4),
        (1980, 0, 0),
        (1980, 3, 0),
        (0, 3, 4),
        (0, 0, 0),
        (1991, 1, 1),
    ]
    given = ["johannes", "jan", "maria", "fatima", "fatyma"]
    found = []
    for _ in range(number):
        first = tuple(sorted(chance.sample(given, chance.choice([0, 0, 1, 2]))))
        initials = "".join(chance.choice("jmfq") for _ in range(chance.choice([0, 1, 1, 2, 3])))
        known = chance.random() < 0.85
        found.append(
            Traits(
                surnames=tuple(sorted(chance.sample(names, chance.choice([0, 1, 1, 1, 2])))),
                initials=initials,
                given=first,
                letters=naming.called(first),
                birth=chance.choice(births),
                postcode=chance.choice(["1234AB", "1234AC", "1299AB"]) if known else "",
                number=chance.choice([1, 1, 12]) if known else 0,
                addition=chance.choice(["", "", "A", "B"]) if known else "",
                phone=chance.choice(["", "+31699000001", "+31699000002"]),
                email=chance.choice(["", "jan.a@mail.example", "m@mail.example"]),
            )
        )
    return found


def test_splink_and_the_stream_weigh_every_pair_alike(document: dict[str, Any], tmp_path: Path) -> None:
    common = max(document["frequencies"]["surname"], key=document["frequencies"]["surname"].__getitem__)
    document = json.loads(json.dumps(document))
    document["frequencies"]["birth"]["1980-01-01"] = 0.004
    rules = under(document, tmp_path)
    records = {f"{place:03}": one for place, one in enumerate(people(80, common, (1980, 1, 1)))}
    theirs = training.oracle([{"id": name} | one.row() for name, one in records.items()], rules, document)
    seen: set[tuple[str, str, str | None]] = set()
    models: dict[str, int] = {}
    for left, right in combinations(records, 2):
        ours = linkage.weigh(records[left], records[right], rules)
        assert theirs[left, right] == pytest.approx(ours.total, abs=1e-6), ours.levels
        models[ours.model] = models.get(ours.model, 0) + 1
        seen |= {(ours.model, comparison, level) for comparison, level in ours.levels.items()}
    assert min(models.values()) > 200, "hundreds of pairs in each model"
    for comparison, levels in rules.comparisons.items():
        for level in (*levels, linkage.DIFFERENT, None):
            assert (comparison, level) == ("address", "different") or any(
                (model, comparison, level) in seen for model in models
            ), (
                comparison,
                level,
            )


@pytest.mark.parametrize("size", [3, 8, 15])
def test_jaro_winkler_is_the_same_in_the_database_and_in_the_stream(size: int) -> None:
    """A name is alike at 0.90: one that the two round to different sides of it would be weighed differently."""
    import duckdb
    from rapidfuzz.distance import JaroWinkler

    chance = Random(size)
    words = ["".join(chance.choice("abcde") for _ in range(chance.randint(1, size))) for _ in range(1_500)]
    pairs = list(zip(words, [*words[1:], words[0]], strict=True))
    with duckdb.connect(":memory:") as con:
        con.execute("CREATE TABLE pairs (place INTEGER, one TEXT, other TEXT)")
        con.execute(
            "INSERT INTO pairs SELECT unnest(?::INTEGER[]), unnest(?::TEXT[]), unnest(?::TEXT[])",
            [list(range(len(pairs))), [one for one, _ in pairs], [other for _, other in pairs]],
        )
        theirs = con.execute(
            "SELECT jaro_winkler_similarity(one, other) FROM pairs ORDER BY place"
        ).fetchall()
    for (one, other), (similarity,) in zip(pairs, theirs, strict=True):
        assert (similarity >= 0.9) == (JaroWinkler.similarity(one, other) >= 0.9), (one, other)
        assert similarity == pytest.approx(JaroWinkler.similarity(one, other), abs=1e-12)


def test_the_same_records_give_the_same_bytes_in_any_order(
    rows: list[dict[str, Any]], document: dict[str, Any], bundle: Bundle
) -> None:
    shuffled = Random(5).sample(rows, len(rows))
    again = training.train(shuffled, bundle.linkage, 1, "the fiction")
    assert training.text(again) == training.text(document)


def test_every_declared_level_has_a_finite_weight(document: dict[str, Any], bundle: Bundle) -> None:
    for model in document["models"].values():
        assert isfinite(model["prior"])
        assert {
            name: {*levels, linkage.DIFFERENT} for name, levels in bundle.linkage.comparisons.items()
        } == {name: set(levels) for name, levels in model["comparisons"].items()}
        for levels in model["comparisons"].values():
            for both in levels.values():
                assert abs(log2(both["m"] / both["u"])) < 20


def test_what_was_learnt_is_what_anybody_would_expect(document: dict[str, Any]) -> None:
    def weight(model: str, comparison: str, level: str) -> float:
        both = document["models"][model]["comparisons"][comparison][level]
        return log2(both["m"] / both["u"])

    assert weight("elsewhere", "birth", "same") > 9 > 4 > weight("elsewhere", "birth", "two_parts")
    assert weight("elsewhere", "surname", "same") > weight("same_address", "surname", "same") + 3, (
        "relatives share it"
    )
    assert weight("elsewhere", "contact", "phone") > weight("same_address", "contact", "phone") + 3, (
        "and the telephone"
    )
    assert weight("nearby", "address", "slip") > weight("nearby", "address", "postcode") + 2
    for model in ("elsewhere", "nearby", "same_address"):
        assert weight(model, "given", "name") > 0 and weight(model, "given", "begin") > 0
        assert weight(model, "given", "different") < -2 and weight(model, "birth", "different") < -2
    assert document["models"]["elsewhere"]["prior"] < -10 < document["models"]["same_address"]["prior"]


def test_a_level_without_weights_can_be_trained_and_is_refused_until_then(
    rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    schemas = tmp_path / "schemas"
    shutil.copytree(SCHEMAS, schemas)
    file = schemas / "linkage.weights.json"
    before = json.loads(file.read_text(encoding="utf-8"))
    for model in before["models"].values():
        del model["comparisons"]["birth"]["swapped"]
    file.write_text(json.dumps(before), encoding="utf-8")
    with pytest.raises(InvalidDeclarations, match="swapped"):
        Bundle.compile(schemas)
    proposed = Bundle.compile(schemas, untrained=True).linkage
    assert {one.weights["birth"]["swapped"] for one in proposed.models.values()} == {0.0}, (
        "it says nothing yet"
    )
    file.write_text(training.text(training.train(rows, proposed, 1, "the fiction")), encoding="utf-8")
    assert Bundle.compile(schemas).linkage.models[linkage.ELSEWHERE].weights["birth"]["swapped"] > 0


def test_a_value_that_few_people_share_is_not_in_the_file(
    rows: list[dict[str, Any]], document: dict[str, Any]
) -> None:
    """A family of whom many signals came has a rare name all the same."""
    known = {row["surname"] for row in rows if row["surname"]}
    assert 0 < len(document["frequencies"]["surname"]) < len(known) / 10
    for column in ("surname", "birth"):
        for value, share in document["frequencies"][column].items():
            places = {row["building"] or row["id"] for row in rows if row[column] == value}
            assert len(places) >= 8, "ten people, of whom some live together"
            assert 0 < share < 0.2


def test_too_few_records_are_refused(rows: list[dict[str, Any]], bundle: Bundle) -> None:
    with pytest.raises(training.TooFewRecords, match="at least 1,000"):
        training.train(rows[:100], bundle.linkage, 1, "too few")
    alone = [row | {"building": f"9999ZZ|{place}"} for place, row in enumerate(rows)]
    with pytest.raises(training.TooFewRecords, match="hardly an address"):
        training.train(alone, bundle.linkage, 1, "nobody twice")


def test_partners_who_never_give_a_telephone_are_no_reason_to_stop(
    rows: list[dict[str, Any]], bundle: Bundle
) -> None:
    silent = [row | {"phone": None, "email": None} for row in rows]
    trained = training.train(silent, bundle.linkage, 1, "no contacts")
    for levels in trained["models"]["elsewhere"]["comparisons"].values():
        assert all(abs(log2(both["m"] / both["u"])) < 20 for both in levels.values())
