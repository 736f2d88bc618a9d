"""Dutch names, made comparable: surnames, initials, first names, and a key for what sounds alike. Pure; no input raises.

Of every field the first 300 characters are read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

import yaml

_LONGEST: Final = 300
# Passport authorities limit nothing, but systems keep three to ten initials; four tell all that a comparison asks.
_MOST_INITIALS: Final = 4

# ---------------------------------------------------------------- letters

# What Unicode does not decompose, as partners' systems write it without its mark, and all apostrophes as one.
_PLAIN = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ĳ": "ij"}
    | {"ə": "e", "ɛ": "e", "ɣ": "g", "ħ": "h", "ŋ": "n", "ŧ": "t"}
    | dict.fromkeys("’‘`´′ʼʻ", "'")
    | dict.fromkeys("ʿʾ", "")
    | dict.fromkeys("‐‑–—−", "-")
)
# UTF-8 that somebody read as Windows-1252: "Ã§elik" is Çelik.
_MANGLED = re.compile("[ÃÄÅ][\u0080-\u00bf\u0152-\u2122]")
_NOT_LETTERS = re.compile(r"[^a-z]+")
_VOWELS: Final = frozenset("aeiouy")


def _without_marks(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN))
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return plain.translate(_PLAIN).lower()


# The Latin letters with marks, once: decomposing a name takes 5 microseconds, looking its letters up less than one.
_LATIN = {code: _without_marks(chr(code)) for code in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00))} | _PLAIN


def _ascii(text: str) -> str:
    """Small ASCII letters and the punctuation as it was; other scripts are left as they are."""
    text = text[:_LONGEST]
    if text.isascii():
        return text.lower().replace("`", "'")
    if _MANGLED.search(text):
        with suppress(UnicodeError):
            text = text.encode("cp1252").decode()
    plain = text.translate(_LATIN).lower()
    return plain if plain.isascii() else _without_marks(text)


@lru_cache(maxsize=65_536)
def fold(text: str) -> str:
    """Small ASCII letters, words separated by one space: `Çelik-Özdemir` → `celik ozdemir`, `IJssel` → `yssel`.

    A mark is dropped and nothing is put in its place: `ü` is `u`, as in the Turkish names that are common here, and not
    the German `ue`. To read every `ue` and `oe` as `u` and `o` would make Boer and Bor one name, so Müller and Mueller
    stay two here; `surnames` and `given` join them where no Dutch name can be meant.
    """
    plain = _ascii(text)
    if not (plain.isalpha() and plain.isascii()):
        plain = _NOT_LETTERS.sub(" ", plain)
    return plain.replace("ij", "y")[:_LONGEST].strip()


# ---------------------------------------------------------------- words in a family name


def _kinds(**words: str) -> Mapping[str, str]:
    return {word: kind for kind, listed in words.items() for word in listed.replace("ij", "y").split()}


# What a word in a family name can be, besides a name. The prefixes are those of the population register (BRP, Landelijke
# Tabel 36), as one word each, with their short and glued ways of writing.
_KIND: Final = _kinds(
    # Inside a field these begin another surname ("Jansen van der Berg"), except among Iberian ones.
    prefix="van de der den het ten ter te in op aan bij onder over uit uijt voor von vom zu zum zur im auf aus af tot toe"
    " thoe tho vd vdr vdn vh vt vander vanden vande vant opt opde opden int inde inden aant aande aanden uitt uitde uitden",
    # These may be a surname when nothing else is there (Vietnamese Le, Surinamese Das).
    particle="la las los le les lo du da dal dalla das del della dei degli des di do dos",
    # Arabic and Berber articles and "sons of" are prefixes too, unless they follow a head.
    article="el al ben bin ibn ait oulad ould",
    # Arabic heads are part of the name: spaced, hyphened and glued are the same, so they are glued.
    head="bel bou abou abu abd abdel abdul abdoel",
    # Dropped when something else remains: "P. de Heer" is a Heer.
    title="dhr mw mevr mevrouw mej mejuffrouw meneer mijnheer heer hr heren dames drs dr ir mr mrs ms ing prof bc msc bsc"
    " fam familie gezin erven jr sr junior senior jhr jkvr",
    # Between the own name and the partner's.
    between="ev geb geboren gehuwd geh wed weduwe weduwnaar wedn echtgenote echtgenoot echtg gescheiden gesch partner"
    " genaamd voorheen met",
    # Between two people.
    another="en of",
    legal="bv nv vof cv maatschap eenmanszaak firma ltd gmbh inc gebr gebroeders zn zonen",
    trade="bakkerij slagerij kwekerij drukkerij wasserij stoffeerderij makelaardij schildersbedrijf bouwbedrijf"
    " klussenbedrijf schoonmaakbedrijf installatiebedrijf timmerbedrijf hoveniersbedrijf loodgietersbedrijf autobedrijf"
    " schilderwerken timmerwerken stukadoors loodgieters kapsalon schoonheidssalon restaurant cafetaria pizzeria snackbar"
    " supermarkt autorijschool rijschool apotheek adviesbureau praktijk dienstverlening onderneming handelsonderneming",
    # These are also surnames, so they are trades only behind a name, or beside a legal form.
    perhaps="hovenier loodgieter stukadoor glazenwasser dakdekker tegelzetter taxi kapper koerier"
    " bouw handel beheer holding groep group transport transporten logistiek advies consultancy consulting"
    " management services service design media events catering horeca techniek installatie installaties montage onderhoud"
    " klussen schoonmaak zorg thuiszorg auto autos trading international nederland vastgoed investments beleggingen"
    " verhuur import export administratie solutions ict company co zoon partners winkel shop store studio salon bloemen"
    " tuinen hoveniers garage cafe hotel bureau diensten",
    body="stichting vereniging gemeente cooperatie woningcorporatie ministerie",
    filler="onbekend unknown nvt nnb xxx xxxx anoniem",
)  # fmt: skip
_TRADES: Final = ("bedryf", "bedryven", "werken", "handel")
_IBERIAN: Final = frozenset({"da", "dal", "das", "del", "do", "dos", "la", "las", "los"})
# Initials of more than one letter.
_LONG_INITIALS: Final = frozenset(
    {"th", "ch", "chr", "ph", "fr", "ij", "st", "tj", "sj", "tsj", "jac", "joh", "wm"}
)

# What is written with points or strokes, and means a word above, a border (|), or a trade name from here on (#).
_SHORT = re.compile(
    r"(?<![a-z])(?:(?P<between>e ?/ ?v|e\. ?v|v ?/ ?h|a\.k\.a)|(?P<another>e ?/ ?o|en ?/ ?of)"
    r"|(?P<trade>h ?/ ?o|h\. ?o|t\. ?h\. ?o\. ?d\. ?n|o\. ?d\. ?n|p ?/ ?a|c ?/ ?o|handelend onder)"
    r"|v ?/ ?(?P<prefix>[dt])"
    r"|(?P<legal>[bcn]\. ?v|v\. ?o\. ?f|& ?zn|& ?zonen))(?![a-z])\.?"
)
_ELISION = re.compile(r"(?<![a-z])(d|l|t|s|dall|dell)'")
_TOKEN = re.compile(r"[a-z]+\.?|[-,/+&;|#()\[\]<>=:_\n]")

# A prefix glued to a name: what remains must be a word, so Terpstra (pstra) keeps its head. `van` leaves three letters
# (Vandijk), the others four. De and den are glued only to names with which they are common: Dekker is no Kker.
_WORD = (
    r"(?:sch|s[klmnpt]|[bcfgkp][lr]|[dtvw]r|vl|kn|zw|gn|[ckpstw]h|[b-df-hj-np-tv-xz](?=[aeiouy])|(?=[aeiouy]))"
    r"(?=[a-z]*[aeiouy])"
)
_GLUED = re.compile(
    rf"(?:vanden|vander|vande(?!venter|ursen|lden|lft|dem|elen|inse|yl|yck|yk|ssel)|vanhet"
    r"|opde[nr]?|opt(?=[ghklsvwz])|inden?|int(?=[hkvwz])|aande[nr]?|aant(?=[hkvwz])|uitde[nr]?|ten|ter)"
    rf"(?=[a-z]{{4}})(?={_WORD})|(?:vant(?=[ghklsvwz])|van|vd[nr]?)(?=[a-z]{{3}})(?={_WORD})"
    r"|de(?=(?:jonge?|vries|boer|groote?|bruyne?|bruin|witt?e?|graaff?|haan|haas|koning|leeuw|lange|vos|smedt?|clercq"
    r"|wolff?|winter|roos|rooy|regt|zwart|jager|klerk|kort|kroon|nys|pauw|ruyter|waal|weerd|wilde|wind|kock)$)"
    r"|den(?=(?:boer|hollander|ouden|hartog|hertog|haan|dekker|besten|braber|uyl|toom|brok|heyer|hoed|otter|dryver)$)"
)
# El, al, ben and ait before what is not the end of a Dutch, Turkish or other European name: Elidrissi, but Elbers, Alkema.
_ARTICLE = re.compile(
    r"(?:(?:el|al(?!kaya|demir|bayrak|dogan))(?=[a-z]{4}|ali$)(?!(?:(?!ou|ss|[gks]h|h[ai]|y|mz)[a-z])*a$)"
    r"|(?:ben|ait|oulad|ould)(?=[a-z]{3}))"
    r"(?![a-z]*(?:([bcdfghjklmnpqrstvwxz])(?!\1|h)[bcdfgklmnpqrstvwxz]"
    r"|ma|en|(?<!a[a-z])(?<!a[a-z]{2})er|e|man|aar|hof|[ui]s|ez|[ou][mn]|em|or|et|ut|oek|[ei][kl]|o)$)"
)
# German writing of Turkish names: "Oeztuerk", "Soenmez". Dutch has many names with oe and hardly any with ue.
_UMLAUT = re.compile(r"ue+")
_UMLAUT_O = re.compile(r"^oe+(?=z)|oe+(?=nmez)")
_MAYBE_GLUED: Final = ("van", "vd", "te", "de", "op", "in", "aan", "uit", "el", "al", "ben", "ait", "oul")


def _kind(word: str) -> str:
    return _KIND.get(word) or ("trade" if word.endswith(_TRADES) and len(word) > 8 else "")


def _without_umlauts(word: str) -> str:
    """A word without the e of a German umlaut, where no Dutch name can be meant."""
    if "ue" in word:
        plain = _UMLAUT.sub("u", word).replace("oe", "o")
    elif "oe" in word:
        plain = _UMLAUT_O.sub("o", word)
    else:
        return word
    return word if len(plain) < 3 or plain in _KIND else plain


def _bare(word: str) -> str:
    """A word without the prefixes that are glued to it."""
    if not word.startswith(_MAYBE_GLUED):
        return word
    while found := _GLUED.match(word) or _ARTICLE.match(word):
        rest = word[found.end() :]
        if rest in _KIND:
            break
        word = rest
    return word


def _core(word: str) -> str:
    """A word without glued prefixes and without umlauts; taking one off may uncover the other."""
    while (core := _bare(_without_umlauts(word))) != word:
        word = core
    return word


def _segments(text: str) -> Iterator[list[tuple[str, str, bool]]]:
    """The words between two borders, each with its kind and whether it stands behind a comma."""
    words: list[tuple[str, str, bool]] = []
    behind = False
    for token in _TOKEN.findall(text):
        word = token.rstrip(".")
        if token == ",":
            behind = True
        elif token == "-" and words and words[-1][1] in ("article", "head"):
            continue
        elif not word.isalpha():
            yield words
            words, behind = [], False
            if token == "#":
                words.append(("", "trade name", False))
        elif len(word) > 1 and not (token.endswith(".") and word in _LONG_INITIALS):
            kind = _kind(word)
            if kind in ("between", "another"):
                yield words
                words, behind = [("", kind, False)] if kind == "another" else [], False
            else:
                words.append((word, kind, behind))
    yield words


def _names(words: list[tuple[str, str, bool]]) -> Iterator[list[str]]:
    """The names among the words between two borders, prefixes dropped and heads glued on."""
    iberian = any(word in _IBERIAN for word, _, _ in words)
    names: list[list[str]] = [[]]
    head = ""
    for word, kind, behind in words:
        if kind == "head" or (kind == "article" and head):
            head += word
        elif kind == "prefix":
            if names[-1] and not iberian:
                names.append([])
        elif kind in ("", "trade", "perhaps") and not (behind and names[0]):
            names[-1].append(_core(head + word))
            head = ""
    if head and not names[0]:
        names[0].append(head)
    return (name for name in names if name)


@lru_cache(maxsize=65_536)
def surnames(family_name: str, prefix: str = "") -> tuple[str, ...]:
    """Every surname in a field, folded, without prefix, titles and initials; sorted, each once.

    Own and partner name are two surnames, whatever parts them (`-`, `/`, `e/v`, `geb.`, or the second one's Dutch prefix),
    in either order; of two people (`en`, `of`, `en/of`) the first is meant, as with their initials. Words that only a blank
    parts are one surname (`dos Santos Silva`). A prefix counts neither before,
    nor behind, nor glued, nor in a field of its own, nor left out. El, al, ben and ait are prefixes, also glued where the
    rest looks Arabic; Abd and Abou are part of the name, so that `Abd el Kader` and `Abdelkader` are one. An `oe` or `ue` that
    must be an umlaut is one (`Oeztuerk`). Of a company or a sole trader a person's name is left (`Jansen Bouw B.V.`,
    `J. Jansen h/o De Korenbloem`), or nothing.
    """
    text = _ascii(family_name)
    if not text.isalpha():
        text = _SHORT.sub(_in_full, text)
        if "'" in text:
            text = _ELISION.sub(r"\1 ", text).replace("'", "")
    found = _found(text.replace("ij", "y"))
    if not found and prefix and family_name != prefix:
        return surnames(prefix)
    return tuple(sorted({" ".join(name) for name in found}))


def _in_full(short: re.Match[str]) -> str:
    if short["prefix"]:
        return f"v{short['prefix']} "
    if short["another"]:
        return " en "
    return "|" if short["between"] else "#" if short["trade"] else " bv "


def _found(text: str) -> list[list[str]]:
    """All names in a field, in the order in which they stand."""
    names: list[list[str]] = []
    kept: list[str] = []
    kinds: set[str] = set()
    for words in _segments(text):
        if words and words[0][1] in ("trade name", "another"):
            if names:
                break
            words = words[1:]
        kinds.update(kind for _, kind, _ in words)
        names.extend(_names(words))
        kept.extend(word for word, kind, _ in words if kind in ("title", "particle", "article"))
    if "body" in kinds:
        return []
    names = [said for name in names if (said := [word for word in name if _can_be_said(word)])] or names
    if not kinds.isdisjoint(("trade", "perhaps", "legal")):
        return _people(names, "legal" in kinds or "trade" in kinds)
    return names or [kept[-1:]] if kept else names


def _people(names: list[list[str]], company: bool) -> list[list[str]]:
    """What is left of a company's name without its trade, and without the first name in front."""
    names = [left for name in names if (left := [word for word in name if _kind(word) != "trade"])]
    if company:
        names = [
            left for name in names if (left := [word for word in name if _kind(word) != "perhaps"])
        ] or names
    for name in names:
        traded = company
        while len(name) > 1 and _kind(name[-1]) == "perhaps":
            name.pop()
            traded = True
        while traded and len(name) > 1 and name[0] in _groups():
            name.pop(0)
    if company:
        names = [name for name in names if len(name) > 1 or name[0] not in _groups()] or names
    return names


