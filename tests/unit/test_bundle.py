"""Declarations: what is wrong is told at once with file, line and key; what is right is one immutable bundle."""

# A table of faults reads best with one fault on a line.
# ruff: noqa: E501
from __future__ import annotations

import json
import re
import shutil
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from bereik.bundle import Bundle
from bereik.cli import main
from bereik.days import local_day
from bereik.errors import InvalidDeclarations, Problem
from bereik.purpose import Outcome, admit
from bereik.signal import read

REPOSITORY = Path(__file__).parents[2]
SCHEMAS = REPOSITORY / "schemas"
BUNDLE = Bundle.compile(SCHEMAS)


@pytest.fixture
def schemas(tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(SCHEMAS, tmp_path / "schemas"))


def problems(folder: Path) -> tuple[Problem, ...]:
    with pytest.raises(InvalidDeclarations) as caught:
        Bundle.compile(folder)
    return caught.value.problems


def spoil(folder: Path, file: str, old: str, new: str) -> int:
    """Replace the first occurrence; the line where it was."""
    path = folder / file
    text = path.read_text("utf-8")
    assert old in text, f"{old!r} is not in {file}"
    path.write_text(text.replace(old, new, 1), "utf-8")
    return text[: text.index(old)].count("\n") + 1


# ------------------------------------------------------------------ the bundle itself


def test_load_gives_the_same_bundle_back() -> None:
    again = Bundle.load(json.loads(json.dumps(BUNDLE.document)))
    assert again == BUNDLE
    assert again.sha256 == BUNDLE.sha256
    for part in ("signal_types", "partners", "purposes", "municipalities", "topics", "bridges"):
        assert getattr(again, part) == getattr(BUNDLE, part), part
    assert asdict(again.linkage) == asdict(BUNDLE.linkage)


def test_the_hash_follows_meaning_not_layout(schemas: Path) -> None:
    spoil(schemas, "linkage.yaml", "# Who", "# Comments do not count. Who")
    assert Bundle.compile(schemas) == BUNDLE
    spoil(schemas, "linkage.yaml", "person: [surname, initials", "person: [surname, prefix")
    assert Bundle.compile(schemas) != BUNDLE


def test_what_the_issue_asks_is_declared() -> None:
    doors = {partner.door for partner in BUNDLE.partners.values()}
    sectors = [partner.sector for partner in BUNDLE.partners.values()]
    formats = {partner.file_format for partner in BUNDLE.partners.values() if partner.door == "file"}
    assert doors == {"kafka", "file"}
    assert formats == {"csv", "xlsx"}
    assert sectors.count("Huur") >= 2
    assert sectors.count("Energie") >= 2
    assert {"Water", "Zorg"} <= set(sectors)
    assert any(not partner.agreements for partner in BUNDLE.partners.values())
    assert set(BUNDLE.municipalities) == {"9901", "9902"}
    for town in BUNDLE.municipalities.values():
        helping = [team for team in town.teams if team.purpose == "schuldhulp" and team.role == "help"]
        assert len(helping) >= 3
        assert any(team.purpose == "leerplicht" for team in town.teams)
    assert not BUNDLE.municipalities["9901"].statutes
    assert BUNDLE.municipalities["9902"].statutes[0].in_force(date(2026, 11, 1))


def test_casework_may_know_no_identity() -> None:
    for kind in BUNDLE.signal_types.values():
        assert not set(kind.fact_fields) & set(kind.identity.values())


def test_bridges_show_no_amounts_partners_or_notes() -> None:
    (bridge,) = BUNDLE.bridges
    assert set(bridge.fields["leerplicht"]) == {"help_involved", "contact"}
    assert set(bridge.fields["schuldhulp"]) == {"present", "since", "contact"}
    assert BUNDLE.purposes["leerplicht"].bridges == (bridge,)


