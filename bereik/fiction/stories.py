"""Stories planted in the months, each with the ending it must have. They take whatever the declarations allow.

No municipality, partner or signal type is known here: a story asks the bundle for the first that fits, and is left out
when nothing does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from bereik.declared.partners import Agreement
from bereik.declared.purposes import BridgeRule
from bereik.fiction.months import World, envelope
from bereik.fiction.people import Household, Person
from bereik.fiction.senders import Facts, Sender


class Ending(StrEnum):
    """How a story must end."""

    CONSENT_BRIDGE = "consent_bridge"
    NO_BRIDGE = "no_bridge"
    STATUTE_BRIDGE = "statute_bridge"
    TOGETHER_ABOVE = "together_above"
    REPEAT = "repeat"
    CRISIS = "crisis"
    WITHDRAWN = "withdrawn"
    FATES = "fates"  # only the fates and reasons of its events count


@dataclass(frozen=True, slots=True)
class Planted:
    """One event of a story: its partner and id (None: it has none), the fate and the first reason it must get."""

    partner: str
    event_id: str | None
    fate: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """A story by name, told in one sentence, with its events in the order in which they were sent."""

    name: str
    sentence: str
    ending: Ending
    events: tuple[Planted, ...]
    municipality: str


Offer = tuple[Sender, Agreement]

# The child of a story's family: a parent speaks for it.
CHILD_AGE = 11


class _Teller:
    """Shared turns of phrase: who sends, when, about whom."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.now = world.spans[-1]
        self.codes = world.people.municipalities
        self._turn = 0

    def debts(self, code: str) -> list[Offer]:
        """Partners that may send debts there; those with their own topic first, the largest sectors before."""
        offers = self.world.offers(code, about_person=False)
        return sorted(
            offers, key=lambda offer: (offer[0].door == "file", -offer[0].share, offer[0].partner.id)
        )

    def on_topics(self) -> list[tuple[str, Offer]]:
        """Who may send debts by a topic, and where; each time another one comes first."""
        found = [
            (code, offer) for code in self.codes for offer in self.debts(code) if offer[0].door != "file"
        ]
        self._turn += 1
        at = self._turn % max(1, len(found))
        return found[at:] + found[:at]

    def various(self, offers: list[Offer], number: int) -> list[Offer]:
        """So many offers, of as many partners and types as there are."""
        found: list[Offer] = []
        for offer in offers:
            if all(offer[0].kind.id != other[0].kind.id for other in found):
                found.append(offer)
        found += [offer for offer in offers if offer not in found]
        return [found[at % len(found)] for at in range(number)]

    def moment(self, part: float) -> tuple[date, int]:
        """A day of the running month, `part` of the way, and an instant on it."""
        days = (self.now.last - self.now.first).days
        day = self.now.first + timedelta(days=int(days * part))
        return day, self.world.moment(day)

    def debt(
        self,
        offer: Offer,
        home: Household,
        who: Person,
        amount: int,
        day: date,
        at: int,
        contract: str | None = None,
        crisis: bool = False,
    ) -> Planted:
        """An ordinary debt report, which is accepted."""
        sender, agreement = offer
        facts = Facts(
            self.world.event_id(sender, day), day, day - timedelta(days=60), amount, contract or self.world.contract(sender, who),
            crisis=crisis,
        )  # fmt: skip
        self.world.report(sender, agreement, home, who, facts, at)
        return Planted(sender.partner.id, facts.event_id, "accepted")

    def absence(self, offer: Offer, home: Household, day: date, at: int) -> Planted:
        """An ordinary report about the first child."""
        sender, agreement = offer
        facts = Facts(self.world.event_id(sender, day), day, day - timedelta(days=9), 0, "")
        self.world.report(sender, agreement, home, home.children[0], facts, at)
        return Planted(sender.partner.id, facts.event_id, "accepted")


def plant(world: World) -> tuple[Story, ...]:
    """Put every story that is possible under this bundle into the world."""
    # Nobody in a story mistypes: its ending depends on its addresses.
    kept = [(sender, sender.errors) for sender in world.senders]
    for sender in world.senders:
        sender.errors = {}
    teller = _Teller(world)
    found = [story for tell in _STORIES for story in tell(teller)]
    for sender, errors in kept:
        sender.errors = errors
    return tuple(found)