def _can_be_said(word: str) -> bool:
    """Not what is left of initials: "JP" before "de Vries"."""
    return len(word) > 4 or not _VOWELS.isdisjoint(word)


# ---------------------------------------------------------------- sound

_SOUNDS = re.compile(
    r"(?P<s>t?sch|tsj|tch|s[hjz]|cz|[dt][sz]|c(?=[eiy])|z)|(?P<g>[cgk]h)|(?P<k>ck|c|q)|(?P<ks>x)|(?P<t>dt|th|d)"
    r"|(?P<u>(?<=[aeou])uw|(?<=[aeou])w(?![aeiouy]))|(?P<f>ph|[vw])|(?P<silent>(?<=.)h)"
)
_DOUBLE = re.compile(r"(.)\1+")
_WITHOUT_VOWELS = str.maketrans("", "", "aeiouyj")


@lru_cache(maxsize=65_536)
def sound(surname: str) -> str:
    """A key that surnames which sound alike share, for finding candidates; it decides nothing. Never empty: `-` for none.

    Consonants that Dutch ears and clerks confuse become one (ck/k/q, c/s/z/sch/sj, ch/g/kh, d/dt/t/th, f/ph/v/w), h after
    the first letter is silent, double letters are single, and of the vowels only that a name begins with one remains.
    So Meijer, Meyer, Maier and Mayr are `mr`, and a wrong vowel changes nothing.
    """
    key = _SOUNDS.sub(_as_heard, fold(surname).replace(" ", ""))
    key = _DOUBLE.sub(r"\1", key)
    rest = key.lstrip("aeiouy")
    head = "a" if len(rest) < len(key) else rest[:1]
    return head + rest[0 if head == "a" else 1 :].translate(_WITHOUT_VOWELS) or "-"


