"""`bereik linkage`: look into how people are recognised, one function per command.

`generate` makes fictional signals and the truth about them, `resolve` decides about a file of signals and `evaluate`
judges that; the others look at, decide about and take back the links of a running stack.
"""

from __future__ import annotations

import argparse
import getpass
import sys
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from math import log2
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from bereik.cli import show
from bereik.cli.check import SCHEMAS
from bereik.errors import LastingError
from bereik.verdicts import UnknownAct

if TYPE_CHECKING:
    from bereik.app import App


class CannotWrite(LastingError):
    """A folder cannot be made or written."""


class NothingAsked(LastingError):
    """No review of this signal is open. `bereik linkage reviews` lists those that are."""


class NoRegister(LastingError):
    """No such register. Without --purpose and --municipality it is about all of them; a register begins with its first signal."""


class NoDay(LastingError):
    """That is no day. Write 2026-05-01, or 2026-05-01T09:30:00+02:00."""


def add(subparsers: Any) -> None:
    """Add the verb with its commands."""
    command = subparsers.add_parser("linkage", help="look into how people are recognised")
    parts = command.add_subparsers(dest="what", required=True, metavar="command")
    _add_generate(parts)
    _add_evaluate(parts)
    _add_train(parts)
    _add_resolve(parts)
    _add_links(parts)


def _add_generate(parts: Any) -> None:
    part = parts.add_parser("generate", help="make fictional signals and the truth about them")
    part.add_argument(
        "--split",
        choices=("train", "tune", "held-out"),
        required=True,
        help="other people and partners in each",
    )
    part.add_argument("--seed", type=int, default=1, help="chooses the fiction within the split (default 1)")
    part.add_argument("--signals", type=int, default=20_000, help="how many (default 20000)")
    part.add_argument("--into", type=Path, required=True, help="the folder for signals.csv and truth.csv")
    part.add_argument("--schemas", type=Path, default=SCHEMAS, help="the folder of declarations")
    part.add_argument("--json", action="store_true", help="print as JSON")
    part.set_defaults(run=generate)


def generate(arguments: argparse.Namespace) -> int:
    """0 when the files were written; the same arguments write the same bytes."""
    from bereik.bundle import Bundle
    from bereik.fiction import registers

    rows = registers.signals(
        Bundle.compile(arguments.schemas), registers.Split(arguments.split), arguments.seed, arguments.signals,
        lambda made: print(f"  {made} signals made", file=sys.stderr, flush=True),
    )  # fmt: skip
    try:
        files = registers.write(rows, arguments.into)
    except OSError as error:
        raise CannotWrite(f"{arguments.into} cannot be written: {error.strerror or 'unknown'}.") from None
    people = Counter(row.truth.person for row in rows)
    document = {
        "split": arguments.split,
        "seed": arguments.seed,
        "signals": len(rows),
        "people": len(people),
        "households": len({row.truth.household for row in rows}),
        "partners": len({row.signal.partner for row in rows}),
        "people_with_one_signal": sum(count == 1 for count in people.values()),
        "files": [str(file) for file in files],
    }
    if arguments.json:
        show(document)
        return 0
    print(
        f"{document['signals']} signals of {document['partners']} partners about {document['people']} people"
        f" ({document['people_with_one_signal']} with one signal) at {document['households']} addresses:"
    )
    for file in files:
        print(f"  {file}")
    return 0


def _add_evaluate(parts: Any) -> None:
    part = parts.add_parser("evaluate", help="judge decisions by the truth")
    part.add_argument(
        "out", type=Path, metavar="OUT.csv", help="signal_id, person_id, household_id, decision"
    )
    part.add_argument("truth", type=Path, metavar="TRUTH.csv", help="signal_id, person, household, group")
    part.add_argument(
        "--seed", type=int, default=1, help="chooses the resamples of the intervals (default 1)"
    )
    part.add_argument("--json", action="store_true", help="print as JSON")
    part.set_defaults(run=evaluate)