def test_topics_are_named_for_every_partner_and_purpose() -> None:
    names = BUNDLE.topic_names()
    # And one of its own for the events of the national register.
    assert len(names) == 2 * len(BUNDLE.partners) + 4 * len(BUNDLE.purposes) + 1
    for topic in names.values():
        assert topic.segment_ms < topic.retention_ms
    assert all(names[f"in.{partner}"].retention_ms <= 7 * 86_400_000 for partner in BUNDLE.partners)


def test_an_unknown_type_is_told_from_an_unknown_version() -> None:
    known = next(iter(BUNDLE.types_by_event))
    assert BUNDLE.why_unknown(known.removesuffix(".v1") + ".v2") == "unknown_version"
    assert BUNDLE.why_unknown("nl.iets.anders-gemeld.v1") == "unknown_type"


def test_the_signal_date_falls_back_on_receipt() -> None:
    # Half past midnight in Amsterdam, where it is the fifth; it is still the fourth in UTC.
    received = local_day(datetime(2026, 11, 4, 23, 30, tzinfo=UTC))
    with_date = next(kind for kind in BUNDLE.signal_types.values() if kind.date_field)
    without = next(kind for kind in BUNDLE.signal_types.values() if not kind.date_field)
    assert with_date.signal_date({with_date.date_field: "2026-11-01"}, received) == date(2026, 11, 1)
    assert without.signal_date({}, received) == date(2026, 11, 5)


# ------------------------------------------------------------------ places


def test_locate_finds_every_end_of_every_range() -> None:
    for code, town in BUNDLE.municipalities.items():
        for row in town.ranges:
            for postcode in (row.first, row.last):
                assert BUNDLE.locate(postcode, 1, row.start) == (code, row.area)
            assert BUNDLE.locate(row.first, 1, date(1990, 1, 1)) is None
    assert BUNDLE.locate("1000AA", 1, date(2026, 1, 1)) is None
    assert BUNDLE.locate("9999ZZ", 1, date(2026, 1, 1)) is None


def test_ranges_may_be_split_by_number_and_by_day(schemas: Path) -> None:
    spoil(
        schemas,
        "municipalities/9902-lindeveen.yaml",
        "postcodes:\n",
        "postcodes:\n"
        "  - {first: 1240AA, last: 1240AA, area: oost, start: 2020-01-01, numberTo: 99}\n"
        "  - {first: 1240AA, last: 1240AB, area: west, start: 2020-01-01, numberFrom: 100, end: 2025-12-31}\n"
        "  - {first: 1240AA, last: 1240AB, area: oost, start: 2026-01-01, numberFrom: 100}\n",
    )
    bundle = Bundle.compile(schemas)
    assert bundle.locate("1240AA", 99, date(2025, 12, 31)) == ("9902", "oost")
    assert bundle.locate("1240AA", 100, date(2025, 12, 31)) == ("9902", "west")
    assert bundle.locate("1240AA", 100, date(2026, 1, 1)) == ("9902", "oost")
    assert bundle.locate("1240AB", 99, date(2026, 1, 1)) is None
    assert bundle.locate("1240AC", 100, date(2026, 1, 1)) is None


# ------------------------------------------------------------------ what is wrong

RENT = "signals/huurachterstand.odcs.yaml"
LANDLORD = "partners/woonstichting-de-linde.yaml"
FILED = "partners/wonen-aan-het-veen.yaml"
TOWN = "municipalities/9901-waterwoude.yaml"
DEFAULTS = "municipalities/defaults.yaml"