def _as_heard(found: re.Match[str]) -> str:
    heard = found.lastgroup or ""
    return "" if heard == "silent" else heard


# ---------------------------------------------------------------- initials and first names

_PIECE = re.compile(r"[^\W\d_]+\.?|-")
_QUOTE = re.compile(r"[(\[\"'“”„‘’«]")
_IN_WORD = re.compile(r"(?<=[^\W\d_])['’‘`´](?=[^\W\d_])")
_MUTE = re.compile(r"[^aeiouy]{4}")
_ELIDED = re.compile(r"\b\w['’‘`´]")
# Letters between points that are no initials: "V.O.F.", "N.N.", and in a field of one case also "v.d.", "e.v.".
_COMPANIES: Final = frozenset({"", "bv", "nv", "cv", "vof", "nn"})
_SHORT_WORDS: Final = _COMPANIES | {"v", "vd", "vdr", "vdn", "vt", "vh", "d", "t", "s", "l", "ev", "ho"}
# "Abd el Kader", "Abdel Kader" and "Abdelkader" are one name.
_SERVANT: Final = frozenset({"abd", "abdel", "abdul", "abdoel", "abdal", "abu", "abou"})


# The usual case: single letters with something between them.
_SPACED_INITIALS = re.compile(r"(?:[A-Za-z](?:\. ?| )){0,9}[A-Za-z]\.?")
# Two people in one field: "J. en/of M.".
_ANOTHER = re.compile(r"\s(?:en|of|en/of|e/o)\s.*|[&+;|].*", re.DOTALL | re.IGNORECASE)


