"""Training: what each level weighs, estimated by Splink 5 from records without labels. The only Splink in the product.

The three models are Splink models over the same declared comparisons (`schemas/linkage.yaml`); the levels are the SQL below.

- `same_address`, over the pairs of one door: u from house mates who surely are two people, so that it is that of relatives
  and not of strangers; m and the prior by expectation maximisation.
- `nearby`, over the other pairs of one postcode: u from neighbours who surely are two people, m as at one door, and how
  the address of one person differs from whom all else calls one.
- `elsewhere`, over all other pairs: u by random sampling, m by expectation maximisation on three blocks, the prior from
  how many pairs the model itself then expects to match.

Each way of writing somebody counts once (`_looks`). Random pairs are only non-matches when each person is there once, and
in a register every second record is a person's second one. So this goes twice: the first pass samples one record per
building; what it links then leaves one record per person for the second. Term frequencies are counted over these persons
too, or a family with many signals would make its name look common, and would put it into the file.

The same rows give the same bytes: rows are sorted by id, sampling is by a hash with the seed, one thread, six digits.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import Any

import duckdb
import pyarrow
import splink
from splink import DuckDBAPI, Linker, SettingsCreator
from splink.clustering import cluster_pairwise_predictions_at_threshold

from bereik import names
from bereik.declared.linkage import Linkage
from bereik.errors import LastingError
from bereik.linkage import DIFFERENT, ELSEWHERE, LEAST_LETTERS, NEARBY, SAME_ADDRESS

# Every level that training did not see is a warning in Splink; `_floored` says what becomes of it.
logging.getLogger("splink").setLevel(logging.ERROR)

# A row is `Traits.row()` with an `id`; rows of the evaluation may carry more, which is not looked at.
Row = Mapping[str, Any]

# Under so many rows expectation maximisation finds noise.
FEWEST_ROWS = 1_000
# A block of fewer pairs says nothing; what it would have trained stays as it is at one address.
FEWEST_PAIRS = 100
# A value that fewer persons share says who they are, and is left out (issue 4).
FEWEST_SHARERS = 10
# No level weighs more than log2(1e6), 20 bits, however clear the training rows were.
LEAST = 1e-6
# u of a level that 1 in a million pairs reaches needs millions of pairs; these take some 10 s on one thread.
SAMPLED_PAIRS = 4e6
# Buildings with more records are institutions: their pairs would outnumber everybody else's.
MOST_PER_BUILDING = 60
_PAIRS_PER_BLOCK = 2e6
# A person's own number is seen at the few buildings where he or she lived, and at some that were misspelt.
MOST_BUILDINGS = 8

_TEXT, _TEXTS, _NUMBER = pyarrow.string(), pyarrow.list_(pyarrow.string()), pyarrow.int32()
_COLUMNS = {
    "id": _TEXT,
    "surnames": _TEXTS,
    "surname": _TEXT,
    "initials": _TEXT,
    "given": _TEXTS,
    "letters": _TEXTS,
    "mailed": _TEXTS,
    "birth_year": _NUMBER,
    "birth_month": _NUMBER,
    "birth_day": _NUMBER,
    "birth": _TEXT,
    "postcode": _TEXT,
    "number": _NUMBER,
    "addition": _TEXT,
    "building": _TEXT,
    "area": _TEXT,
    "door": _TEXT,
    "phone": _TEXT,
    "email": _TEXT,
}
_FREQUENCIES = ("birth", "surname")

# One SQL condition per (comparison, level), with the meaning that bereik.linkage gives it; {alike} is the declared one.
_PLACE = "(postcode_l = postcode_r and number_l = number_r)"
_BEGINS = "starts_with(initials_l, initials_r) or starts_with(initials_r, initials_l)"
_SOME_ALIKE = (
    "list_bool_or(flatten(list_transform({column}_l, lambda x: list_transform({column}_r,"
    " lambda y: jaro_winkler_similarity(x, y) >= {{alike}}"
    f" or (least(length(x), length(y)) >= {LEAST_LETTERS} and damerau_levenshtein(x, y) <= 1)))))"
)
_EQUAL_PARTS = " + ".join(
    f"(case when birth_{part}_l = birth_{part}_r then 1 else 0 end)" for part in ("year", "month", "day")
)
_CALLED_PAIRS = ", ".join(f"'{pair}'" for pair in sorted(names.called_pairs()))
_LEVELS: Mapping[tuple[str, str], str] = {
    ("surname", "same"): "surnames_l = surnames_r",
    ("surname", "shared"): "list_has_any(surnames_l, surnames_r)",
    ("surname", "alike"): _SOME_ALIKE.format(column="surnames"),
    ("given", "name"): "list_has_any(given_l, given_r)",
    ("given", "spelt"): _SOME_ALIKE.format(column="given"),
    ("given", "initials"): "length(initials_l) > 1 and initials_l = initials_r",
    ("given", "other"): f"given_l is not null and given_r is not null and ({_BEGINS})",
    ("given", "single"): "initials_l = initials_r",
    ("given", "begin"): _BEGINS,
    ("given", "called"): (
        "list_contains(letters_r, substr(initials_l, 1, 1)) or list_contains(letters_l, substr(initials_r, 1, 1))"
    ),
    ("given", "some"): "list_has_any(string_split(initials_l, ''), string_split(initials_r, ''))",
    ("given", "mailed"): (
        "list_contains(mailed_r, substr(initials_l, 1, 1)) or list_contains(mailed_l, substr(initials_r, 1, 1))"
    ),
    ("given", "nick"): (
        "given_l is null and given_r is null and substr(initials_l, 1, 1) || substr(initials_r, 1, 1)"
        f" in ({_CALLED_PAIRS})"
    ),
    ("given", "letter"): "given_l is null and given_r is null",
    ("birth", "same"): "birth_l = birth_r",
    ("birth", "swapped"): (
        "birth_l is not null and birth_year_l = birth_year_r and birth_month_l = birth_day_r and birth_day_l = birth_month_r"
    ),
    ("birth", "new_year"): (
        "birth_l is not null and birth_r is not null and birth_year_l = birth_year_r"
        " and (birth_l like '%-01-01' or birth_r like '%-01-01')"
    ),
    ("birth", "two_parts"): (
        f"birth_l is not null and birth_r is not null and {_EQUAL_PARTS} = 2"
        " and not (birth_l like '%-01-01' and birth_r like '%-01-01')"
    ),
    ("birth", "partly"): (
        "(birth_l is null or birth_r is null) and birth_year_l = birth_year_r"
        " and coalesce(birth_month_l = birth_month_r, true) and coalesce(birth_day_l = birth_day_r, true)"
    ),
    ("address", "unit"): f"{_PLACE} and coalesce(addition_l, '') = coalesce(addition_r, '')",
    ("address", "blank"): f"{_PLACE} and (addition_l is null or addition_r is null)",
    ("address", "flat"): _PLACE,
    ("address", "slip"): (
        "postcode_l = postcode_r and coalesce(addition_l, '') = coalesce(addition_r, '') and abs(number_l - number_r) <> 2"
        " and damerau_levenshtein(cast(number_l as varchar), cast(number_r as varchar)) <= 1"
    ),
    ("address", "postcode"): "postcode_l = postcode_r",
    ("address", "district"): "substr(postcode_l, 1, 4) = substr(postcode_r, 1, 4)",
    ("contact", "both"): "phone_l = phone_r and email_l = email_r",
    ("contact", "email"): "email_l = email_r",
    ("contact", "phone"): "phone_l = phone_r",
}
# When a side has nothing to compare.
_NULL: Mapping[str, str] = {
    "surname": "surnames_l is null or surnames_r is null",
    "given": "initials_l is null or initials_r is null",
    "birth": (
        "(birth_year_l is null or birth_year_r is null) and (birth_month_l is null or birth_month_r is null)"
        " and (birth_day_l is null or birth_day_r is null)"
    ),
    "address": "postcode_l is null or postcode_r is null",
    "contact": "(phone_l is null or phone_r is null) and (email_l is null or email_r is null)",
}
# `area` is the postcode once more and `door` the addition: Splink leaves out of a training what its block speaks of.
_TOGETHER = "l.building = r.building and (l.door = r.door or l.door = '' or r.door = '')"
_NEAR = f"l.area = r.area and not coalesce({_TOGETHER}, false)"
_APART = "coalesce(l.area <> r.area, true)"
# House mates who surely are two: what u of a comparison is taken from must not be that comparison itself.
_OTHER_BIRTH = (
    "l.birth IS NOT NULL AND r.birth IS NOT NULL AND l.birth <> r.birth AND l.birth_year <> r.birth_year"
)
_OTHER_LETTERS = (
    "NOT list_has_any(string_split(l.initials, ''), string_split(r.initials, ''))"
    " AND NOT coalesce(list_contains(l.letters, substr(r.initials, 1, 1)), false)"
    " AND NOT coalesce(list_contains(r.letters, substr(l.initials, 1, 1)), false)"
)
_SURELY_TWO: Mapping[str, str] = {"given": _OTHER_BIRTH, "birth": _OTHER_LETTERS}
_SURELY_TWO_OTHERWISE = f"{_OTHER_LETTERS} AND coalesce(l.birth <> r.birth, true)"
_BLOCKS = (
    f"l.birth = r.birth and {_APART}",
    f"l.phone = r.phone and {_APART}",
    f"l.email = r.email and {_APART}",
)
# Where else matches may be: too few among too many for expectation maximisation.
_SEARCHED = (
    *_BLOCKS,
    f"l.surname = r.surname and l.initials = r.initials and {_APART}",
)
_BLOCK_OF = {ELSEWHERE: _APART, NEARBY: _NEAR, SAME_ADDRESS: _TOGETHER}
_SEARCHED_OF = {ELSEWHERE: _SEARCHED, NEARBY: (_NEAR,), SAME_ADDRESS: (_TOGETHER,)}


class TooFewRecords(LastingError):
    """These rows are too few to train on. Give at least 1,000, of people who are in them more than once."""


# comparison → level → m and u
_Chances = Mapping[str, Mapping[str, Mapping[str, float]]]


@dataclass(frozen=True, slots=True)
class _Trained:
    """One model as Splink left it; `prior` is a probability."""

    prior: float
    chances: _Chances


def train(rows: Iterable[Row], rules: Linkage, seed: int, source: str) -> dict[str, Any]:
    """The weights document for `schemas/linkage.weights.json`. `source` says where the rows came from.

    Raises `TooFewRecords`. 20,000 rows take about a minute on one core.
    """
    table = _table(rows)
    if table.num_rows < FEWEST_ROWS:
        raise TooFewRecords(f"{TooFewRecords.__doc__} Found {table.num_rows}.")
    table = _looks(table)
    own = _without_generic(table)
    same_address = _same_address(own, rules)
    nearby = _nearby(own, rules, same_address)
    persons = table
    for _ in range(2):
        # The stream meets a call centre's number before it can know it for one, so u is that of all numbers.
        strangers = _strangers(_one_per_building(persons), rules, seed)
        elsewhere = _elsewhere(own, rules, strangers, same_address)
        models = {ELSEWHERE: elsewhere, NEARBY: nearby or elsewhere, SAME_ADDRESS: same_address}
        persons = _persons(table, own, rules, models)
    return {
        "version": 1,
        "trained": {"splink": splink.__version__, "rows": table.num_rows, "seed": seed, "source": source},
        "models": {
            name: {"prior": _digits(_odds(model.prior)), "comparisons": _rounded(model.chances)}
            for name, model in models.items()
        },
        "frequencies": _frequencies(persons),
    }


def text(document: Mapping[str, Any]) -> str:
    """The document as it is written to a file: keys in order, one per line, so that a review shows what changed."""
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def oracle(rows: Iterable[Row], rules: Linkage, document: Mapping[str, Any]) -> dict[tuple[str, str], float]:
    """What Splink itself says every pair of these rows weighs under a weights document, in log2 odds.

    The second opinion: the stream must come to the same figures. All pairs, so for some hundreds of rows.
    """
    table = _table(rows)
    found = {}
    for model, block in _BLOCK_OF.items():
        part = document["models"][model]
        trained = _Trained(2 ** part["prior"] / (1 + 2 ** part["prior"]), part["comparisons"])
        frequencies = document["frequencies"] if model == ELSEWHERE else {}
        linker, api = _linker(table, rules, trained, (block,), frequencies)
        predicted = linker.inference.predict(warning_mode="never")
        found.update(
            {
                (left, right): weight
                for left, right, weight in api.duckdb_con.sql(
                    f"SELECT id_l, id_r, match_weight FROM {predicted.physical_name}"
                ).fetchall()
            }
        )
    return found


# ---------------------------------------------------------------- rows


def _table(rows: Iterable[Row]) -> Any:
    """An Arrow table of the rows in order of id."""
    ordered = sorted(rows, key=lambda row: str(row["id"]))
    return pyarrow.Table.from_pylist(
        [
            {name: row.get(name) for name in _COLUMNS}
            | {"area": row["postcode"], "door": row["addition"] or ""}
            for row in ordered
        ],
        schema=pyarrow.schema(list(_COLUMNS.items())),
    )


def _looks(table: Any) -> Any:
    """Each way of writing somebody once, under its first id. The next month's file repeats its slips to the letter: such
    pairs would teach that nobody ever slips, and what is decided is about records that differ.
    """
    said = ", ".join(name for name in _COLUMNS if name != "id")
    return _sql(f"SELECT min(id) AS id, {said} FROM rows GROUP BY ALL ORDER BY id", rows=table)


def _without_generic(table: Any) -> Any:
    """A telephone or mail address of many buildings is a call centre's or an administrator's: unknown, for training."""
    kept = {
        column: f"CASE WHEN count(DISTINCT building) OVER (PARTITION BY {column}) <= {MOST_BUILDINGS} THEN {column} END"
        for column in ("phone", "email")
    }
    return _sql(
        f"SELECT * REPLACE ({', '.join(f'{case} AS {column}' for column, case in kept.items())}) FROM rows ORDER BY id",
        rows=table,
    )


def _one_per_building(table: Any) -> Any:
    """The first record of each building: strangers. Records without a building are left out."""
    return _sql(
        "SELECT * FROM rows WHERE building IS NOT NULL"
        " QUALIFY row_number() OVER (PARTITION BY building ORDER BY hash(id), id) = 1 ORDER BY id",
        rows=table,
    )


def _sql(statement: str, **tables: Any) -> Any:
    with _connection() as con:
        for name, table in tables.items():
            con.register(name, table)
        return con.sql(statement).to_arrow_table()


def _connection() -> duckdb.DuckDBPyConnection:
    """One thread, or sums would differ in their last digits from run to run."""
    return duckdb.connect(":memory:", config={"threads": 1})


# ---------------------------------------------------------------- Splink


def _linker(
    table: Any,
    rules: Linkage,
    start: _Trained | None,
    blocks: Sequence[str] = (),
    frequencies: Mapping[str, Mapping[str, float]] | None = None,
) -> tuple[Any, DuckDBAPI]:
    """A Splink linker over the declared comparisons, beginning with the given figures, in a database of its own."""
    api = DuckDBAPI(connection=_connection())
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="id",
        comparisons=[
            _comparison(name, levels, rules.alike, start, frequencies)
            for name, levels in rules.comparisons.items()
        ],
        blocking_rules_to_generate_predictions=[{"blocking_rule": block} for block in blocks],
        probability_two_random_records_match=start.prior if start else 1e-4,
        em_convergence=1e-4,
        max_iterations=200,
        retain_matching_columns=False,
    )
    linker = Linker(api.register(table, table_name="people"), settings, log_level=None)
    for column, values in (frequencies or {}).items():
        lookup = pyarrow.table(
            {column: list(values), f"tf_{column}": list(values.values())},
            schema=pyarrow.schema([(column, pyarrow.string()), (f"tf_{column}", pyarrow.float64())]),
        )
        linker.table_management.register_term_frequency_lookup(
            api.register(lookup, table_name=f"shares_of_{column}"), column
        )
    return linker, api


def _comparison(
    name: str,
    levels: Sequence[str],
    alike: float,
    start: _Trained | None,
    frequencies: Mapping[str, Mapping[str, float]] | None,
) -> dict[str, Any]:
    """A declared comparison as Splink settings."""
    written: list[dict[str, Any]] = [
        {"sql_condition": _NULL[name], "label_for_charts": "unknown", "is_null_level": True}
    ]
    for level in (*levels, DIFFERENT):
        condition = "ELSE" if level == DIFFERENT else _condition(name, level, alike)
        one: dict[str, Any] = {"sql_condition": condition, "label_for_charts": level}
        if start:
            # Splink begins at chances of its own where none are given.
            one |= {f"{kind}_probability": chance for kind, chance in start.chances[name][level].items()}
        if level == "same" and name in (frequencies or {}):
            one |= {"tf_adjustment_column": name, "disable_tf_exact_match_detection": True}
        written.append(one)
    return {"output_column_name": name, "comparison_levels": written}


def _strangers(once: Any, rules: Linkage, seed: int) -> _Chances:
    """u among random pairs of these records."""
    linker, _ = _linker(once, rules, None)
    linker.training.estimate_u_using_random_sampling(
        max_pairs=SAMPLED_PAIRS, seed=seed, min_count_per_level=None, num_chunks=1
    )
    sampled = min(SAMPLED_PAIRS, once.num_rows * (once.num_rows - 1) / 2)
    return _only_u(_floored(_read(linker), 1, sampled))


def _same_address(table: Any, rules: Linkage) -> _Trained:
    """u of house mates who surely are two people; m and the prior by expectation maximisation over pairs of one door.

    Left free, Splink's two classes become family and strangers, and twins end up among the matches.
    """
    together = _without_institutions(table)
    if _pairs(together, _TOGETHER) < FEWEST_PAIRS:
        raise TooFewRecords(
            f"{TooFewRecords.__doc__} Found {together.num_rows} with hardly an address in common."
        )
    linker, _ = _linker(together, rules, _Trained(0.5, _surely_two(together, rules, _TOGETHER)))
    linker.training.estimate_parameters_using_expectation_maximisation(
        _TOGETHER,
        estimate_without_term_frequencies=True,
        populate_probability_two_random_records_match_from_trained_values=True,
    )
    prior = float(linker.misc.save_model_to_json()["probability_two_random_records_match"])
    return _Trained(prior, _floored(_read(linker), prior * _pairs(together, _TOGETHER), 1 / LEAST))


def _nearby(table: Any, rules: Linkage, same_address: _Trained) -> _Trained | None:
    """u of neighbours who surely are two people, m as at one address, and the prior that follows from both.

    Who misspells a number misspells no name more than others do, and there are too few of them to learn m from. None
    when hardly two records share a postcode.
    """
    around = _without_institutions(table)
    pairs = _pairs(around, _NEAR)
    if pairs < FEWEST_PAIRS:
        return None
    chances = {
        comparison: {
            level: {
                "u": both["u"],
                "m": both["u"] if comparison == "address" else same_address.chances[comparison][level]["m"],
            }
            for level, both in levels.items()
        }
        for comparison, levels in _surely_two(around, rules, _NEAR).items()
    }
    # How the address of one person differs follows from whom all else calls one.
    blind = _settled(around, rules, chances, NEARBY, pairs)
    expected = _expected_levels(around, rules, blind, (_NEAR,), "address")
    seen = {
        level: {"u": both["u"], "m": expected.get(level, 0.0)} for level, both in chances["address"].items()
    }
    return _settled(
        around, rules, _floored(chances | {"address": seen}, blind.prior * pairs, 1 / LEAST), NEARBY, pairs
    )


def _without_institutions(table: Any) -> Any:
    """The records of buildings, without those of which there are too many in one."""
    return _sql(
        "SELECT * FROM rows WHERE building IS NOT NULL"
        f" QUALIFY count(*) OVER (PARTITION BY building) <= {MOST_PER_BUILDING} ORDER BY id",
        rows=table,
    )


def _surely_two(table: Any, rules: Linkage, block: str) -> _Chances:
    """u among the pairs of a block that surely are two people, each comparison by what the others say."""
    otherwise = _counted(table, rules, f"{block} AND {_SURELY_TWO_OTHERWISE}")
    return {
        comparison: _counted(table, rules, f"{block} AND {_SURELY_TWO[comparison]}")[comparison]
        if comparison in _SURELY_TWO
        else otherwise[comparison]
        for comparison in rules.comparisons
    }


def _counted(table: Any, rules: Linkage, condition: str) -> _Chances:
    """u among the pairs for which the condition holds."""
    pairs = _sql(
        f"SELECT l.id AS id_l, r.id AS id_r FROM rows l JOIN rows r ON {condition} AND l.id < r.id ORDER BY ALL",
        rows=table,
    )
    linker, api = _linker(table, rules, None)
    # Splink counts the levels of labelled pairs as m; what they are labelled as is ours to say.
    linker.training.estimate_m_from_pairwise_labels(api.register(pairs, table_name="pairs"))
    counted = {
        comparison: {level: {"u": both["m"], "m": both["m"]} for level, both in levels.items()}
        for comparison, levels in _read(linker).items()
    }
    return _only_u(_floored(counted, 1, pairs.num_rows))


def _only_u(chances: _Chances) -> _Chances:
    return {
        comparison: {level: {"u": both["u"]} for level, both in levels.items()}
        for comparison, levels in chances.items()
    }


def _elsewhere(table: Any, rules: Linkage, strangers: _Chances, same_address: _Trained) -> _Trained:
    """u of strangers; m by expectation maximisation, beginning at how people are written at one address.

    People are written as badly after a move as before it, and only few pairs are of movers: from further away Splink
    ends at other optima.
    """
    chances = {
        comparison: {
            level: {"u": both["u"]}
            if comparison == "address"
            else {"u": both["u"], "m": same_address.chances[comparison][level]["m"]}
            for level, both in levels.items()
        }
        for comparison, levels in strangers.items()
    }
    linker, _ = _linker(table, rules, _Trained(1e-4, chances))
    for block in _BLOCKS:
        if _pairs(table, block) < FEWEST_PAIRS:
            continue
        linker.training.estimate_parameters_using_expectation_maximisation(
            block,
            estimate_without_term_frequencies=True,
            max_pairs=_PAIRS_PER_BLOCK,
            record_sample_proportion=1.0,
        )
    pairs = table.num_rows * (table.num_rows - 1) / 2 - _pairs(table, "l.area = r.area")
    return _settled(table, rules, _floored(_read(linker), 1000, SAMPLED_PAIRS), ELSEWHERE, pairs)


def _settled(table: Any, rules: Linkage, chances: _Chances, model: str, pairs: float) -> _Trained:
    """With a prior: it and what it makes the model expect settle within a few rounds."""
    trained = _Trained(1e-4, chances)
    for _ in range(3):
        expected = _expected(table, rules, trained, _SEARCHED_OF[model])
        trained = _Trained(max(expected, 1.0) / pairs, trained.chances)
    return trained


def _read(linker: Any) -> dict[str, dict[str, dict[str, float]]]:
    """comparison → level → m and u as trained; a level that was not seen is 0."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for comparison in linker.misc.save_model_to_json()["comparisons"]:
        found[comparison["output_column_name"]] = {
            level["label_for_charts"]: {
                "m": float(level.get("m_probability", 0)),
                "u": float(level.get("u_probability", 0)),
            }
            for level in comparison["comparison_levels"]
            if not level.get("is_null_level")
        }
    return found