@pytest.mark.parametrize(
    ("file", "old", "new", "key", "message", "valid"),
    [
        (RENT, "status: active", "status: active\nextra: 1", "(file)", "unknown key: extra", "apiVersion"),
        (RENT, "kind: DataContract\n", "", "(file)", "key is missing: kind", "kind"),
        (RENT, "version: 1.0.0", "version: een", "version", "wrong form", "1.0.0"),
        (RENT, "logicalType: integer", "logicalType: int", "logicalType", "not one of the known words", "integer"),
        (RENT, "{property: purpose, value: schuldhulp}", "{property: purpose, value: jeugd}", "customProperties[0].value", "unknown purpose", "leerplicht"),
        (RENT, "{property: partnerType, value: Huur}", "{property: partnerType, value: Telecom}", "customProperties[2].value", "not designated", "Huur"),
        (RENT, "{property: partnerType,", "{property: partnerKind,", "customProperties", "", "partnerType"),
        (RENT, "facts, value: [bedrag", "facts, value: [geslachtsnaam, bedrag", "value[0]", "identity is not for casework", "bedrag"),
        (RENT, "facts, value: [bedrag, ", "facts, value: [", "amount", "must be a fact", "ontstaansdatum"),
        (RENT, "surname: geslachtsnaam", "surname: achternaam", "surname", "unknown field", "geslachtsnaam"),
        (RENT, "surname: geslachtsnaam", "lastname: geslachtsnaam", "lastname", "unknown field of linkage.yaml", "surname"),
        (RENT, "          postcode: postcode\n", "", "value", "no postcode", "house_number"),
        (RENT, "amount: bedrag", "amount: postcode", "amount", "wrong type of field", "integer"),
        (RENT, "      - name: email", "      - name: bsn", "value.email", "unknown field", "telefoonnummer"),
        (RENT, "      - name: voorletters", "      - name: bsn", "properties[4]", "forbidden", ""),
        (RENT, "      - name: voorletters", "      - name: voorvoegsel", "properties[4].name", "the field occurs twice", "once"),
        (RENT, "pattern: '^[A-Za-z]$'", "pattern: '^(?!x)[A-Z]$'", "schema[0]", "does not compile", "pattern"),
        (RENT, "{property: action, value: withdraw}", "{property: action, value: report}", "schema[1].customProperties", "key is missing: facts", "identity"),
        (RENT, "huurachterstand-gemeld.v1", "energieschuld-gemeld.v1", "value", "also declared", "its own"),
        (RENT, "          - name: gewezenOpHulp", "          - name: anders", "attestation", "are not the steps", "gewezenOpHulp"),
        (RENT, "name: huurachterstand\n", "name: huurschuld\n", "name", "another name", "huurschuld.odcs.yaml"),
        (RENT, "{value: betaald", "[value: betaald", "(file)", "not YAML", ""),
        (RENT, "description:\n", "status: active\ndescription:\n", "status", "the key occurs twice", "once"),
        (LANDLORD, "sector: Huur", "sector: Energie", "agreements[0].signalTypes[0]", "for sector Huur", "energieschuld"),
        (LANDLORD, '"90000101"', "90000101", "kvk", "wrong type", "string"),
        (LANDLORD, "kvknr:90000101", "kvknr:90000109", "source", "not this partner's number", "90000101"),
        (LANDLORD, "signalTypes: [huurachterstand]", "signalTypes: [huurschuld]", "signalTypes[0]", "unknown signal type", "huurachterstand"),
        (LANDLORD, 'municipality: "9901"', 'municipality: "9999"', "municipality", "unknown municipality", "9901, 9902"),
        (LANDLORD, 'municipality: "9901"', 'municipality: "9902"', "agreements[1]", "overlaps an earlier agreement", "one agreement"),
        (LANDLORD, "end: 2027-12-31", "end: 2024-12-31", "end", "ends before it starts", ""),
        (LANDLORD, "start: 2025-01-01", "start: 1-1-2025", "start", "wrong form", "yyyy-mm-dd"),
        (LANDLORD, "gewezenOpHulp", "gewezenOpHlp", "attested[1]", "no step of these types", "gewezenOpHulp"),
        (RENT, "          consent_by: toestemmingDoor\n", "", "value", "consent needs both its form and who gave it", "consent_by"),
        (LANDLORD, "consentForms: [gezin-v1]", "consentForms: [gezin-v2]", "consentForms[0]", "no form of a bridge of these types", "gezin-v1"),
        ("purposes.yaml", "ddas: false", "ddas: true", "purposes.leerplicht.partnerTypes[0]", "cannot deliver", "Energie"),
        (LANDLORD, "ontvangen", "gezien", "feedback[0]", "unknown feedback word", "ontvangen"),
        (FILED, "Achternaam: geslachtsnaam", "Achternaam: naam", "columns.Achternaam", "unknown field", "geslachtsnaam"),
        (FILED, "    Postcode: postcode\n", "", "file.columns", "no column for postcode", "postcode"),
        (FILED, "encoding: cp1252", "encoding: ebcdic", "file.encoding", "not one of the known words", "cp1252"),
        (FILED, "%d-%m-%Y", "%d-%m", "file.dateFormat", "no full date", "%Y"),
        (FILED, "correct: correctie", "correct: Intrekking", "rows.correct", "the same word for both", "two words"),
        (FILED, "column: Soort bericht", "column: Kenmerk", "rows.column", "something else already", "another name"),
        (FILED, "withdraw: intrekking, correct: correctie, ", "", "file.rows", "out of bounds", ""),
        (FILED, "    Kenmerk: kenmerk\n", "", "file.rows", "cannot name an earlier one", "a column for it"),
        (FILED, "door: file", "door: kafka", "file", "only the door named file", "file"),
        # Rules that route to nobody: no team at the root, and no route at all.
        (TOWN, "    team: 9901-triage\n", "", "routes.schuldhulp", "key is missing: team", ""),
        (TOWN, "  leerplicht:\n    team: 9901-leerplicht\n", "", "routes", "no route for leerplicht", "schuldhulp"),
        (TOWN, "team: 9901-triage", "team: 9902-triage", "routes.schuldhulp.team", "no team of schuldhulp here", "9901-triage"),
        (TOWN, "{area: [noord]}", "{area: [nord]}", "match.area[0]", "no such area", "noord"),
        (TOWN, "{area: [noord]}", "{wijk: [noord]}", "match", "unknown key: wijk", "area"),
        (TOWN, 'crisis: ["yes"]', "crisis: [ja]", "match.crisis[0]", "no such crisis", "yes"),
        (TOWN, "language: [pl, ar]", "language: [Pools]", "match.language[0]", "no such language", "pl"),
        # A language says who speaks with somebody, never who goes first or how often.
        ("purposes.yaml", "match: {kind: [multiple]}", "match: {language: [pl]}", "match", "unknown key: language", "kind"),
        (DEFAULTS, "match: {kind: [multiple, consecutive]}", "match: {language: [pl]}", "match", "unknown key: language", "kind"),
        (TOWN, "{match: {area: [noord]}, team", "{match: {area: [noord]}, continue: true, team", "children", "unknown key: continue", "team"),
        (TOWN, "    thresholdCitation", "    thresholdNote", "policies.schuldhulp", "unknown key", "thresholdCitation"),
        (TOWN, "capacityPerWeek: 40", "capacityPerWeek: 0", "teams[0]", "team without capacity", "capacityPerWeek"),
        (TOWN, "    capacityPerWeek: 40\n", "", "teams[0]", "team without capacity", "capacityPerWeek"),
        (TOWN, "{manager: 9901-leiding-schuldhulp}", "{}", "policies.schuldhulp.contact", "key is missing: manager", "defaults.yaml"),
        (TOWN, "{manager: 9901-leiding-schuldhulp}", "{manager: 9902-triage}", "contact.manager", "no team of schuldhulp here", "9901-triage"),
        (DEFAULTS, "minimum: {attempts: 4", "minimum: {attempts: 5", "plans[0].minimum.attempts", "can reach", "at most 4"),
        (DEFAULTS, "contact: Telefoon, from: 0, to: 1", "contact: Postduif, from: 0, to: 1", "steps[0].contact", "unknown kind of contact", "Telefoon"),
        (DEFAULTS, "contact: Telefoon, from: 0, to: 1", "contact: Administratief, from: 0, to: 1", "steps[0].contact", "does not count", "Telefoon"),
        (DEFAULTS, "contact: Telefoon, from: 0, to: 1", "contact: Telefoon, from: 2, to: 1", "steps[0]", "ends before", ""),
        (DEFAULTS, "daypart: Middag", "daypart: Nacht", "daypart", "unknown part of the day", "Avond"),
        (DEFAULTS, ", promised: true}", "}", "floor[2]", "holds for everybody", "promised"),
        (DEFAULTS, "{type: [huurachterstand]}", "{type: [huur]}", "floor[1].match.type[0]", "no such type", "huurachterstand"),
        (TOWN, "{manager: 9901-leiding-schuldhulp}", "{manager: 9901-leiding-schuldhulp, lighter: kaart}", "contact.lighter", "no plan", "alleen-brief"),
        (TOWN, "first: 1233AA", "first: 1236AA", "postcodes", "first lies after last", ""),
        (TOWN, "last: 1234ZZ", "last: 1236AA", "postcodes[1]", "overlaps", ""),
        (TOWN, "id: 9901-crisis", "id: 9901-triage", "id", "also in", "its own"),
        (TOWN, "kind: board}", "kind: board, target: x}", "outlets[0]", "target", ""),
        ("municipalities/9902-lindeveen.yaml", "[schuldhulp, leerplicht]", "[schuldhulp, jeugd]", "purposes", "unknown purpose", "leerplicht"),
        ("purposes.yaml", "when: new, feedback: ontvangen", "when: new, feedback: gezien", "feedback", "unknown feedback word", "ontvangen"),
        ("purposes.yaml", "      schuldhulp: [present", "      schuld: [present", "bridges[0].shown", "not for each side", "schuldhulp"),
        ("purposes.yaml", "subject: address", "subject: household", "subject", "not one of the known words", "address, person"),
        ("topics.yaml", "segmentHours: 24", "segmentHours: 200", "segmentHours", "not below retentionHours", ""),
        ("linkage.yaml", "person: [surname", "person: [postcode", "person[0]", "no field of kind person", "surname"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_place_and_remedy(
    schemas: Path, file: str, old: str, new: str, key: str, message: str, valid: str
) -> None:
    line = spoil(schemas, file, old, new)
    found = problems(schemas)
    fitting = [
        one
        for one in found
        if one.file == file and key in one.key and message in one.message and valid in one.valid
    ]
    assert fitting, "\n".join(map(str, found))
    # A missing key is told where its surroundings begin, a fault in one place at most some lines away from it.
    total = (SCHEMAS / file).read_text("utf-8").count("\n") + 1
    assert all(1 <= one.line <= total + 1 for one in found)
    if message in ("wrong form", "unknown purpose", "no such area", "unknown feedback word", "wrong type"):
        assert line in {one.line for one in fitting}


def test_a_municipality_without_a_team_is_refused(schemas: Path) -> None:
    path = schemas / TOWN
    text = path.read_text("utf-8")
    start, end = text.index("teams:\n"), text.index("# Who delivers to")
    path.write_text(text[:start] + "teams: []\n" + text[end:], "utf-8")
    assert [one.key for one in problems(schemas) if one.file == TOWN] == ["teams"]


def test_all_problems_come_at_once_in_order(schemas: Path) -> None:
    spoil(schemas, RENT, "amount: bedrag", "amount: geld")
    spoil(schemas, LANDLORD, "door: kafka", "door: post")
    spoil(schemas, TOWN, "{area: [noord]}", "{area: [nord]}")
    (schemas / "topics.yaml").unlink()
    found = problems(schemas)
    assert {one.file for one in found} == {RENT, LANDLORD, TOWN, "topics.yaml"}
    assert list(found) == sorted(found)


def test_a_broken_type_is_not_told_again_by_its_partners(schemas: Path) -> None:
    spoil(schemas, RENT, "kind: DataContract", "kind: Contract")
    assert [one.file for one in problems(schemas)] == [RENT]


@pytest.mark.parametrize(
    "text", ["", "a: [", "- &x [*x]\n", "\xff", "x: &a 1\ny: *a\n", "[]", "7", "? [a]\n: b\n"]
)
@pytest.mark.parametrize("file", [RENT, LANDLORD, TOWN, "purposes.yaml", "municipalities/defaults.yaml"])
def test_a_file_of_nonsense_is_a_problem_and_no_crash(schemas: Path, file: str, text: str) -> None:
    (schemas / file).write_bytes(text.encode("latin-1"))
    assert file in {one.file for one in problems(schemas)}


def test_yaml_words_keep_their_meaning(schemas: Path) -> None:
    spoil(schemas, FILED, "no: nee", "no: no")
    assert Bundle.compile(schemas).partners["wonen-aan-het-veen"].no_word == "no"


# ------------------------------------------------------------------ from YAML alone

OWN_REPORT = """\
apiVersion: v3.2.0
kind: DataContract
id: urn:signaaltype:zelfmelding
name: zelfmelding
version: 1.0.0
customProperties:
  - {property: purpose, value: schuldhulp}
  - {property: label, value: {nl: Zelfmelding, en: Own request}}
  - {property: partnerType, value: Overige}
  - {property: article, value: "Wgs art. 3"}
  - {property: processingActivityId, value: "https://register.voorbeeld.example/zelfmelding"}
schema:
  - name: zelfmelding_gedaan
    businessName: Zelfmelding gedaan
    logicalType: object
    customProperties:
      - {property: cloudEventType, value: nl.vroegsignalen.zelfmelding-gedaan.v1}
      - {property: action, value: report}
      - {property: facts, value: [namens]}
      - {property: identity, value: {surname: geslachtsnaam, postcode: postcode, house_number: huisnummer}}
      - {property: roles, value: {reference: kenmerk}}
    properties:
      - {name: kenmerk, businessName: Kenmerk, description: Reference, logicalType: string, required: true, primaryKey: true}
      - {name: geslachtsnaam, businessName: Achternaam, description: Surname, logicalType: string, required: true}
      - {name: postcode, businessName: Postcode, description: Postcode, logicalType: string, required: true}
      - {name: huisnummer, businessName: Huisnummer, description: House number, logicalType: integer, required: true}
      - name: namens
        businessName: Namens wie
        description: On whose behalf
        logicalType: string
        enum: [{value: zelf}, {value: mantelzorger}]
"""
OWN_PARTNER = """\
id: hulplijn
name: Hulplijn
sector: Overige
kvk: "90000901"
source: urn:nld:kvknr:90000901:systeem:formulier
door: kafka
contactLanguage: nl
agreements:
  - {municipality: "9901", signalTypes: [zelfmelding], start: 2026-01-01, attestation: agreement, attested: [], feedback: [ontvangen]}
"""


def test_a_new_type_and_partner_need_yaml_alone(schemas: Path) -> None:
    (schemas / "signals/zelfmelding.odcs.yaml").write_text(OWN_REPORT, "utf-8")
    (schemas / "partners/hulplijn.yaml").write_text(OWN_PARTNER, "utf-8")
    bundle = Bundle.compile(schemas)
    kind, action = bundle.types_by_event["nl.vroegsignalen.zelfmelding-gedaan.v1"]
    assert action == "report"
    assert (kind.amount_field, kind.withdrawal_type, kind.steps) == (None, None, ())
    data = {
        "kenmerk": "1",
        "geslachtsnaam": "X",
        "postcode": "1234AB",
        "huisnummer": 1,
        "namens": "mantelzorger",
    }
    received = datetime(2026, 11, 4, tzinfo=UTC)
    assert kind.contract.check_data(data, received) == ()
    place = bundle.locate("1234AB", 1, received.date())
    assert place is not None
    admission = admit(kind, action, bundle.partners["hulplijn"], place[0], data, received.date(), bundle)
    assert (admission.outcome, admission.purpose) == (Outcome.ALLOWED, "schuldhulp")
    assert "in.hulplijn" in bundle.topic_names()


# ------------------------------------------------------------------ standards and house rules


def test_our_contracts_are_odcs() -> None:
    model = pytest.importorskip("open_data_contract_standard.model")
    official = json.loads((Path(model.__file__).parent / "schema.json").read_text("utf-8"))
    validator = jsonschema_rs.validator_for(official)
    for path in sorted((SCHEMAS / "signals").glob("*.odcs.yaml")):
        contract = model.OpenDataContractStandard.from_file(str(path))
        assert contract.apiVersion == "v3.2.0"
        assert [
            error.message for error in validator.iter_errors(yaml.safe_load(path.read_text("utf-8")))
        ] == []


def test_the_example_in_the_partner_guide_is_accepted() -> None:
    guide = (REPOSITORY / "docs/partner/first-signal.md").read_text("utf-8")
    first, second, third = re.findall(r"```json\n(.*?)```", guide, re.DOTALL)
    received = datetime(2026, 11, 4, tzinfo=UTC)
    event = read([("content-type", b"application/cloudevents+json; charset=UTF-8")], first.encode())
    kind, action = BUNDLE.types_by_event[event.type]
    assert kind.contract.check(event, received) == ()
    (partner,) = [one for one in BUNDLE.partners.values() if one.source == event.source]
    assert (
        admit(kind, action, partner, "9901", event.data, received.date(), BUNDLE).outcome is Outcome.ALLOWED
    )
    withdrawal = json.loads(second)
    kind, action = BUNDLE.types_by_event[withdrawal["type"]]
    assert action == "withdraw"
    assert kind.withdrawal_contract is not None
    assert kind.withdrawal_contract.check_data(withdrawal["data"], received) == ()
    assert withdrawal["data"][kind.withdrawal_reference_field] == event.id
    correction = json.loads(third)
    kind, action = BUNDLE.types_by_event[correction["type"]]
    assert action == "correct" and kind.correction_contract is not None
    assert kind.correction_contract.check_data(correction["data"], received) == ()
    assert correction["data"][kind.correction_reference_field] == event.id


def test_the_package_names_no_type_partner_or_municipality() -> None:
    names = {*BUNDLE.signal_types, *BUNDLE.partners, *BUNDLE.municipalities}
    names |= {town.name for town in BUNDLE.municipalities.values()}
    names |= {partner.name for partner in BUNDLE.partners.values()}
    names |= {team.id for town in BUNDLE.municipalities.values() for team in town.teams}
    words = re.compile("|".join(rf"(?<![\w-]){re.escape(name)}(?![\w-])" for name in sorted(names)))
    found = [
        f"{path.relative_to(REPOSITORY)}:{number}: {hit[0]}"
        for folder in ("bereik", "consumers", "dags")
        for path in sorted((REPOSITORY / folder).rglob("*.py"))
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if (hit := words.search(line))
    ]
    assert found == []


# ------------------------------------------------------------------ the command


def test_check_tells_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--schemas", str(SCHEMAS)]) == 0
    assert BUNDLE.sha256 in capsys.readouterr().out


def test_check_tells_every_problem(schemas: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = spoil(schemas, LANDLORD, "door: kafka", "door: post")
    assert main(["check", "--schemas", str(schemas), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [(one["file"], one["line"], one["key"], one["valid"]) for one in told["problems"]] == [
        (LANDLORD, line, "door", "kafka, file")
    ]
    assert main(["check", "--schemas", str(schemas)]) == 1
    assert f"{LANDLORD}:{line}: door: " in capsys.readouterr().out


def test_rules_show_tells_who_may_signal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "show"]) == 0
    told = capsys.readouterr().out
    assert all(partner.name in told for partner in BUNDLE.partners.values())