def _first_person(text: str) -> str:
    return _ANOTHER.sub("", text[:_LONGEST])


def _pieces(text: str) -> list[str]:
    """The words of a field as written, each with the point behind it, and the hyphens."""
    return _PIECE.findall(text if text.isascii() else unicodedata.normalize("NFC", text))


def _word(piece: str) -> str:
    """A piece folded to one word, also where a letter of another script stands in it."""
    word = fold(piece)
    return _without_umlauts(word.replace(" ", "").replace("ij", "y") if " " in word else word)


def _is_name(written: str, word: str) -> bool:
    """Whether a word among initials is a first name.

    Written in one case (JAN, jpm) up to four letters are initials, and more are a name when they can be spoken. In mixed
    case (Jan) three letters with a vowel are a name; two are one when given.yaml knows it (Ed).
    """
    if _VOWELS.isdisjoint(word):
        return False
    if written.isupper() or written.islower():
        return len(word) > _MOST_INITIALS and not _MUTE.search(word)
    return len(word) > 2 or word in _groups()


@lru_cache(maxsize=65_536)
def _among_initials(text: str) -> tuple[str, tuple[str, ...]]:
    """The letters in an initials field, and the first names that somebody wrote there."""
    if _SPACED_INITIALS.fullmatch(text):
        return _NOT_LETTERS.sub("", text.lower()), ()
    letters = ""
    names: list[str] = []
    pieces = [
        (piece.rstrip("."), piece.endswith("."))
        for piece in _pieces(_IN_WORD.sub("", _first_person(text)))
        if piece != "-"
    ]
    for written, dotted in pieces:
        word = _word(written)
        kind = _KIND.get(word)
        if not word or kind == "filler" or (kind in ("prefix", "title") and len(pieces) > 1):
            continue
        long_initial = dotted or not (written.isupper() or written.islower())
        if len(word) == 1 and (len(written) == 1 or written != "ij" or dotted):
            letters += word
        elif word in _LONG_INITIALS and long_initial:
            letters += word[0]
        elif _is_name(written, word):
            letters += word[0]
            names.append(word)
        else:
            letters += _NOT_LETTERS.sub("", _ascii(written))
    return letters, tuple(names)


