"""Two records side by side: every character stays, and what is marked is what differs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bereik.differences import Likeness, Line, side_by_side
from bereik.linkage import Identity

values = st.dictionaries(
    st.sampled_from(["surname", "initials", "birth_date"]), st.text(min_size=1, max_size=40)
)


def lines(one: dict[str, str], other: dict[str, str]) -> dict[str, Line]:
    found = side_by_side(Identity(one), Identity(other), ["surname", "initials", "birth_date"])
    return {line.name: line for line in found}


@given(values, values)
def test_nothing_is_lost_and_both_sides_have_the_rest_in_common(
    one: dict[str, str], other: dict[str, str]
) -> None:
    for name, line in lines(one, other).items():
        assert "".join(piece.text for piece in line.one) == one.get(name, "")
        assert "".join(piece.text for piece in line.other) == other.get(name, "")
        if name in one and name in other:
            common = ["".join(p.text for p in side if not p.marked) for side in (line.one, line.other)]
            assert len(common[0]) == len(common[1])
            assert (line.likeness is Likeness.SAME) == (
                not any(piece.marked for piece in (*line.one, *line.other))
            )
        else:
            assert line.likeness is Likeness.ONE_SIDE


def test_the_character_is_marked_and_capitals_are_not() -> None:
    found = lines({"surname": "JANSEN", "initials": "A."}, {"surname": "Janssen", "birth_date": "1990-01-01"})
    assert [(p.text, p.marked) for p in found["surname"].other] == [
        ("Jans", False),
        ("s", True),
        ("en", False),
    ]
    assert [(p.text, p.marked) for p in found["surname"].one] == [("JANS", False), ("EN", False)]
    assert found["initials"].other == () and found["birth_date"].one == ()


def test_printing_a_line_shows_no_value() -> None:
    assert "jansen" not in str(side_by_side(Identity({"surname": "jansen"}), Identity({}), ["surname"]))
