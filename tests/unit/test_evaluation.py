"""The report on recognition: sums worked out by hand, and errors that say which line and how to mend it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bereik import evaluation
from bereik.cli import main
from bereik.evaluation import Decided, Truth, WrongTable

# Anna has three signals, of which two were linked; Bo's only signal went to Anna; Cem has two that were linked.
TRUTH = [
    Truth("s1", "anna", "h1", "nl"),
    Truth("s2", "anna", "h1", "nl"),
    Truth("s3", "anna", "h1", "nl"),
    Truth("s4", "bo", "h1", "nl"),
    Truth("s5", "cem", "h2", "tr"),
    Truth("s6", "cem", "h2", "tr"),
]
DECIDED = [
    Decided("s1", "1", "a", "new"),
    Decided("s2", "1", "a", "link"),
    Decided("s3", "2", "a", "review"),
    Decided("s4", "1", "a", "link"),
    Decided("s5", "3", "b", "new"),
    Decided("s6", "3", "b", "link"),
]


def test_a_small_case_by_hand() -> None:
    report = evaluation.evaluate(DECIDED, TRUTH, seed=1)
    # Linked pairs: three of {s1, s2, s4} and one of {s5, s6}; right are s1-s2 and s5-s6; true pairs are 3 + 1.
    assert report.person.precision == 2 / 4 and report.person.recall == 2 / 4 and report.person.f1 == 0.5
    assert report.b_cubed.precision == pytest.approx((2 / 3 + 2 / 3 + 1 + 1 / 3 + 1 + 1) / 6)
    assert report.b_cubed.recall == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1 + 1 + 1) / 6)
    assert report.household.f1 == report.household_b_cubed.f1 == 1
    assert [(one.group, one.people, one.pairs, one.recall) for one in report.groups] == [
        ("nl", 2, 3, 1 / 3),
        ("tr", 1, 1, 1),
    ]
    assert report.gap == pytest.approx(2 / 3)
    assert report.decisions == {"link": 3, "review": 1, "new": 2}
    assert report.reviews_per_1000 == pytest.approx(1000 / 6)


def test_nothing_linked_is_never_wrong_and_finds_nothing() -> None:
    apart = [row._replace(person_id=row.signal_id) for row in DECIDED]
    report = evaluation.evaluate(apart, TRUTH, seed=1)
    assert report.person.precision == 1 and report.person.recall == 0 and report.person.f1 == 0
    assert report.b_cubed.precision == 1


def test_a_group_without_pairs_has_no_recall() -> None:
    truth = [*TRUTH[:4], Truth("s5", "cem", "h2", "tr"), Truth("s6", "dewi", "h2", "sr")]
    report = evaluation.evaluate(DECIDED, truth, seed=1)
    assert [(one.group, one.recall, one.low) for one in report.groups[1:]] == [
        ("sr", None, None),
        ("tr", None, None),
    ]
    assert report.gap is None


def test_an_interval_lies_around_its_recall_and_narrows_with_people() -> None:
    def report(people: int) -> evaluation.GroupRecall:
        truth = [Truth(f"{n}{k}", f"p{n}", "h", "nl") for n in range(people) for k in "ab"]
        decided = [
            Decided(row.signal_id, row.person if int(row.person[1:]) % 5 else row.signal_id, "h", "link")
            for row in truth
        ]
        return evaluation.evaluate(decided, truth, seed=3).groups[0]

    few, many = report(50), report(2_000)
    for one in (few, many):
        assert one.low is not None and one.high is not None
        assert one.recall == 0.8 and one.low < 0.8 < one.high
    # 1.96 standard errors of a share of 0.8 on either side.
    assert few.high - few.low == pytest.approx(2 * 1.96 * (0.8 * 0.2 / 50) ** 0.5, rel=0.25)  # type: ignore[operator]
    assert many.high - many.low == pytest.approx(2 * 1.96 * (0.8 * 0.2 / 2_000) ** 0.5, rel=0.25)  # type: ignore[operator]


def test_a_gap_is_judged_by_what_chance_makes() -> None:
    """Groups of 40 whose people are missed alike differ by chance alone; a group that is missed more stands out."""

    def report(worse: int) -> evaluation.Evaluation:
        truth = [Truth(f"{n}{k}", f"p{n}", "h", f"g{n % 6}") for n in range(240) for k in "ab"]
        decided = []
        for row in truth:
            n = int(row.person[1:])
            missed = n % 5 == 0 or (row.group == "g0" and n % 60 < worse)
            decided.append(Decided(row.signal_id, row.signal_id if missed else row.person, "h", "link"))
        return evaluation.evaluate(decided, truth, seed=1)

    same, other = report(0), report(48)
    assert same.gap is not None and same.gap_by_chance is not None
    assert same.gap <= same.gap_by_chance
    assert other.gap is not None and other.gap_by_chance is not None
    assert other.gap > 1.5 * other.gap_by_chance


def test_signals_without_an_address_share_no_household() -> None:
    decided = [row._replace(household_id="") for row in DECIDED]
    assert evaluation.evaluate(decided, TRUTH, seed=1).household.recall == 0


GOOD = "signal_id,person_id,household_id,decision\ns1,1,a,new\ns2,1,a,link\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "out.csv is empty; it needs a header"),
        ("signal_id,person_id,household_id,decision\n", "no rows"),
        ("signal_id,person_id,decision\ns1,1,new\n", "row 1: no column household_id"),
        ("signal_id;person_id;household_id;decision\n", "separated by commas"),
        (GOOD + "s1,1,a,link\n", "row 4: the signal_id of row 2 again"),
        (GOOD + "\ns3,1,a,link\n", "row 4 is empty"),
        (GOOD + "s3,,a,link\n", "row 4: person_id is empty"),
        (GOOD + "s3,1,a\n", "row 4: 3 cells under 4 columns"),
        (GOOD + "s3,1,a,perhaps\n", "row 4: decision is none of link, review, new"),
        (GOOD + 's3,"1,a,link\n', "no CSV"),
    ],
)
def test_a_wrong_file_says_where_and_what(text: str, said: str) -> None:
    with pytest.raises(WrongTable, match=said.replace(".", r"\.")):
        evaluation.read_decided("out.csv", text.splitlines(keepends=True))


def test_columns_may_stand_in_any_order_beside_others() -> None:
    text = "decision,note,household_id,person_id,signal_id\nnew,x,a,1,s1\n"
    assert evaluation.read_decided("out.csv", [f"\ufeff{line}\n" for line in text.splitlines()][:1] + text.splitlines()[1:]) == [
        Decided("s1", "1", "a", "new")
    ]  # fmt: skip


def test_empty_lines_at_the_end_do_no_harm() -> None:
    assert len(evaluation.read_decided("out.csv", (GOOD + "\n\n").splitlines(keepends=True))) == 2


def test_a_person_has_one_group() -> None:
    text = "signal_id,person,household,group\ns1,p,h,nl\ns2,p,h,tr\n"
    with pytest.raises(WrongTable, match="row 3: the person of row 2 is in another group"):
        evaluation.read_truth("truth.csv", text.splitlines())


def test_both_files_are_about_the_same_signals() -> None:
    evaluation.together("out.csv", DECIDED, "truth.csv", TRUTH)
    with pytest.raises(
        WrongTable, match=r"truth.csv, row 7: its signal_id is not in out.csv, as with 1 of 6"
    ):
        evaluation.together("out.csv", DECIDED[:-1], "truth.csv", TRUTH)
    with pytest.raises(WrongTable, match=r"out.csv, row 2: .*not in truth.csv"):
        evaluation.together("out.csv", DECIDED, "truth.csv", TRUTH[1:])


def test_the_command_judges_two_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, truth = tmp_path / "out.csv", tmp_path / "truth.csv"
    out.write_text(
        "\n".join([",".join(Decided._fields), *(",".join(row) for row in DECIDED)]) + "\n",
        encoding="utf-8-sig",
    )
    truth.write_text(
        "\n".join([",".join(Truth._fields), *(",".join(row) for row in TRUTH)]) + "\n", encoding="utf-8"
    )
    assert main(["linkage", "evaluate", str(out), str(truth)]) == 0
    told = capsys.readouterr().out
    assert "person, pairs" in told and "0.5000" in told and "166.7 reviews per 1,000" in told
    assert main(["linkage", "evaluate", str(out), str(truth), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["person"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5}
    assert [one["group"] for one in document["groups"]] == ["nl", "tr"]
    assert main(["linkage", "evaluate", str(tmp_path / "none.csv"), str(truth)]) == 1
    assert "cannot be read" in capsys.readouterr().err
