"""The bar: Splink 5 in batch, set up by its own guides, over the same rows.

What a competent user of its documentation does, no less: ordinary cleaning (lower case, no accents, one address
text), its comparison library with term frequencies, several blocking rules, u by random sampling, m by expectation
maximisation on two blocks, clusters by connected components. Two ways of comparing names are tried, because its
guides show both; the caller reports the better one.

Sources: Splink 5.0.0, guides "Feature engineering", "Defining and customising comparisons" and "Blocking rules for
prediction", and the example "Deduplicate 50k rows based on historical persons".
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count
from typing import Any

import pyarrow
import splink.comparison_level_library as levels
import splink.comparison_library as comparisons
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

# Levels that a set of rows does not reach are a warning each.
logging.getLogger("splink").setLevel(logging.ERROR)

Edge = tuple[str, str, float]
# By which two columns of names a run compares: together with their joint frequency, or each by itself.
VARIANTS = ("joint", "apart")

# Odds of 1 in 1,000: below it no threshold of interest lies, and the table of pairs stays small.
_LEAST_WEIGHT = -10.0
# Wherever a partner wrote them; who knows Dutch names takes them out first.
_PREFIXES = frozenset(
    [
        "van", "de", "der", "den", "het", "t", "ten", "ter", "te", "in", "op", "aan", "bij", "onder", "over", "uit",
        "voor", "von", "el", "al", "la", "le", "du", "da", "dos", "di", "ben",
    ]
)  # fmt: skip
_DATES = (
    (re.compile(r"(\d{4})\D?(\d{2})\D?(\d{2})"), (1, 2, 3)),
    (re.compile(r"(\d{1,2})\D(\d{1,2})\D(\d{4})"), (3, 2, 1)),
)
_COLUMNS = (
    "unique_id", "forename", "initials", "initial", "surname", "full_name", "birth", "postcode", "district",
    "building", "address", "phone", "email",
)  # fmt: skip


def score(rows: Iterable[Mapping[str, str]], variant: str, seed: int) -> list[Edge]:
    """Train on the rows and score them: pairs of signal ids with their match weight (log2 odds), best first.

    `rows` have the columns of `bereik linkage resolve`. Takes minutes for 20,000 rows.
    """
    api = DuckDBAPI(connection=":memory:")
    linker = _trained(api, [clean(row) for row in rows], variant, seed)
    found = linker.inference.predict(threshold_match_weight=_LEAST_WEIGHT, warning_mode="never")
    edges = api.duckdb_con.sql(
        f"SELECT unique_id_l, unique_id_r, match_weight FROM {found.physical_name}"
        " ORDER BY match_weight DESC, unique_id_l, unique_id_r"
    ).fetchall()
    return [(str(left), str(right), float(weight)) for left, right, weight in edges]


def between(
    crowd: Iterable[Mapping[str, str]], trained_on: Iterable[Mapping[str, str]], seed: int
) -> Callable[[Sequence[Mapping[str, str]]], int]:
    """A function that scores new rows against a crowd by `predict_between`, and returns how many pairs it scored.

    The model is trained on other rows; the frequencies of terms are the crowd's, as its guide on new records asks.
    """
    trained = _trained(
        DuckDBAPI(connection=":memory:"), [clean(row) for row in trained_on], VARIANTS[1], seed
    )
    model = trained.misc.save_model_to_json()
    api = DuckDBAPI(connection=":memory:")
    known = api.register(_columns(map(clean, crowd)), table_name="crowd")
    linker = Linker(known, model, log_level=None)
    for column in ("surname", "forename", "address", "email"):
        linker.table_management.compute_tf_table(column)

    def scored(rows: Sequence[Mapping[str, str]]) -> int:
        # Splink keeps every table it was given under its name.
        new = api.register(_columns(map(clean, rows)), table_name=f"new_{next(numbers)}")
        found = linker.inference.predict_between(
            known, new, threshold_match_weight=_LEAST_WEIGHT, warning_mode="never"
        )
        pairs = len(found.as_record_list())
        found.drop_table_from_database_and_remove_from_cache()
        return pairs

    numbers = count()
    return scored


def clean(row: Mapping[str, str]) -> dict[str, str | None]:
    """Ordinary cleaning of one row; None for what is empty."""
    names = _plain(row["voornamen"]).split()
    initials = "".join(_plain(row["voorletters"]).split()) or "".join(name[0] for name in names)
    surname = " ".join(word for word in _plain(row["geslachtsnaam"]).split() if word not in _PREFIXES)
    postcode = re.sub(r"\s", "", row["postcode"]).upper()
    building = f"{postcode} {_digits(row['huisnummer'])}"
    rest = row["huisnummer"] + row["huisletter"] + row["huisnummertoevoeging"]
    address = re.sub(r"[^a-z0-9]", "", f"{postcode}{rest}".lower())
    cleaned = {
        "unique_id": row["signal_id"],
        "forename": names[0] if names else "",
        "initials": initials,
        "initial": initials[:1],
        "surname": surname,
        "full_name": f"{names[0]} {surname}" if names and surname else "",
        "birth": _birth(row["geboortedatum"]),
        "postcode": postcode,
        "district": postcode[:4],
        "building": building if postcode and row["huisnummer"] else "",
        "address": address if postcode and row["huisnummer"] else "",
        "phone": re.sub(r"^(00|\+)?31", "0", re.sub(r"[^\d+]", "", row["telefoonnummer"])),
        "email": row["email"].strip().lower(),
    }
    return {name: value or None for name, value in cleaned.items()}


def _plain(text: str) -> str:
    """Lower-case letters and single spaces, without accents."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    kept = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return " ".join(re.sub(r"[^a-z]+", " ", kept).split())