def evaluate(arguments: argparse.Namespace) -> int:
    """0 with the report; 1 when a file is not what it should be."""
    from bereik import evaluation
    from bereik.bench import resolve as resolving

    out, truth = str(arguments.out), str(arguments.truth)
    decided = evaluation.read_decided(out, resolving.lines(arguments.out))
    true = evaluation.read_truth(truth, resolving.lines(arguments.truth))
    evaluation.together(out, decided, truth, true)
    report = evaluation.evaluate(decided, true, arguments.seed)
    if arguments.json:
        show(report.document())
        return 0
    print(f"{report.signals} signals, {report.people} people, {report.pairs} pairs of one person")
    print(f"{'':24}{'precision':>10}{'recall':>10}{'F1':>10}")
    for name, score in (
        ("person, pairs", report.person),
        ("person, B-cubed", report.b_cubed),
        ("household, pairs", report.household),
        ("household, B-cubed", report.household_b_cubed),
    ):
        print(f"{name:24}{score.precision:10.4f}{score.recall:10.4f}{score.f1:10.4f}")
    print(f"recall by group{'':9}{'people':>10}{'pairs':>10}{'recall':>10}   95 % interval, by person")
    for one in report.groups:
        if one.recall is None:
            print(f"  {one.group:22}{one.people:10}{one.pairs:10}{'-':>10}")
        else:
            print(
                f"  {one.group:22}{one.people:10}{one.pairs:10}{one.recall:10.4f}   {one.low:.4f} - {one.high:.4f}"
            )
    if report.gap is not None and report.gap_by_chance is not None:
        by_chance = f"{100 * report.gap_by_chance:.1f} is to be expected by chance"
        print(f"gap between groups: {100 * report.gap:.1f} points; {by_chance}")
    told = ", ".join(f"{count} {name}" for name, count in report.decisions.items())
    print(f"{told}; {report.reviews_per_1000:.1f} reviews per 1,000 signals")
    return 0


# ---------------------------------------------------------------- training


def _add_train(parts: Any) -> None:
    part = parts.add_parser("train", help="estimate what each comparison weighs, from records without labels")
    origin = part.add_mutually_exclusive_group(required=True)
    origin.add_argument("--signals", type=Path, metavar="SIGNALS.csv", help="a file of signals")
    origin.add_argument(
        "--from-vault", nargs=2, metavar=("PURPOSE", "MUNICIPALITY"), help="one register of a running stack"
    )
    part.add_argument("--out", type=Path, required=True, help="where to write the weights")
    part.add_argument("--seed", type=int, default=1, help="chooses the pairs that are sampled (default 1)")
    part.add_argument(
        "--schemas",
        type=Path,
        help="the folder of declarations; may have new levels (default: the active bundle for a register)",
    )
    part.add_argument("--json", action="store_true", help="print as JSON")
    part.set_defaults(run=train)


def train(arguments: argparse.Namespace) -> int:
    """0 when the weights were written; the same records give the same bytes. Nothing is activated."""
    from bereik import linkage, training
    from bereik.bundle import Bundle

    if arguments.signals:
        from bereik.bench import resolve as resolving

        bundle = Bundle.compile(arguments.schemas or SCHEMAS, untrained=True)
        rules, source = bundle.linkage, arguments.signals.parent.name or "a file"
        rows = [
            {"id": name} | linkage.traits(who, at.date()).row()
            for name, at, who in resolving.read(arguments.signals, bundle)
        ]
    else:
        app, (purpose, municipality) = _app(), arguments.from_vault
        proposed = Bundle.compile(arguments.schemas, untrained=True) if arguments.schemas else app.bundle()
        rules, source = proposed.linkage, f"register {purpose} {municipality}"
        rows = app.training_rows(purpose, municipality)
    _progress(f"training on {len(rows)} records; some 25 s for each 20,000")
    document = training.train(rows, rules, arguments.seed, source)
    arguments.out.write_text(training.text(document), encoding="utf-8")
    if arguments.json:
        show({**document["trained"], "out": str(arguments.out)})
        return 0
    for name, model in document["models"].items():
        print(f"{name:14} a pair is one person: {model['prior']:+.1f}")
        for comparison, levels in model["comparisons"].items():
            told = "  ".join(f"{level} {log2(both['m'] / both['u']):+.1f}" for level, both in levels.items())
            print(f"  {comparison:12} {told}")
    print(f"{arguments.out}: review it, then `bereik check` and `bereik rules activate`")
    return 0


