"""Reads `schemas/`: YAML with line numbers, checked against `schemas/meta/`, cross-checked, made into one document.

All problems come back at once, each with file, line, key and what would be valid. The document is plain JSON; what
it means is `bereik.declared`'s business. A module for each kind of file; `reading` has the lines, `draft` what one refers to
in another.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bereik.declarations import linkage, municipalities, partners, purposes, signals, topics
from bereik.declarations.draft import Draft
from bereik.declarations.reading import Document, Reading
from bereik.errors import Problem


def read(schemas: Path, untrained: bool = False) -> tuple[dict[str, Any], list[Problem]]:
    """Read all declarations: the document (incomplete when there are problems), and every problem.

    With `untrained`, a level of recognition without weights is no problem and says nothing: for whoever trains it.
    """
    reading = Reading(schemas)

    def one(name: str, meta: str) -> Document:
        document = reading.open(schemas / name)
        if document.value is not None:
            reading.shape(document, meta, document.value)
        return document

    def folder(name: str) -> list[str]:
        return sorted(path.relative_to(schemas).as_posix() for path in (schemas / name).glob("*.yaml"))

    purposes_file, topics_file = one("purposes.yaml", "purposes"), one("topics.yaml", "topics")
    linkage_file, weights = one("linkage.yaml", "linkage"), one("linkage.weights.json", "weights")
    types = [reading.open(schemas / name) for name in folder("signals")]
    for document in types:
        if document.value is not None:
            signals.shape(reading, document)
    defaults = one("municipalities/defaults.yaml", "defaults")
    towns = [one(name, "municipality") for name in folder("municipalities") if name != defaults.name]
    senders = [one(name, "partner") for name in folder("partners")]

    draft = Draft(
        reading,
        purposes_file,
        type_names=frozenset(document.stem for document in types),
        codes=frozenset(document.stem[:4] for document in towns),
    )
    linkage.check(draft, linkage_file, weights, untrained)
    purposes.check(draft, purposes_file)
    signals.check(draft, types)
    municipalities.check(draft, towns, defaults)
    partners.check(draft, senders)
    topics.check(draft, topics_file)
    return draft.document(), reading.problems
