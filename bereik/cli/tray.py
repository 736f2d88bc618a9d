"""`bereik tray`: people whom the register of persons did not find as a partner reported them, and what to do about each.

`list` and `rates` show no personal value. `show` opens one record, for the one who decides, and writes that down.
"""

from __future__ import annotations

import argparse
import getpass
from typing import Any

from bereik.app import App
from bereik.checks import NothingHeld
from bereik.cli import show
from bereik.residency import Choice

_CHOICES = {
    Choice.REGISTER: "it is this person, as the register has it",
    Choice.PARTNER: "it is this person, as the partner wrote; the register is wrong",
    Choice.ASKED: "the partner was asked; it stays in the tray",
    Choice.OTHER_PERSON: "somebody else lives at this address; the number found is forgotten",
    Choice.NO_RESIDENT: "no resident of this municipality; the case ends",
}
# Field of a record as we name it → as the register does.
_NAMES = {
    "surname": "geslachtsnaam",
    "prefix": "voorvoegsel",
    "initials": "voorletters",
    "birth_date": "geboortedatum",
    "postcode": "postcode",
    "house_number": "huisnummer",
    "house_letter": "huisletter",
    "house_number_addition": "huisnummertoevoeging",
}


def add(subparsers: Any) -> None:
    """Add the verb with its commands."""
    command = subparsers.add_parser(
        "tray", help="people whom the register did not find as they were reported"
    )
    parts = command.add_subparsers(dest="what", required=True, metavar="command")
    listing = parts.add_parser("list", help="what waits for a decision, oldest first; names of fields only")
    listing.set_defaults(run=_list)
    rates = parts.add_parser("rates", help="how often a partner's people do not fit, per month")
    rates.add_argument("--partner", help="of one partner only")
    rates.set_defaults(run=_rates)
    looking = parts.add_parser(
        "show", help="what the partner wrote beside what the register has; is written down"
    )
    looking.set_defaults(run=_show)
    repair = parts.add_parser(
        "repair",
        help="decide about one",
        epilog="; ".join(f"{name.value}: {meaning}" for name, meaning in _CHOICES.items()),
    )
    repair.add_argument("--choice", required=True, choices=[one.value for one in _CHOICES])
    repair.set_defaults(run=_repair)
    offers = parts.add_parser("offers", help="cases of people who moved, offered to where they live now")
    offers.set_defaults(run=_offers)
    answer = parts.add_parser("answer", help="what the new municipality says to an offer")
    answer.add_argument("case", help="id of the case; the first 8 characters will do")
    answer.add_argument("--accepted", required=True, choices=("yes", "no"))
    answer.add_argument("--by", default=getpass.getuser(), help="who answers")
    answer.set_defaults(run=_answer)
    for part in (looking, repair):
        part.add_argument("case", help="id of the case; the first 8 characters will do")
        part.add_argument("--person", help="id of the person, where the case has more than one in the tray")
        part.add_argument("--by", default=getpass.getuser(), help="who does this")
    for part in (listing, rates, looking, repair, offers, answer):
        part.add_argument("--json", action="store_true", help="print as JSON")


def _list(arguments: argparse.Namespace) -> int:
    with App.from_env(process="checks").inquiries.tray() as (checks, session):
        rows = checks.tray(session)
        by_hand = checks.by_hand
    if arguments.json:
        show(
            [
                {
                    "purpose": purpose,
                    "case_id": row.case_id,
                    "person_id": row.person_id,
                    "municipality": row.municipality,
                    "answer": row.answer or "by_hand",
                    "differences": list(row.differences),
                    "since": row.since,
                    "events": list(row.events),
                }
                for purpose, row in rows
            ]
        )
        return 0
    if by_hand:
        print("No register is connected (BEREIK_BRP_URL): each person is looked up by hand.")
    for _, row in rows:
        said = row.answer or "to be looked up"
        fields = f" ({', '.join(row.differences)})" if row.differences else ""
        since = f"; the register told since: {', '.join(row.events)}" if row.events else ""
        print(
            f"{row.case_id[:8]} {row.person_id[:8]} {row.municipality} {row.since:%Y-%m-%d} {said}{fields}{since}"
        )
    print(f"{len(rows)} in the tray.")
    return 0