def _digits(text: str) -> str:
    found = re.match(r"\d+", text.strip())
    return found.group() if found else ""


def _birth(text: str) -> str:
    """ISO; empty when it is not a whole date in one of the usual orders."""
    for pattern, (year, month, day) in _DATES:
        if found := pattern.fullmatch(text.strip()):
            return f"{found[year]}-{int(found[month]):02}-{int(found[day]):02}"
    return ""


def _trained(api: DuckDBAPI, cleaned: Sequence[Mapping[str, str | None]], variant: str, seed: int) -> Any:
    linker = Linker(api.register(_columns(cleaned), table_name="people"), _settings(variant), log_level=None)
    training = linker.training
    training.estimate_probability_two_random_records_match(
        [block_on("surname", "initial", "birth"), block_on("email", "initial"), block_on("phone", "initial", "birth")],
        recall=0.7,
    )  # fmt: skip
    training.estimate_u_using_random_sampling(max_pairs=2e7, seed=seed)
    for block in (block_on("surname", "initial"), block_on("birth")):
        training.estimate_parameters_using_expectation_maximisation(block)
    return linker


def _columns(cleaned: Iterable[Mapping[str, str | None]]) -> Any:
    table: dict[str, list[str | None]] = {name: [] for name in _COLUMNS}
    for row in cleaned:
        for name, values in table.items():
            values.append(row[name])
    return pyarrow.table(table, schema=pyarrow.schema([(name, pyarrow.string()) for name in _COLUMNS]))


def _settings(variant: str) -> SettingsCreator:
    """The two variants differ in the names only."""
    forename = comparisons.CustomComparison(
        output_column_name="forename",
        comparison_levels=[
            levels.NullLevel("initials"),
            levels.ExactMatchLevel("forename", term_frequency_adjustments=True),
            levels.JaroWinklerLevel("forename", 0.88),
            levels.ExactMatchLevel("initials"),
            levels.ExactMatchLevel("initial"),
            levels.ElseLevel(),
        ],
    )
    address = comparisons.CustomComparison(
        output_column_name="address",
        comparison_levels=[
            levels.NullLevel("postcode"),
            levels.ExactMatchLevel("address", term_frequency_adjustments=True),
            levels.ExactMatchLevel("building"),
            levels.ExactMatchLevel("postcode"),
            levels.ExactMatchLevel("district"),
            levels.ElseLevel(),
        ],
    )
    names: list[Any] = (
        [
            comparisons.ForenameSurnameComparison(
                "forename", "surname", forename_surname_concat_col_name="full_name"
            )
        ]
        if variant == "joint"
        else [comparisons.NameComparison("surname"), forename]
    )
    return SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            *names,
            comparisons.DateOfBirthComparison("birth", input_is_string=True),
            address,
            comparisons.LevenshteinAtThresholds("phone", 1),
            comparisons.EmailComparison("email"),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("surname", "birth"),
            block_on("initial", "birth"),
            block_on("surname", "building"),
            block_on("initial", "building"),
            block_on("birth", "district"),
            block_on("surname", "initial", "district"),
            block_on("surname", "initial", "substr(birth, 1, 4)"),
            block_on("substr(surname, 1, 3)", "building"),
            block_on("phone"),
            block_on("email"),
        ],
        retain_matching_columns=False,
    )
