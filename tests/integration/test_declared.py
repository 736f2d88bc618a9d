"""A signal type and a partner that nobody has heard of, from YAML alone, on a running stack and to an alert."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest
from support import REPOSITORY, World, activated, data_for, event, house, person, wait_for

pytestmark = pytest.mark.stack

TYPE = """\
apiVersion: v3.2.0
kind: DataContract
id: urn:signaaltype:zelfmelding
name: zelfmelding
version: 1.0.0
status: active
domain: schuldhulp
description:
  purpose: A resident, or a carer on their behalf, asks to be called.
customProperties:
  - {property: purpose, value: schuldhulp}
  - {property: label, value: {nl: Zelfmelding, en: Request for a call}}
  - {property: partnerType, value: Overige}
  - {property: article, value: "Wet gemeentelijke schuldhulpverlening, art. 4 (fictieve lezing)"}
  - {property: processingActivityId, value: "https://register.voorbeeld.example/verwerkingen/zelfmelding/v1"}
  - property: forbidden
    value:
      - {field: bsn, article: "UAVG art. 46"}
schema:
  - name: zelfmelding_gedaan
    businessName: Zelfmelding gedaan
    physicalType: topic
    logicalType: object
    customProperties:
      - {property: cloudEventType, value: nl.zelfmelding.terugbelverzoek-gedaan.v1}
      - {property: action, value: report}
      - {property: facts, value: [doorWie, meldingsdatum]}
      - property: identity
        value:
          surname: geslachtsnaam
          initials: voorletters
          birth_date: geboortedatum
          postcode: postcode
          house_number: huisnummer
      - {property: roles, value: {reference: verzoeknummer, date: meldingsdatum}}
    properties:
      - name: verzoeknummer
        businessName: Verzoeknummer
        description: Number of the request
        logicalType: string
        required: true
        primaryKey: true
        classification: internal
        logicalTypeOptions: {maxLength: 60}
      - name: doorWie
        businessName: Door wie
        description: Who asks
        logicalType: string
        required: true
        classification: internal
        enum:
          - {value: inwoner, label: Inwoner, description: The resident}
          - {value: mantelzorger, label: Mantelzorger, description: A carer on their behalf}
      - name: geslachtsnaam
        businessName: Achternaam
        description: Surname
        logicalType: string
        required: true
        classification: confidential
        logicalTypeOptions: {maxLength: 200}
      - name: voorletters
        businessName: Voorletters
        description: Initials
        logicalType: string
        classification: confidential
        logicalTypeOptions: {maxLength: 30}
      - name: geboortedatum
        businessName: Geboortedatum
        description: Date of birth
        logicalType: date
        classification: confidential
        customProperties: [{property: within, value: {daysBefore: 45000, daysAfter: 0}}]
      - name: postcode
        businessName: Postcode
        description: Postcode
        logicalType: string
        required: true
        classification: confidential
        logicalTypeOptions: {pattern: '^[1-9][0-9]{3}([A-RT-Z][A-Z]|S[BCE-RT-Z])$'}
        customProperties:
          - {property: expects, value: {nl: vier cijfers en twee hoofdletters, en: four digits and two capitals}}
      - name: huisnummer
        businessName: Huisnummer
        description: House number
        logicalType: integer
        required: true
        classification: confidential
        logicalTypeOptions: {minimum: 1, maximum: 99999}
      - name: meldingsdatum
        businessName: Meldingsdatum
        description: The day of the request
        logicalType: date
        required: true
        classification: internal
        customProperties: [{property: within, value: {daysBefore: 35, daysAfter: 1}}]
slaProperties:
  - {property: retention, value: 6, unit: m, driver: regulatory}
"""  # fmt: skip

PARTNER = """\
id: buurthuis-het-anker
name: Buurthuis Het Anker
sector: Overige
kvk: "90000999"
source: urn:nld:kvknr:90000999:systeem:signalen
door: kafka
contactLanguage: nl
agreements:
  - municipality: "9901"
    signalTypes: [zelfmelding]
    start: 2025-01-01
    end: 2027-12-31
    attestation: agreement
    attested: []
    feedback: [ontvangen, afgesloten]
"""

NAME = "buurthuis-het-anker"


def test_a_type_and_a_partner_from_yaml_alone(world: World, tmp_path: Path) -> None:
    consumers = {"intake", "casework", "outreach", "bridge", "checks", "relay"}

    def pids() -> dict[str, int]:
        return {one.name: one.pid for one in world.stack.status() if one.name in consumers}

    before = pids()
    schemas = copytree(REPOSITORY / "schemas", tmp_path / "schemas")
    (schemas / "signals" / "zelfmelding.odcs.yaml").write_text(TYPE, "utf-8")
    (schemas / "partners" / f"{NAME}.yaml").write_text(PARTNER, "utf-8")
    assert NAME not in world.bundle.partners

    with activated(world, schemas) as bundle:
        kind, partner = bundle.signal_types["zelfmelding"], bundle.partners[NAME]
        assert kind.amount_field is None
        who = {**person(), **house(bundle, "9901")}
        good = event(partner.source, kind.event_type, data_for(kind, who, doorWie="mantelzorger"))
        other = event(partner.source, kind.event_type, data_for(kind, who, doorWie="buurman"))
        world.send(NAME, good, other, key="9901")
        # The consumers find a new topic by themselves; the metadata of Kafka is renewed every half minute.
        assert world.fate(NAME, good["id"], 90) == ("accepted", "allowed", [])
        assert world.fate(NAME, other["id"]) == ("refused", "allowed", ["enum"])
        world.drain()
        ((purpose, case_id),) = world.cases_of(NAME, good["id"])
        case = world.case(case_id)
        assert purpose == kind.purpose and case["stands"], "without an amount no threshold applies"
        assert world.alerts(case_id) == ["new_case"]
        facts = world.rows("SELECT facts FROM casework.signal WHERE case_id = %s", (case_id,))
        assert facts == [({"doorWie": "mantelzorger", "meldingsdatum": good["data"]["meldingsdatum"]},)]
        lots = {one["data"]["eventId"]: one["data"]["lot"] for one in world.receipts_topic(NAME)}
        assert (lots[good["id"]], lots[other["id"]]) == ("ontvangen", "afgekeurd")
        assert pids() == before, "no process was restarted"

    assert NAME not in world.bundle.partners
    usual = world.type_of("schuldhulp", amount=True, crisis=False)
    sent = world.report(usual, "9901", {**person(), **house(world.bundle, "9901")})
    assert world.fate(world.partner_of(usual, "9901"), sent)[0] == "accepted", (
        "the old declarations work again"
    )
    wait_for(lambda: not any(world.app.backlog().values()), what="drained")

    # A signal of the type that is gone stands in its case: the next one joins it, and nothing is parked. One person, however
    # often it takes until casework looked up what is active: five at one door would each have a case of their own.
    mate = {**person(), **{name: who[name] for name in ("postcode", "house_number")}}

    def joined() -> bool:
        world.report(usual, "9901", mate)
        world.drain()
        (row,) = world.rows(
            "SELECT bundle_id, signals, kind FROM casework.case WHERE case_id = %s", (case_id,)
        )
        return bool(row[0] == world.app.active()[0] and row[1] > 1 and row[2] == "multiple")

    wait_for(joined, what="the case is decided under the old declarations")
    world.app.make_rounds()
    world.drain()
    assert world.case(case_id)["stands"] and world.violations() == {}