# ---------------------------------------------------------------- a file of signals


def _add_resolve(parts: Any) -> None:
    part = parts.add_parser("resolve", help="who is the same person in a file of signals")
    part.add_argument("signals", type=Path, metavar="SIGNALS.csv")
    part.add_argument("out", type=Path, metavar="OUT.csv")
    part.add_argument("--schemas", type=Path, default=SCHEMAS, help="the folder of declarations")
    part.add_argument("--json", action="store_true", help="print as JSON")
    part.set_defaults(run=resolve)


def resolve(arguments: argparse.Namespace) -> int:
    """0 when the file was written; a file that cannot be used is told by line and column."""
    from bereik.bench import resolve as resolving
    from bereik.bundle import Bundle

    counts = resolving.resolve(arguments.signals, arguments.out, Bundle.compile(arguments.schemas), _progress)
    if arguments.json:
        show({**counts, "out": str(arguments.out)})
        return 0
    total = sum(counts.values())
    print(
        f"{total} signals: {counts['link']} linked, {counts['new']} new,"
        f" {counts['review']} for review ({1000 * counts['review'] / total:.1f} per 1,000)"
    )
    return 0


def _progress(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)


# ---------------------------------------------------------------- the links of a running stack


def _add_links(parts: Any) -> None:
    two = {
        "why": ("why two signals are one person, or not", why),
        "join": ("decide that two signals are one person", decide),
        "part": ("decide that two signals are never one person", decide),
    }
    for name, (summary, run) in two.items():
        part = _signal_command(parts, name, summary, run)
        part.add_argument("other", metavar="SIGNAL", help="the other one")
    for name, summary in (
        ("same", "answer a review: one person"),
        ("different", "answer a review: never one person"),
    ):
        _signal_command(parts, name, summary, answer)
    undo_part = _signal_command(parts, "undo", "take an act back and restore what it moved", undo)
    undo_part.add_argument("act", help="the act, as `history` names it")
    history_part = _signal_command(parts, "history", "every person a signal was linked to, and why", history)
    history_part.add_argument("--at", help="who it was about on a day (2026-05-01)")
    reviews_part = parts.add_parser("reviews", help="what waits for a person to decide")
    reviews_part.add_argument("--limit", type=int, default=50)
    figures_part = parts.add_parser("figures", help="what decisions say of the links made by themselves")
    figures_part.add_argument("--days", type=int, default=90)
    relink_part = parts.add_parser(
        "relink", help="place every record anew; what touches an open case is asked"
    )
    rekey_part = parts.add_parser(
        "rekey", help="give registers the keys of today, after `keys:` of linkage.yaml changed"
    )
    rekey_part.add_argument("--check", action="store_true", help="only say where it is needed; then 1")
    rekey_part.add_argument("--purpose", help="of one purpose only")
    rekey_part.add_argument("--municipality", help="of one municipality only")
    rekey_part.add_argument("--by", default=None, help="who does this; default the login name")
    for part, run in (
        (reviews_part, reviews),
        (figures_part, figures),
        (relink_part, relink),
        (rekey_part, rekey),
    ):
        part.add_argument("--json", action="store_true", help="print as JSON")
        part.set_defaults(run=run)


def _signal_command(parts: Any, name: str, summary: str, run: Any) -> Any:
    part = parts.add_parser(name, help=summary)
    part.add_argument("signal", metavar="SIGNAL", help="a signal id; 8 characters will do")
    part.add_argument("--lang", choices=("nl", "en"), default="en")
    part.add_argument("--by", default=None, help="who decides; default the login name")
    part.add_argument("--json", action="store_true", help="print as JSON")
    part.set_defaults(run=run, todo=name)
    return part