# ---------------------------------------------------------------- families


def _families(teller: _Teller) -> Iterator[Story]:
    world = teller.world
    for rule in world.bundle.bridges:
        free = [
            code for code in teller.codes if not _statute(world, code, rule) and _both(teller, code, rule)
        ]
        bound = [code for code in teller.codes if _statute(world, code, rule) and _both(teller, code, rule)]
        if free:
            yield _family(
                teller, free[0], rule, "family A, agreed", Ending.CONSENT_BRIDGE, 0.30,
                "Debts and absence at one address; everybody concerned agreed, so two workers help one family.",
            )  # fmt: skip
            yield _family(
                teller, free[0], rule, "family B, not asked", Ending.NO_BRIDGE, 0.35,
                "The same facts, and nobody agreed: two cases in two teams, and neither can tell that the other exists.",
            )  # fmt: skip
        if bound:
            yield _family(
                teller, bound[0], rule, "family C, by statute", Ending.STATUTE_BRIDGE, 0.40,
                "The same facts where a statutory ground is registered: the bridge arose by itself.",
            )  # fmt: skip
        return


def _statute(world: World, code: str, rule: BridgeRule) -> bool:
    statutes = world.bundle.municipalities[code].statutes
    return any(one.in_force(world.today) and one.purposes >= set(rule.purposes) for one in statutes)


def _sides(teller: _Teller, code: str, rule: BridgeRule) -> tuple[list[Offer], list[Offer]]:
    debts = [offer for offer in teller.debts(code) if offer[0].kind.purpose in rule.purposes]
    persons = [
        offer
        for offer in teller.world.offers(code, about_person=True)
        if offer[0].kind.purpose in rule.purposes and offer[0].door != "file"
    ]
    return [offer for offer in debts if offer[0].door != "file"], persons


def _both(teller: _Teller, code: str, rule: BridgeRule) -> bool:
    return all(_sides(teller, code, rule))


def _family(
    teller: _Teller, code: str, rule: BridgeRule, name: str, ending: Ending, part: float, sentence: str
) -> Story:
    debts, persons = _sides(teller, code, rule)
    home = teller.world.people.household(code, adults=2, children=1)
    home.children[0].birth_date = _years_before(teller.world.today, CHILD_AGE) - timedelta(days=40)
    events = []
    for at, offer in enumerate(teller.various(debts, 2)):
        day, moment = teller.moment(part + 0.02 * at)
        events.append(teller.debt(offer, home, home.adults[at], 340 + 95 * at, day, moment))
    day, moment = teller.moment(part + 0.1)
    events.append(teller.absence(persons[0], home, day, moment))
    return Story(name, sentence, ending, tuple(events), code)


def _years_before(day: date, years: int) -> date:
    return date(day.year - years, day.month, min(day.day, 28))


# ---------------------------------------------------------------- what adds up, repeats, threatens, is taken back