@lru_cache(maxsize=65_536)
def _forenames(text: str) -> tuple[str, tuple[str, ...]]:
    """First letters and first names in a field of first names. A roepnaam between brackets or quotes has no letter."""
    own = _IN_WORD.sub("", _first_person(text))
    found = _QUOTE.search(own)
    if found is None:
        return _proper(own)
    letters, names = _proper(own[: found.start()])
    others, called = _proper(own[found.end() :])
    return letters or others, names + called


def _proper(text: str) -> tuple[str, tuple[str, ...]]:
    """First letters and first names of one person. Of Anne-Marie there are anne, marie and annemarie."""
    letters, before, joined = "", "", False
    names: list[str] = []
    pieces = _pieces(text)
    for piece in pieces:
        if piece == "-":
            joined = True
            continue
        word = _word(piece)
        kind = _KIND.get(word)
        if not word or kind == "filler" or (kind in ("prefix", "title") and len(pieces) > 1):
            continue
        if len(word) == 1 or (piece.endswith(".") and word in _LONG_INITIALS):
            letters, before = letters + word[0], ""
        elif len(word) <= _MOST_INITIALS and _VOWELS.isdisjoint(word):
            letters, before = letters + word, ""
        elif before in _SERVANT:
            before = names[-1] = _without_umlauts(before + word)
        elif word != "el":
            letters += word[0]
            names.append(word)
            if joined and before:
                names.append(_without_umlauts(f"{before}{word}".replace("ij", "y")))
            before = word
        joined = False
    return letters, tuple(names)


