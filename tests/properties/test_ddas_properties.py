"""Whoever a delivery is about: the number alone or the door, never both and never more."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from bereik import ddas
from bereik.linkage import Identity
from bereik.signal import is_bsn

DOOR = {"postcode", "huisnummer", "huisnummertoevoeging", "geboortedatum"}
NUMBERS = st.sampled_from([f"99999{rest:04}" for rest in range(10_000) if is_bsn(f"99999{rest:04}")])
texts = st.text(max_size=12)
dates = st.dates(date(1900, 1, 1), date(2026, 10, 1)).map(date.isoformat)


@st.composite
def people(draw: st.DrawFn) -> Identity:
    """As a partner tells of them: a sound door, and whatever else."""
    fields = {
        "postcode": draw(st.from_regex(r"[1-9][0-9]{3} ?[A-RT-Za-rt-z]{2}", fullmatch=True)),
        "house_number": str(draw(st.integers(1, 99_999))),
    }
    more = {
        "house_letter": st.sampled_from(["", "a", "B"]),
        "house_number_addition": st.sampled_from(["", "2", "bis", "3 hoog", "-1"]),
        "birth_date": dates | st.sampled_from(["1985-00-00", "1985-02-00", "0000-00-00"]),
        "surname": texts,
        "initials": texts,
        "phone": texts,
        "email": texts,
        "bsn": NUMBERS | texts,
    }
    for name in draw(st.sets(st.sampled_from(sorted(more)))):
        fields[name] = draw(more[name])
    return Identity(fields)


@given(people(), st.none() | NUMBERS | texts)
def test_a_client_is_a_sound_number_alone_or_a_door_and_never_both(who: Identity, bsn: str | None) -> None:
    client = ddas.client(who, bsn, date(2026, 10, 5))
    if bsn is not None and is_bsn(bsn):
        assert client == {"burgerservicenummer": bsn}
    else:
        assert {"postcode", "huisnummer"} <= client.keys() <= DOOR
    schema = ddas.model()["properties"]["leveringen"]["items"]["properties"]["vroegsignalen"]["items"]
    assert ddas.problems(client, schema["properties"]["client"]) == []
