"""What `bereik bench linkage` reports: clusters at every threshold, ordinary cleaning for Splink, and the pictures."""

from __future__ import annotations

from itertools import combinations
from random import Random
from xml.etree import ElementTree

import pytest

from bereik.bench import baseline, linkage, pictures
from bereik.evaluation import Decided, Truth, evaluate

SVG = "{http://www.w3.org/2000/svg}"


def test_clusters_at_a_threshold_are_the_connected_components_that_evaluate_would_judge() -> None:
    chance = Random(3)
    persons = {f"s{number}": f"p{number % 23}" for number in range(90)}
    edges = sorted(
        ((one, other, float(chance.randint(-5, 15))) for one, other in combinations(persons, 2) if chance.random() < 0.03),
        key=lambda edge: -edge[2],
    )  # fmt: skip
    curve = linkage._clustered(edges, persons)
    assert [threshold for threshold, _, _ in curve] == sorted({edge[2] for edge in edges}, reverse=True)
    for threshold, precision, recall in curve:
        cluster = {name: name for name in persons}
        for one, other, weight in edges:
            if weight >= threshold and cluster[one] != cluster[other]:
                old = cluster[other]
                cluster = {name: cluster[one] if at == old else at for name, at in cluster.items()}
        report = evaluate(
            [Decided(name, at, "", "link") for name, at in cluster.items()],
            [Truth(name, person, "", "all") for name, person in persons.items()],
            seed=1,
            resamples=1,
        )
        assert precision == pytest.approx(report.person.precision)
        assert recall == pytest.approx(report.person.recall)


def test_recall_at_a_precision_is_the_best_that_reaches_it() -> None:
    curve = [(9.0, 1.0, 0.5), (5.0, 0.996, 0.8), (3.0, 0.994, 0.85), (1.0, 0.9951, 0.83)]
    assert linkage._recall_at(curve, 0.995) == 0.83
    assert linkage._recall_at([(1.0, 0.9, 0.9)], 0.995) == 0.0
    assert linkage._best(curve).threshold == 3.0


def test_ordinary_cleaning_leaves_what_a_column_says() -> None:
    written = dict.fromkeys(("voorletters", "voornamen", "huisletter", "email"), "") | {
        "signal_id": "s1", "geslachtsnaam": "Van den Çelik-ÖZDEMIR", "geboortedatum": "3-12-1980", "postcode": "1234 ab",
        "huisnummer": "12", "huisnummertoevoeging": "-bis", "telefoonnummer": "0031 6-99 00 00 01",
    }  # fmt: skip
    cleaned = baseline.clean(written)
    assert cleaned["surname"] == "celik ozdemir"
    assert (
        cleaned["birth"] == "1980-12-03"
        and baseline.clean(written | {"geboortedatum": "1980"})["birth"] is None
    )
    assert (cleaned["building"], cleaned["address"]) == ("1234AB 12", "1234ab12bis")
    assert cleaned["phone"] == "0699000001"
    assert cleaned["initials"] is None and cleaned["email"] is None


def test_a_waterfall_ends_where_its_steps_add_up_to() -> None:
    drawn = pictures.waterfall(
        "a & b", [("beforehand", -13.0), ("surname <same>", 9.5), ("birth", 14.0)], {"link": 6}
    )
    root = ElementTree.fromstring(drawn)
    texts = [one.text for one in root.iter(f"{SVG}text")]
    assert "+10.5" in texts and "surname <same>" in texts and "link 6" in texts
    assert root.find(f"{SVG}title").text == "a & b"  # type: ignore[union-attr]
    assert "prefers-color-scheme: dark" in drawn


def test_a_curve_shows_both_systems_and_stays_inside_its_frame() -> None:
    curves = {
        "ours": [(0.7 + step / 100, 1 - step / 1000) for step in range(30)],
        "theirs": [(0.9, 0.97), (0.95, 0.4)],
    }
    root = ElementTree.fromstring(pictures.precision_recall("curve", curves, {"ours": (0.97, 0.996)}))
    width, height = (float(size) for size in root.attrib["viewBox"].split()[2:])
    lines = list(root.iter(f"{SVG}polyline"))
    assert len(lines) == 2
    for line in lines:
        for point in line.attrib["points"].split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= width and 0 <= y <= height