def _rates(arguments: argparse.Namespace) -> int:
    rows = [row for row in App.from_env().inquiries.rates() if arguments.partner in (None, row["partner"])]
    if arguments.json:
        show(rows)
        return 0
    print(
        f"{'partner':28} {'month':8} {'asked':>6} {'unique':>7} {'deviating':>10} {'not found':>10} {'share':>7}"
    )
    for row in rows:
        print(
            f"{row['partner']:28} {row['month']:8} {row['asked']:>6} {row['unique']:>7} {row['deviating']:>10}"
            f" {row['not_found']:>10} {row['share']:>7.1%}"
        )
    return 0


def _found(checks: Any, session: Any, arguments: argparse.Namespace) -> tuple[str, str, str]:
    """(purpose, case, person) that the arguments mean. Raises `NothingHeld`."""
    met = [
        (purpose, row.case_id, row.person_id)
        for purpose, row in checks.tray(session)
        if len(arguments.case) >= 8
        and row.case_id.startswith(arguments.case.lower())
        and (arguments.person is None or row.person_id.startswith(arguments.person.lower()))
    ]
    if len(met) != 1:
        raise NothingHeld(
            "More than one in the tray begins so; name the person with --person." if met else None
        )
    return met[0]


def _show(arguments: argparse.Namespace) -> int:
    with App.from_env(process="checks").inquiries.tray() as (checks, session):
        purpose, case_id, person_id = _found(checks, session, arguments)
        wrote, holds = checks.compare(purpose, case_id, person_id, session)
        session.note(arguments.by, "tray_shown", purpose, case_id)
    rows = [
        {"field": name, "partner": wrote.get(key), "register": holds.get(key)}
        for key, name in _NAMES.items()
        if wrote.get(key) or holds.get(key)
    ]
    if arguments.json:
        show({"case_id": case_id, "person_id": person_id, "fields": rows})
        return 0
    print(f"{'field':22} {'partner':28} register")
    for row in rows:
        print(f"{row['field']:22} {row['partner'] or '-':28} {row['register'] or '-'}")
    return 0


def _repair(arguments: argparse.Namespace) -> int:
    with App.from_env(process="checks").inquiries.tray() as (checks, session):
        purpose, case_id, person_id = _found(checks, session, arguments)
        checks.repair(purpose, case_id, person_id, Choice(arguments.choice), arguments.by, session)
        session.note(arguments.by, "tray_repaired", purpose, case_id)
    if arguments.json:
        show({"case_id": case_id, "person_id": person_id, "choice": arguments.choice})
    else:
        print(f"Case {case_id[:8]}, person {person_id[:8]}: {_CHOICES[Choice(arguments.choice)]}.")
    return 0


def _offers(arguments: argparse.Namespace) -> int:
    with App.from_env(process="checks").inquiries.tray() as (checks, session):
        found = checks.offers(session)
    if arguments.json:
        show(
            [
                {
                    "purpose": purpose,
                    "case_id": one.case_id,
                    "from": one.municipality,
                    "to": one.toward,
                    "since": one.since,
                }
                for purpose, one in found
            ]
        )
        return 0
    for _, one in found:
        print(f"{one.case_id[:8]} {one.municipality} -> {one.toward} {one.since:%Y-%m-%d}")
    print(f"{len(found)} offered.")
    return 0


def _answer(arguments: argparse.Namespace) -> int:
    with App.from_env(process="checks").inquiries.tray() as (checks, session):
        met = [
            (purpose, one)
            for purpose, one in checks.offers(session)
            if len(arguments.case) >= 8 and one.case_id.startswith(arguments.case.lower())
        ]
        if len(met) != 1:
            raise NothingHeld(
                "No offer, or more than one, is of a case that begins so. `bereik tray offers` lists them."
            )
        purpose, offer = met[0]
        new_id = checks.answer_offer(purpose, offer, arguments.accepted == "yes", arguments.by, session)
        session.note(arguments.by, "offer_answered", purpose, offer.case_id)
    if arguments.json:
        show({"case_id": offer.case_id, "accepted": arguments.accepted == "yes", "new_case_id": new_id})
    elif new_id is not None:
        print(f"Case {offer.case_id[:8]}: taken over, it goes on as case {new_id[:8]} in {offer.toward}.")
    else:
        print(f"Case {offer.case_id[:8]}: declined; its team is told.")
    return 0