@lru_cache(maxsize=65_536)
def _before_surname(family_name: str) -> str:
    """The initials that somebody wrote in the family name's field; not the letters of a shortened prefix.

    In a field of mixed case initials are capitals (`V.d. Berg` is a prefix all the same); else `v d` is a prefix.
    """
    text = _ELIDED.sub("", _first_person(family_name))
    mixed = not (text.isupper() or text.islower())
    letters = run = ""
    for index, piece in enumerate(_pieces(text)):
        word = _word(piece)
        capital = piece.rstrip(".").isupper()
        if len(word) == 1 or (piece.endswith(".") and word in _LONG_INITIALS):
            if capital or piece[0].isupper() or not mixed:
                run += word[0]
            elif run == "v":
                run = ""
            continue
        if run not in (_COMPANIES if mixed else _SHORT_WORDS):
            letters += run
        run = ""
        if (
            not index
            and mixed
            and capital
            and len(word) < 4
            and _VOWELS.isdisjoint(word)
            and word not in _KIND
        ):
            letters = word
    return letters if run in (_COMPANIES if mixed else _SHORT_WORDS) else letters + run


def initials(initials: str, first_names: str = "", family_name: str = "") -> str:
    """The first letters of the first names, in order, four at most: `J.P.M.`, `JPM` and `j p m` are `jpm`.

    A name of several letters counts once (`Th.M.` is `tm`, `IJ.` is `y`, `Jan` is `j`; `_is_name` says what is a name).
    When the first names say more (`J.` and `Jan Peter`), they count. Only when both are empty the family name's field is
    looked at (`Vries, J.P. de`).
    """
    letters = _among_initials(initials)[0] if initials else ""
    if first_names:
        more = _forenames(first_names)[0]
        if more.startswith(letters):
            letters = more
    if not letters and family_name:
        letters = _before_surname(family_name)
    letters = letters[:_MOST_INITIALS]
    return "" if _KIND.get(letters) == "filler" else letters