def _floored(chances: _Chances, matches: float, others: float) -> dict[str, dict[str, dict[str, float]]]:
    """A level seen less than half a time among the pairs counts as seen half a time: rare is not impossible."""
    least = {"m": max(LEAST, 0.5 / max(matches, 1)), "u": max(LEAST, 0.5 / max(others, 1))}
    return {
        comparison: {
            level: {kind: min(max(chance, least[kind]), 1 - LEAST) for kind, chance in both.items()}
            for level, both in levels.items()
        }
        for comparison, levels in chances.items()
    }


def _expected(table: Any, rules: Linkage, trained: _Trained, blocks: Sequence[str]) -> float:
    """How many pairs the model expects to be one person, among those that share a block."""
    linker, api = _linker(table, rules, trained, blocks)
    predicted = linker.inference.predict(warning_mode="never")
    ((total,),) = api.duckdb_con.sql(
        f"SELECT coalesce(sum(match_probability), 0) FROM {predicted.physical_name}"
    ).fetchall()
    return float(total)


def _expected_levels(
    table: Any, rules: Linkage, trained: _Trained, blocks: Sequence[str], comparison: str
) -> dict[str, float]:
    """The share of each level of a comparison among the pairs that the model expects to be one person.

    Only pairs of two known birth dates count: of the others many are relatives, whom the model cannot tell from one person.
    """
    linker, _ = _linker(table, rules, trained, blocks)
    predicted = linker.inference.predict(warning_mode="never")
    cases = " ".join(
        f"WHEN {_condition(comparison, level, rules.alike)} THEN '{level}'"
        for level in rules.comparisons[comparison]
    )
    sides = {
        f"people{side}": f"(SELECT {', '.join(f'{name} AS {name}{side}' for name in _COLUMNS)} FROM rows)"
        for side in ("_l", "_r")
    }
    found = _sql(
        f"SELECT CASE {cases} ELSE '{DIFFERENT}' END AS level, sum(match_probability) / sum(sum(match_probability)) OVER ()"
        f" AS share FROM predicted {' '.join(f'JOIN {rows} {name} USING (id{name[-2:]})' for name, rows in sides.items())}"
        f" WHERE NOT ({_NULL[comparison]}) AND NOT ({_NULL['birth']}) GROUP BY 1",
        rows=table,
        predicted=predicted.as_pyarrow_table().select(["id_l", "id_r", "match_probability"]),
    )
    return dict(zip(*found.to_pydict().values(), strict=True))