def _small_debts(teller: _Teller) -> Iterator[Story]:
    for code in teller.codes:
        for offer in teller.debts(code):
            policy = teller.world.bundle.municipalities[code].policies.get(offer[0].kind.purpose)
            if policy is None or policy.threshold_eur < 8 or not policy.threshold_citation:
                continue
            amount = -(-policy.threshold_eur // 4) + 2
            same = [
                one
                for one in teller.debts(code)
                if one[0].kind.purpose == offer[0].kind.purpose and one[0].amount_field
            ]
            home = teller.world.people.household(code, adults=2, children=0)
            events = []
            for at, one in enumerate(teller.various([o for o in same if o[0].door != "file"] or same, 4)):
                day, moment = teller.moment(0.2 + 0.12 * at)
                who = home.adults[at % 2]
                contract = teller.world.contract(one[0], who)
                events.append(teller.debt(one, home, who, amount + at, day, moment, f"{contract}-{at}"))
            yield Story(
                "four small debts",
                f"Four debts of € {amount} to € {amount + 3} at one address: each is below the threshold of"
                f" € {policy.threshold_eur}, together they are not.",
                Ending.TOGETHER_ABOVE,
                tuple(events),
                code,
            )
            return


def _repeat(teller: _Teller) -> Iterator[Story]:
    world = teller.world
    if len(world.spans) < 3:
        return
    for code in teller.codes:
        for offer in teller.debts(code):
            sender = offer[0]
            if not (sender.purpose.repeat and sender.amount_field and sender.door != "file"):
                continue
            home = world.people.household(code, adults=1, children=0)
            before = world.spans[-3].first + timedelta(days=11)
            day, moment = teller.moment(0.5)
            events = (
                teller.debt(offer, home, home.adults[0], 410, before, world.moment(before)),
                teller.debt(offer, home, home.adults[0], 410, day, moment),
            )
            yield Story(
                "repeated report",
                "The same partner reports the same contract again, and not more is owed: nobody is sent out twice.",
                Ending.REPEAT,
                events,
                code,
            )
            return


def _crisis(teller: _Teller) -> Iterator[Story]:
    for code in teller.codes:
        for offer in teller.debts(code):
            if offer[0].crisis_field and offer[0].door != "file":
                home = teller.world.people.household(code, adults=1, children=2)
                day, moment = teller.moment(0.95)
                event = teller.debt(offer, home, home.adults[0], 28, day, moment, crisis=True)
                yield Story(
                    "crisis signal",
                    "A supply is about to end. The amount is small and that does not matter: it goes first.",
                    Ending.CRISIS,
                    (event,),
                    code,
                )
                return


def _withdrawn(teller: _Teller) -> Iterator[Story]:
    world = teller.world
    for code, offer in teller.on_topics():
        sender = offer[0]
        if world.can_withdraw(sender):
            home = world.people.household(code, adults=1, children=0)
            day, moment = teller.moment(0.4)
            event = teller.debt(offer, home, home.adults[0], 520, day, moment)
            assert event.event_id is not None
            own = world.withdraw(sender, event.event_id, world.later(moment, 2), home.adults[0].number, home)
            # Taken back before anybody looked it would not become a case at all.
            world.afterwards.append(world.out[world.month_of(moment)].pop())
            yield Story(
                "withdrawn signal",
                "The resident paid and the partner took its signal back: planned contact stops.",
                Ending.WITHDRAWN,
                (event, Planted(sender.partner.id, own, "accepted")),
                code,
            )
            return


# ---------------------------------------------------------------- the law at the door


def _denied_step(teller: _Teller) -> Iterator[Story]:
    """An event whose own attestation says that a step was not taken."""
    for code in teller.codes:
        for sender, agreement in teller.debts(code):
            field = sender.kind.attestation_field
            left = [step for step in sender.kind.steps if step not in agreement.attested]
            if agreement.attestation == "row" and field and left and sender.door != "file":
                said = {**dict.fromkeys(sender.kind.steps, True), left[0]: False}
                yield _refusal(
                    teller, sender, agreement, code, "step not taken", "step_denied", {field: said}, 0.45,
                    f"The partner itself says that a prior step was not taken ({left[0]}): refused, with the article.",
                )  # fmt: skip
                return


def _missing_attestation(teller: _Teller) -> Iterator[Story]:
    """An agreement that does not vouch for every step the type asks."""
    world = teller.world
    for code in teller.codes:
        for sender in world.senders:
            for agreement in sender.partner.agreements:
                left = [step for step in sender.kind.steps if step not in agreement.attested]
                if (
                    agreement.municipality == code
                    and sender.kind.id in agreement.signal_types
                    and agreement.in_force(world.today)
                    and agreement.attestation == "agreement"
                    and left
                ):
                    yield _refusal(
                        teller, sender, agreement, code, "missing attestation", "step_not_attested", {}, 0.5,
                        f"The agreement does not vouch for a step that the law asks ({left[0]}): refused, with the article.",
                    )  # fmt: skip
                    return


def _no_ground(teller: _Teller) -> Iterator[Story]:
    """A partner without any agreement sends what others may send."""
    world = teller.world
    strangers = [partner for _, partner in sorted(world.bundle.partners.items()) if not partner.agreements]
    for partner in strangers:
        for code in teller.codes:
            for sender, _ in [*world.offers(code, about_person=True), *teller.debts(code)]:
                home = world.people.household(code, adults=1, children=1)
                who = home.children[0] if sender.about_person else home.adults[0]
                day, moment = teller.moment(0.55)
                event_id = f"X-{day:%y%m}-1"
                data = sender.data(who, home, Facts(event_id, day, day, 100, "X1"), None, world.chance)
                value = envelope(event_id, partner.source, sender.kind.event_type, moment, data)
                world.raw(partner.id, code, value, moment, event_id, "refused", who.number, home.number)
                yield Story(
                    "no ground registered",
                    f"{partner.name} publishes directly, but no ground is registered for it: unconfigured, and it goes nowhere.",
                    Ending.FATES,
                    (Planted(partner.id, event_id, "refused", "no_agreement"),),
                    code,
                )
                return


# ---------------------------------------------------------------- bad input


def _refusal(
    teller: _Teller,
    sender: Sender,
    agreement: Agreement | None,
    code: str,
    name: str,
    reason: str,
    changes: dict[str, object],
    part: float,
    sentence: str,
) -> Story:
    """One event that is refused for one reason."""
    world = teller.world
    home = world.people.household(code, adults=1, children=1)
    who = home.children[0] if sender.about_person else home.adults[0]
    day, moment = teller.moment(part)
    facts = Facts(
        world.event_id(sender, day), day, day - timedelta(days=45), 260, world.contract(sender, who)
    )
    world.report(sender, agreement, home, who, facts, moment, fate="refused", changes=changes)
    return Story(
        name, sentence, Ending.FATES, (Planted(sender.partner.id, facts.event_id, "refused", reason),), code
    )


def _incomplete(teller: _Teller) -> Iterator[Story]:
    for code, (sender, agreement) in teller.on_topics():
        surname = sender.kind.identity["surname"]
        yield _refusal(
            teller, sender, agreement, code, "nobody's name", "required", {surname: None}, 0.6,
            "A signal about nobody: the name is missing, and the receipt says which field, not whose.",
        )  # fmt: skip
        return


def _poison(teller: _Teller) -> Iterator[Story]:
    for code, (sender, _) in teller.on_topics():
        _, moment = teller.moment(0.65)
        teller.world.raw(sender.partner.id, code, b'{"specversion": "1.0", "id": ', moment, None, "parked")
        yield Story(
            "poison message",
            "Half a message without a usable id: parked for a person to look at, and the topic goes on.",
            Ending.FATES,
            (Planted(sender.partner.id, None, "parked", "not_json"),),
            code,
        )
        return


def _id_reuse(teller: _Teller) -> Iterator[Story]:
    world = teller.world
    for code, (sender, agreement) in teller.on_topics():
        home = world.people.household(code, adults=1, children=0)
        day, moment = teller.moment(0.7)
        facts = Facts(
            world.event_id(sender, day),
            day,
            day - timedelta(days=50),
            330,
            world.contract(sender, home.adults[0]),
        )
        data = world.report(sender, agreement, home, home.adults[0], facts, moment)
        changed = {**data, **({sender.amount_field: facts.amount + 100} if sender.amount_field else {})}
        world.put(
            sender, facts.event_id, changed, world.later(moment, 0.1), "refused", home.adults[0].number, home
        )
        partner = sender.partner.id
        yield Story(
            "one id, two contents",
            "An id that was used comes back with another amount: refused, and reported as an incident.",
            Ending.FATES,
            (
                Planted(partner, facts.event_id, "accepted"),
                Planted(partner, facts.event_id, "refused", "id_reuse"),
            ),
            code,
        )
        return


def _duplicate(teller: _Teller) -> Iterator[Story]:
    world = teller.world
    for code, (sender, agreement) in teller.on_topics():
        home = world.people.household(code, adults=1, children=0)
        day, moment = teller.moment(0.72)
        facts = Facts(
            world.event_id(sender, day),
            day,
            day - timedelta(days=50),
            275,
            world.contract(sender, home.adults[0]),
        )
        data = world.report(sender, agreement, home, home.adults[0], facts, moment)
        world.put(
            sender, facts.event_id, data, world.later(moment, 0.05), "duplicate", home.adults[0].number, home
        )
        partner = sender.partner.id
        yield Story(
            "sent twice",
            "The same event twice: one signal, and the second one is called a duplicate.",
            Ending.FATES,
            (
                Planted(partner, facts.event_id, "accepted"),
                Planted(partner, facts.event_id, "duplicate", "already_received"),
            ),
            code,
        )
        return


def _mended(teller: _Teller) -> Iterator[Story]:
    world = teller.world
    for code, (sender, agreement) in teller.on_topics():
        home = world.people.household(code, adults=1, children=0)
        day, moment = teller.moment(0.74)
        facts = Facts(
            world.event_id(sender, day),
            day,
            day - timedelta(days=50),
            305,
            world.contract(sender, home.adults[0]),
        )
        world.report(sender, agreement, home, home.adults[0], facts, moment, accident="missing")
        world.report(sender, agreement, home, home.adults[0], facts, world.later(moment, 0.1))
        partner = sender.partner.id
        yield Story(
            "refused, mended, accepted",
            "A refused event claims nothing: mended, it comes again under the same id and is accepted.",
            Ending.FATES,
            (
                Planted(partner, facts.event_id, "refused", "required"),
                Planted(partner, facts.event_id, "accepted"),
            ),
            code,
        )
        return


def _wrong_source(teller: _Teller) -> Iterator[Story]:
    world = teller.world
    offers = teller.on_topics()
    for code, (sender, agreement) in offers:
        other = next((one for _, (one, _) in offers if one.partner.source != sender.partner.source), None)
        if other is None:
            return
        home = world.people.household(code, adults=1, children=0)
        day, moment = teller.moment(0.76)
        facts = Facts(world.event_id(sender, day), day, day - timedelta(days=50), 295, "X1")
        data = sender.data(home.adults[0], home, facts, agreement, world.chance)
        value = envelope(facts.event_id, other.partner.source, sender.kind.event_type, moment, data)
        world.raw(
            sender.partner.id,
            code,
            value,
            moment,
            facts.event_id,
            "refused",
            home.adults[0].number,
            home.number,
        )
        yield Story(
            "another's name",
            f"{sender.partner.name} writes as if it were {other.partner.name}: what counts is whose topic it came by.",
            Ending.FATES,
            (Planted(sender.partner.id, facts.event_id, "refused", "source_not_yours"),),
            code,
        )
        return


def _binary(teller: _Teller) -> Iterator[Story]:
    import orjson

    world = teller.world
    for code, (sender, agreement) in teller.on_topics():
        home = world.people.household(code, adults=1, children=0)
        day, moment = teller.moment(0.78)
        facts = Facts(
            world.event_id(sender, day),
            day,
            day - timedelta(days=50),
            345,
            world.contract(sender, home.adults[0]),
        )
        month = world.month_of(moment)
        world.report(sender, agreement, home, home.adults[0], facts, moment)
        record = world.out[month].pop()
        event = orjson.loads(record.value)
        headers = (
            ("content-type", b"application/json"),
            *(
                (f"ce_{name}", event[name].encode())
                for name in ("specversion", "id", "source", "type", "time")
            ),
        )
        world.out[month].append(record._replace(headers=headers, value=orjson.dumps(event["data"])))
        yield Story(
            "binary mode",
            "The attributes travel as Kafka headers and the data alone as the body: understood just the same.",
            Ending.FATES,
            (Planted(sender.partner.id, facts.event_id, "accepted"),),
            code,
        )
        return


def _damaged_row(teller: _Teller) -> Iterator[Story]:
    """A row whose date a spreadsheet turned into a serial number."""
    world = teller.world
    for code in teller.codes:
        for sender, agreement in teller.debts(code):
            birth = sender.kind.identity.get("birth_date")
            known = sender.kind.contract.fields.get(birth or "")
            if (
                sender.door == "file"
                and sender.partner.file_format == "csv"
                and birth in sender.identity.values()
                and known
            ):
                story = _refusal(
                    teller, sender, agreement, code, "damaged by a spreadsheet", "format", {}, 0.8,
                    "A spreadsheet turned a date into a number: the row comes back in a list that names row, column and what"
                    " would be right, and no value.",
                )  # fmt: skip
                row = world.rows[sender.partner.id][-1]
                serial = date.fromisoformat(row.data[known.name]).toordinal() - date(1899, 12, 30).toordinal()
                row.spoil[known.name] = str(serial)
                yield story
                return


_STORIES: tuple[Callable[[_Teller], Iterator[Story]], ...] = (
    _families, _small_debts, _repeat, _crisis, _withdrawn, _missing_attestation, _denied_step, _no_ground, _poison, _id_reuse,
    _duplicate, _mended, _wrong_source, _incomplete, _damaged_row, _binary,
)  # fmt: skip
