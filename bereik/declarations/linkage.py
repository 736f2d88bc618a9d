"""How people are recognised: whether `linkage.yaml` and its trained weights fit together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bereik.declarations.draft import Draft
from bereik.declarations.reading import Document, Key

# As likely of one person as of two.
_SAYS_NOTHING = {"m": 1.0, "u": 1.0}


def check(draft: Draft, document: Document, trained: Document, untrained: bool) -> None:
    """Whether `linkage.yaml` fits together, and every level in it was trained; with `untrained`, those that were not weigh 0."""
    if not document.sound:
        return
    value: dict[str, Any] = document.value
    for part, kind in (("person", "person"), ("household", "address")):
        known = {name for name, row in value["fields"].items() if row["kind"] == kind}
        for index, name in enumerate(value[part]):
            if name not in known:
                draft.report(document, (part, index), f"no field of kind {kind}", known)
    if value["review"] > value["link"]:
        draft.report(document, ("review",), "above link", f"at most {value['link']}")
    for name, levels in value["veto"].items():
        known = {*value["comparisons"].get(name, ()), "different"}
        if name not in value["comparisons"]:
            draft.report(document, ("veto", name), "is not compared", value["comparisons"])
        elif unknown := set(levels) - known:
            draft.report(document, ("veto", name), f"no level {', '.join(sorted(unknown))}", known)
    if trained.sound:
        _weights(draft, trained, value["comparisons"], untrained)
    draft.linkage = {**value, "weights": trained.value}


def _weights(
    draft: Draft, document: Document, comparisons: Mapping[str, Sequence[str]], untrained: bool
) -> None:
    """Every level that can be found has been trained, in every model, and no other."""
    for model, row in document.value["models"].items():
        for comparison, levels in comparisons.items():
            key: Key = ("models", model, "comparisons", comparison)
            trained = row["comparisons"].setdefault(comparison, {})
            missing = {*levels, "different"} - set(trained)
            if untrained:
                trained |= dict.fromkeys(missing, _SAYS_NOTHING)
            elif missing:
                draft.report(
                    document, key, f"not trained: {', '.join(sorted(missing))}", "bereik linkage train"
                )
