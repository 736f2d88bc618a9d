"""Phone numbers and e-mail addresses: one line is one number however it is written, and a filler is nobody's."""

from __future__ import annotations

import pytest

from bereik import contacts


@pytest.mark.parametrize(
    "written",
    [
        "0699000123",
        "06 99 00 01 23",
        "06-99000123",
        "06.99.00.01.23",
        "06 - 99 00 01 23",
        "(06) 99000123",
        "06/99000123",
        "+31699000123",
        "+31 6 99000123",
        "+31(0)699000123",
        "+31 (0)6-99000123",
        "+31 06 99000123",
        "0031699000123",
        "00 31 6 99000123",
        "31699000123",
        "699000123",
        "699000123.0",
        "tel. 06-99000123",
        "06-99000123 (moeder)",
        "0699000123 na 18:00",
        "020-1234568 / 0699000123",
        "0699000123 / 020-1234568",
        "0699000123, 0699000124",
        "０６９９０００１２３",
    ],
)
def test_one_mobile(written: str) -> None:
    assert contacts.phone(written) == "+31699000123"


@pytest.mark.parametrize(
    ("written", "number", "why"),
    [
        ("020-1234568", "+31201234568", "a line at home"),
        ("(0201) 234568", "+31201234568", "brackets elsewhere"),
        ("020-1234568 of 030-1234568", "+31201234568", "the first of two lines at home"),
        ("088-1234568", "+31881234568", "a company"),
        ("+49 170 1234568", "+491701234568", "abroad"),
        ("0032 470 12 34 56", "+32470123456", "abroad, with zeros"),
        ("+90 532 123 45 67", "+905321234567", "further abroad"),
        ("0201234568 / +491701234568", "+491701234568", "a mobile abroad goes before a line at home"),
        ("0000000000", "", "a filler"),
        ("0600000000", "", "a filler"),
        ("0611111111", "", "a filler"),
        ("0612345678", "", "a filler"),
        ("1234567890", "", "a filler"),
        ("0123456789", "", "a filler"),
        ("0800-1234", "", "a service"),
        ("0900 8844", "", "another one"),
        ("112", "", "too short"),
        ("06990001234", "", "a digit too many: which one is not known"),
        ("069900012", "", "a digit too few"),
        ("onbekend", "", "a word"),
        ("", "", "nothing"),
        ("\x00\ud800😀" * 9, "", "rubbish"),
    ],
)
def test_phone(written: str, number: str, why: str) -> None:
    assert contacts.phone(written) == number, why


@pytest.mark.parametrize(
    ("written", "address", "why"),
    [
        ("Jan.de.Vries@Post.example", "jan.de.vries@post.example", "capitals do not count"),
        ("  jan@post.example\n", "jan@post.example", "spaces around"),
        ("Jan <jan@post.example>", "jan@post.example", "with a name"),
        ("mailto:jan@post.example", "jan@post.example", "a link"),
        ("'jan@post.example'", "jan@post.example", "quotes"),
        ("jan@post.example.", "jan@post.example", "a point behind"),
        ("jan@post.example; els@post.example", "jan@post.example", "the first of two"),
        ("jan@post.example/els@post.example", "jan@post.example", "parted by a stroke"),
        ("geen, jan@post.example", "jan@post.example", "a word in front"),
        ("info@bakker.example", "info@bakker.example", "may be a sole trader's own"),
        ("jan+energie@post.example", "jan+energie@post.example", "a tag is kept"),
        ("jan@bücher.example", "jan@bücher.example", "a domain with marks"),
        ("geen@post.example", "", "says there is none"),
        ("geen.mail@post.example", "", "also"),
        ("onbekend@post.example", "", "unknown"),
        ("jan@onbekend.example", "", "an unknown domain"),
        ("n.v.t.@post.example", "", "does not apply"),
        ("no-reply@post.example", "", "nobody reads it"),
        ("xxx@post.example", "", "crosses"),
        ("jan@post", "", "no domain"),
        ("jan@", "", "half"),
        ("@post.example", "", "the other half"),
        ("jan@els@post.example", "", "two at-signs"),
        ("jan", "", "none"),
        ("", "", "nothing"),
    ],
)
def test_email(written: str, address: str, why: str) -> None:
    assert contacts.email(written) == address, why


@pytest.mark.parametrize(
    ("email", "letters"),
    [
        ("hans.testman7@post.example", "h"),
        ("testman.hans.7@post.example", "h"),
        ("h.van.der.testman@post.example", "h"),
        ("hans7@post.example", "h"),
        ("testman7@post.example", ""),
        ("familie.testman@post.example", ""),
        ("kantoor2@post.example", ""),
        ("", ""),
    ],
)
def test_the_letter_that_a_mail_address_calls_somebody_by(email: str, letters: str) -> None:
    assert contacts.called(contacts.email(email), ("testman",)) == letters
