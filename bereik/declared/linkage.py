"""How people are recognised: `schemas/linkage.yaml` with the trained figures of `linkage.weights.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log2
from typing import Any


@dataclass(frozen=True, slots=True)
class LinkModel:
    """Trained figures for pairs of one kind, in log2: `prior` odds and a weight per comparison and level.

    `frequencies` are shares of common values per comparison, `bases` the average that they are held against.
    """

    prior: float
    weights: Mapping[str, Mapping[str, float]]
    frequencies: Mapping[str, Mapping[str, float]]
    bases: Mapping[str, float]

    @classmethod
    def of(cls, row: Mapping[str, Any], frequencies: Mapping[str, Mapping[str, float]]) -> LinkModel:
        """The model in a row of the document. `frequencies` are those of all models."""
        chances = row["comparisons"]
        return cls(
            prior=row["prior"],
            weights={
                comparison: {level: log2(both["m"] / both["u"]) for level, both in levels.items()}
                for comparison, levels in chances.items()
            },
            frequencies=frequencies,
            bases={comparison: chances[comparison]["same"]["u"] for comparison in frequencies},
        )


@dataclass(frozen=True, slots=True, eq=False)
class Linkage:
    """How people are recognised: `schemas/linkage.yaml` with the trained weights.

    Equal to itself only, so that what is made of rules once can be looked up by them. `comparisons` are levels in order;
    `keys` the parts that candidates are found by; `link`, `review` and `margin` log2 odds; from `crowd_persons` with
    `crowd_surnames` on, an address is marked. `person` and `household` are only for the quality of a delivered file: what
    makes two of its rows look alike.
    """

    fields: Mapping[str, str]  # name -> "person" | "address" | "contact"
    person: tuple[str, ...]
    household: tuple[str, ...]
    comparisons: Mapping[str, tuple[str, ...]]
    alike: float
    veto: Mapping[str, tuple[str, ...]]
    keys: tuple[tuple[str, ...], ...]
    cap: int
    link: float
    review: float
    margin: float
    crowd_persons: int
    crowd_surnames: int
    models: Mapping[str, LinkModel] = field(repr=False)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Linkage:
        """Linkage as the document has it."""
        trained = row["weights"]
        return cls(
            fields={name: item["kind"] for name, item in row["fields"].items()},
            person=tuple(row["person"]),
            household=tuple(row["household"]),
            comparisons={name: tuple(levels) for name, levels in row["comparisons"].items()},
            alike=row["alike"],
            veto={name: tuple(levels) for name, levels in row["veto"].items()},
            keys=tuple(tuple(parts) for parts in row["keys"]),
            cap=row["cap"],
            link=row["link"],
            review=row["review"],
            margin=row["margin"],
            crowd_persons=row["crowd"]["persons"],
            crowd_surnames=row["crowd"]["surnames"],
            models={
                # How common a name is says nothing about two people at one address, who share it as relatives.
                name: LinkModel.of(model, trained["frequencies"] if name == "elsewhere" else {})
                for name, model in trained["models"].items()
            },
        )