def why(arguments: argparse.Namespace) -> int:
    """0 when both signals were found in one register."""
    app = _app()
    purpose, municipality, one = app.find_signal(arguments.signal)
    with app.desk(purpose, municipality) as desk:
        found = desk.why(one, app.find_signal(arguments.other)[2], arguments.lang)
    if arguments.json:
        show(
            {
                "outcome": found.outcome,
                "weight": found.weight.total,
                "model": found.weight.model,
                "prior": found.prior.weight,
                "comparisons": [asdict(line) for line in found.lines],
                "contradicted": found.contradicted,
                "without": found.without,
            }
        )
        return 0
    print("\n".join(found.text(arguments.lang)))
    return 0


def decide(arguments: argparse.Namespace) -> int:
    """0 when it was decided; the act it prints takes it back."""
    app = _app()
    other = app.find_signal(arguments.other)[2]
    return _act(app, arguments, arguments.todo, other)


def answer(arguments: argparse.Namespace) -> int:
    """0 when an open review was answered."""
    app = _app()
    purpose, _, one = app.find_signal(arguments.signal)
    with app.links(purpose) as tables:
        other = tables.asked(one)
    if other is None:
        raise NothingAsked()
    return _act(app, arguments, "join" if arguments.todo == "same" else "part", other)


def _act(app: App, arguments: argparse.Namespace, todo: str, other: str) -> int:
    purpose, municipality, one = app.find_signal(arguments.signal)
    act, by = str(uuid4()), arguments.by or getpass.getuser()
    with app.desk(purpose, municipality) as desk:
        moved = (desk.join if todo == "join" else desk.part)(one, other, by, act)
    return _told(arguments, act, len(moved))


def undo(arguments: argparse.Namespace) -> int:
    """0 when the act was taken back."""
    app = _app()
    purpose, municipality, _ = app.find_signal(arguments.signal)
    try:
        act = str(UUID(arguments.act))
    except ValueError:
        raise UnknownAct() from None
    with app.desk(purpose, municipality) as desk:
        moved = desk.take_back(act, arguments.by or getpass.getuser())
    return _told(arguments, act, len(moved))


def _told(arguments: argparse.Namespace, act: str, moved: int) -> int:
    if arguments.json:
        show({"act": act, "moved": moved})
    else:
        print(
            f"Decided; {moved} signals moved. To take it back: bereik linkage undo {arguments.signal} {act}"
        )
    return 0


def history(arguments: argparse.Namespace) -> int:
    """0 when the signal was found."""
    app = _app()
    purpose, _, one = app.find_signal(arguments.signal)
    with app.links(purpose) as tables:
        if arguments.at:
            try:
                moment = datetime.fromisoformat(arguments.at)
            except ValueError:
                raise NoDay() from None
            found = tables.person_at(one, moment if moment.tzinfo else moment.replace(tzinfo=UTC))
            person, signals = found or (None, [])
            if arguments.json:
                show({"person": person, "signals": signals})
            elif person:
                print(f"person {person[:8]}, signals {' '.join(s[:8] for s in signals)}")
            else:
                print("not known yet at that moment")
            return 0
        edges = tables.history(one)
    if arguments.json:
        show([asdict(edge) for edge in edges])
        return 0
    for edge in edges:
        against = f" against {str(edge.against)[:8]} at {edge.weight:+.1f}" if edge.against else ""
        act_text = f" act {edge.act_id}" if edge.act_id else ""
        print(
            f"{edge.decided_at:%Y-%m-%d %H:%M} person {edge.person_id[:8]} {edge.outcome} ({edge.reason}){against}"
            f" by {edge.decided_by} under bundle {edge.bundle_id}{act_text}"
        )
    return 0