def given(first_names: str, initials: str = "") -> tuple[str, ...]:
    """Folded first names, each once, in order: also a roepnaam between brackets, and a name in the initials field."""
    found = _forenames(first_names)[1] if first_names else ()
    if initials:
        found += _among_initials(initials)[1]
    return tuple(dict.fromkeys(found)) if len(found) > 1 else found


@cache
def _groups() -> Mapping[str, tuple[str, ...]]:
    """Name → heads of its groups in given.yaml."""
    declared = yaml.safe_load(Path(__file__).with_name("given.yaml").read_text(encoding="utf-8"))
    groups: dict[str, set[str]] = {}
    for listed in declared.values():
        for head, names in listed.items():
            for name in (head, *names.split()):
                groups.setdefault(_word(name), set()).add(_word(head))
    return {name: tuple(sorted(heads)) for name, heads in groups.items()}


def aliases(name: str) -> tuple[str, ...]:
    """The groups of a first name as `given` gives it, sorted (`bert` → `albertus`, `lambertus` …); without any, the name.

    Two names are the same person's exactly when their aliases overlap, so these can be compared in place of names.
    """
    return _groups().get(name) or (name,)


@cache
def _letters() -> Mapping[str, str]:
    """Head of a group in given.yaml → the first letters of all its names."""
    letters: dict[str, set[str]] = {}
    for name, heads in _groups().items():
        for head in heads:
            letters.setdefault(head, {head[0]}).add(name[0])
    return {head: "".join(sorted(found)) for head, found in letters.items()}


@cache
def called_pairs() -> frozenset[str]:
    """Two letters each, both ways: what a name of given.yaml begins with, and another name of the same person."""
    pairs = {name[0] + head[0] for name, heads in _groups().items() for head in heads if name[0] != head[0]}
    return frozenset(pairs | {pair[::-1] for pair in pairs})


def called(alike: Iterable[str]) -> str:
    """The letters that whoever has these `aliases` may be called by, sorted: of Johannes, who is Hans or Jan, `hj` and more."""
    return "".join(sorted({letter for head in alike for letter in _letters().get(head, head[:1])}))


def same_given(a: str, b: str) -> bool:
    """Whether two first names may be one person's: Jan and Johannes, Bert and Lambertus, Mo and Muhammad."""
    left, right = _word(a), _word(b)
    return bool(left) and not set(aliases(left)).isdisjoint(aliases(right))