def _condition(comparison: str, level: str, alike: float) -> str:
    return _LEVELS[comparison, level].replace("{alike}", str(alike))


def _pairs(table: Any, condition: str) -> float:
    """How many pairs of records a condition holds for."""
    counted = _sql(
        f"SELECT count(*) AS pairs FROM rows l JOIN rows r ON {condition} AND l.id < r.id", rows=table
    )
    return float(counted["pairs"][0].as_py())


def _persons(table: Any, own: Any, rules: Linkage, models: Mapping[str, _Trained]) -> Any:
    """One record of each person, as far as these models tell persons apart by what is their own."""
    edges = []
    for name, blocks in _SEARCHED_OF.items():
        linker, _ = _linker(own, rules, models[name], blocks)
        predicted = linker.inference.predict(threshold_match_weight=0, warning_mode="never")
        edges.append(predicted.as_pyarrow_table().select(["id_l", "id_r"]))
    clusters = cluster_pairwise_predictions_at_threshold(
        table.select(["id"]), pyarrow.concat_tables(edges), DuckDBAPI(connection=_connection()), "id"
    )
    return _sql(
        "SELECT rows.* FROM rows JOIN clusters USING (id)"
        " QUALIFY row_number() OVER (PARTITION BY cluster_id ORDER BY hash(id), id) = 1 ORDER BY id",
        rows=table,
        clusters=clusters.as_pyarrow_table(),
    )


# ---------------------------------------------------------------- the document


def _frequencies(persons: Any) -> dict[str, dict[str, float]]:
    return {
        column: {
            value: _digits(share)
            for value, share in zip(
                *_sql(
                    f"SELECT {column}, count(*) / sum(count(*)) OVER () FROM rows WHERE {column} IS NOT NULL"
                    f" GROUP BY 1 QUALIFY count(*) >= {FEWEST_SHARERS} ORDER BY 1",
                    rows=persons,
                )
                .to_pydict()
                .values(),
                strict=True,
            )
        }
        for column in _FREQUENCIES
    }


def _rounded(chances: _Chances) -> dict[str, Any]:
    return {
        comparison: {
            level: {kind: _digits(chance) for kind, chance in both.items()} for level, both in levels.items()
        }
        for comparison, levels in chances.items()
    }


def _odds(probability: float) -> float:
    return log2(probability / (1 - probability))


def _digits(value: float) -> float:
    return float(f"{value:.6g}")