def reviews(arguments: argparse.Namespace) -> int:
    """0, also when nothing waits."""
    app = _app()
    rows = []
    for purpose in app.bundle().purposes:
        with app.links(purpose) as tables:
            rows += [
                {"signal": one, "possibly": other, "purpose": purpose, "municipality": code, "reason": reason, "since": since}
                for one, other, code, reason, since in tables.reviews(arguments.limit)
            ]  # fmt: skip
    if arguments.json:
        show(rows)
        return 0
    for row in rows:
        print(
            f"{row['since']:%Y-%m-%d} {row['purpose']} {row['municipality']}: {str(row['signal'])[:8]} is possibly the same"
            f" person as {str(row['possibly'])[:8]} ({row['reason']})"
        )
    print(f"{len(rows)} wait; `bereik linkage why A B` compares, `same A` and `different A` answer.")
    return 0


def figures(arguments: argparse.Namespace) -> int:
    """0; the figures are per register, as the board shows them."""
    app = _app()
    since = datetime.now(UTC) - timedelta(days=arguments.days)
    rows = []
    for purpose, municipality in app.registers():
        with app.links(purpose) as tables:
            found = tables.figures(municipality, since)
        rows.append(
            {
                "purpose": purpose,
                "municipality": municipality,
                **asdict(found),
                "precision": found.precision,
                "recall": found.recall,
                "reviews_per_1000": found.reviews_per_1000,
            }
        )
    if arguments.json:
        show(rows)
        return 0
    for row in rows:
        print(
            f"{row['purpose']} {row['municipality']}: {row['links']} links by themselves in {arguments.days} days,"
            f" {row['broken']} broken; {row['reviews']} reviews ({row['same']} one person, {row['different']} not)"
        )
        if row["precision"] is not None and row["reviews_per_1000"] is not None:
            recall = "-" if row["recall"] is None else f"{row['recall']:.4f}"
            print(
                f"  precision {row['precision']:.4f}, recall {recall}, {row['reviews_per_1000']:.1f} reviews per 1,000 signals"
            )
    return 0


def relink(arguments: argparse.Namespace) -> int:
    """0 when every register was placed anew."""
    app = _app()
    rows = []
    for purpose, municipality in app.registers():
        _progress(f"{purpose} {municipality}")
        done = app.relink(purpose, municipality)
        rows.append(
            {"purpose": purpose, "municipality": municipality, "persons": done.persons, "moved": len(done.moved),
             "reviews": done.reviews}
        )  # fmt: skip
    if arguments.json:
        show(rows)
        return 0
    for row in rows:
        print(
            f"{row['purpose']} {row['municipality']}: {row['persons']} persons; {row['moved']} signals moved,"
            f" {row['reviews']} put to review"
        )
    return 0


def rekey(arguments: argparse.Namespace) -> int:
    """0 when every register has the keys of today; with --check 1 when one has not."""
    app = _app()
    wanted = [
        (purpose, municipality)
        for purpose, municipality in app.registers()
        if arguments.purpose in (None, purpose) and arguments.municipality in (None, municipality)
    ]
    if not wanted:
        raise NoRegister()
    rows: list[dict[str, Any]] = []
    for purpose, municipality in wanted:
        row: dict[str, Any] = {"purpose": purpose, "municipality": municipality}
        row["needed"] = app.rekeying.needed(purpose, municipality)
        if not arguments.check:
            by = arguments.by or getpass.getuser()
            done = app.rekeying.run(
                purpose, municipality, by,
                lambda at, where=f"{purpose} {municipality}": _progress(f"{where}: {at.step}, +{at.added} -{at.removed}"),  # type: ignore[misc]
            )  # fmt: skip
            row |= {"added": done.added, "removed": done.removed}
        rows.append(row)
    if arguments.json:
        show(rows)
    else:
        for row in rows:
            said = (
                ("needs it" if row["needed"] else "has the keys of today")
                if arguments.check
                else f"{row['added']} keys added, {row['removed']} removed"
            )
            print(f"{row['purpose']} {row['municipality']}: {said}")
    return 1 if arguments.check and any(row["needed"] for row in rows) else 0


def _app() -> App:
    from bereik.app import App as Assembled

    return Assembled.from_env(process="linkage")
