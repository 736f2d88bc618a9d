"""A file that cannot be resolved is told by line and column, never by value and never with a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from bereik.bench import resolve
from bereik.bundle import Bundle
from bereik.cli import main

HEAD = "signal_id,received_at,geslachtsnaam,geboortedatum,telefoonnummer\n"


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return Bundle.compile(Path(__file__).parents[2] / "schemas")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", "no column signal_id, received_at"),
        (b"signal_id,geslachtsnaam\na,Zzcanary\n", "no column received_at"),
        (b"signal_id,received_at\na,2026-01-01\n", "no column a field of identity"),
        (HEAD.encode(), "has no signals"),
        (HEAD.encode() + b"a,2026-01-01,Zzcanary,,\na,2026-01-01,Zzcanary,,\n", "Line 3 repeats the signal_id of line 2"),
        (HEAD.encode() + b",2026-01-01,Zzcanary,,\n", "Line 2 has no signal_id"),
        (HEAD.encode() + b"a,yesterday,Zzcanary,,\n", "Line 2: received_at is no date"),
        (HEAD.encode() + b"a,2026-01-01,\xe9,,\n", "is not UTF-8"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_told(tmp_path: Path, bundle: Bundle, text: bytes, told: str) -> None:
    path = tmp_path / "signals.csv"
    path.write_bytes(text)
    with pytest.raises(resolve.UnusableFile) as caught:
        resolve.read(path, bundle)
    assert told in str(caught.value) and "Zzcanary" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "none.csv"])
def test_a_folder_or_a_file_that_is_not_there_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    place = str(tmp_path / name) if name else str(tmp_path)
    for command in (["resolve", place, str(tmp_path / "out.csv")], ["evaluate", place, place]):
        assert main(["linkage", *command]) == 1
        told = capsys.readouterr().err
        assert "cannot be read" in told and "Traceback" not in told


def test_a_place_that_cannot_be_written_is_told_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "signals.csv"
    path.write_text(HEAD + "a,2026-01-01,Testnaam,,\n", encoding="utf-8")
    assert main(["linkage", "resolve", str(path), str(tmp_path)]) == 1
    assert "cannot be written" in capsys.readouterr().err
