"""A fictional national register of persons behind the shape of the real API, and a fictional debt-help register.

Only what Bereik asks of them: three ways to ask for persons (BRP Personen bevragen v2) and one yes or no. It is as strict as
the real one, so that a question which the real one would refuse is refused here too. Everybody in it is fictional: numbers are
of the test range 99999xxxx. Run: python -m bereik.fiction.brp FILE PORT
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from bereik.brp import KNOWN, PERSONEN
from bereik.fiction.people import Household, Person, mix
from bereik.signal import is_bsn

TOKEN = "/oauth/token"

_COMMON = {"type", "fields", "gemeenteVanInschrijving"}
_SEARCHES: Mapping[str, tuple[set[str], set[str]]] = {
    # type: what must be there, what may be
    "ZoekMetPostcodeEnHuisnummer": (
        {"postcode", "huisnummer"},
        {"huisletter", "huisnummertoevoeging", "geboortedatum", "inclusiefOverledenPersonen"},
    ),
    "ZoekMetGeslachtsnaamEnGeboortedatum": (
        {"geslachtsnaam", "geboortedatum"},
        {"voornamen", "voorvoegsel", "geslacht", "inclusiefOverledenPersonen"},
    ),
    "RaadpleegMetBurgerservicenummer": ({"burgerservicenummer"}, set()),
}
# A search gives no address of its own: that is what a single record is asked for.
_NOT_IN_SEARCH = ("verblijfplaats",)
# What comes with an answer although nobody can ask for it.
_ALWAYS = ("opschortingBijhouding", "geheimhoudingPersoonsgegevens")


def numbers() -> Iterator[str]:
    """Every citizen service number of the test range, in order; there are 909 of them."""
    return (text for last in range(10_000) if is_bsn(text := f"99999{last:04d}"))


def person(
    bsn: str,
    surname: str,
    birth_date: str,
    *,
    municipality: str,
    postcode: str,
    house_number: int,
    initials: str = "",
    prefix: str = "",
    letter: str = "",
    addition: str = "",
    suspended: str = "",
    investigated: bool = False,
    secret: bool = False,
) -> dict[str, Any]:
    """A record as the register holds it. `suspended`: O died, E emigrated, F made by mistake."""
    home = {
        "postcode": postcode,
        "huisnummer": house_number,
        **({"huisletter": letter} if letter else {}),
        **({"huisnummertoevoeging": addition} if addition else {}),
    }
    stay: dict[str, Any] = {"type": "Adres", "verblijfadres": home}
    if investigated:
        stay["inOnderzoek"] = {"type": True}
    return {
        "burgerservicenummer": bsn,
        "naam": {
            "geslachtsnaam": surname,
            **({"voorletters": initials} if initials else {}),
            **({"voorvoegsel": prefix} if prefix else {}),
        },
        "geboorte": {"datum": {"type": "Datum", "datum": birth_date, "langFormaat": birth_date}},
        "gemeenteVanInschrijving": {"code": municipality, "omschrijving": municipality},
        "verblijfplaats": stay,
        **({"opschortingBijhouding": {"reden": {"code": suspended}}} if suspended else {}),
        **({"geheimhoudingPersoonsgegevens": True} if secret else {}),
    }


def residents(
    reported: Sequence[tuple[Person, Household, bool]], municipalities: Sequence[str], seed: int
) -> dict[str, list[Any]]:
    """What the registers hold of these people, as far as there are numbers: the first ones get them.

    Each lives where the fiction says, at the shares of `mix.yaml` with something else; of whom the last value is true
    (a story is about them) everything is as it was reported.
    """
    shares, chance = mix()["register"], Random(f"{seed}|register")
    found: dict[str, list[Any]] = {"personen": [], "bekend": []}
    for (who, home, plain), bsn in zip(reported, numbers(), strict=False):
        befell = {name: not plain and chance.random() < share for name, share in shares.items()}
        elsewhere = next((code for code in municipalities if code != home.municipality), "9999")
        if befell["known"]:
            found["bekend"].append(bsn)
        found["personen"].append(
            person(
                bsn,
                who.surname,
                who.birth_date.isoformat(),
                municipality=elsewhere if befell["moved"] else home.municipality,
                postcode=home.postcode,
                house_number=home.house_number,
                initials=who.initials,
                prefix=who.prefix,
                letter=home.letter,
                addition=home.addition,
                suspended="O" if befell["deceased"] else "",
                investigated=befell["investigated"],
            )
        )
    return found


@dataclass(slots=True)
class Desk:
    """Who is registered, who is known to debt help, and what was asked (field names only)."""

    people: Callable[[], Sequence[Mapping[str, Any]]]
    known: Callable[[], set[str]] = set
    key: str = ""
    client: tuple[str, str] = ("", "")
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    away: bool = False


def app(desk: Desk) -> FastAPI:
    """The two registers over HTTP."""
    site = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    def allowed(request: Request) -> bool:
        given = request.headers.get("x-api-key") or request.headers.get("authorization", "").removeprefix(
            "Bearer "
        )
        return not desk.key or given == desk.key

    @site.middleware("http")
    async def gate(request: Request, call_next: Callable[[Request], Any]) -> Any:
        if desk.away:
            return _problem(503, "notAvailable", "Bronservice niet beschikbaar.")
        if request.url.path != TOKEN and not allowed(request):
            return _problem(401, "authentication", "Niet correct geauthenticeerd.")
        return await call_next(request)

    @site.post(TOKEN)
    async def token(request: Request) -> Any:
        body = dict(part.split("=", 1) for part in (await request.body()).decode().split("&") if "=" in part)
        if (body.get("client_id"), body.get("client_secret")) != desk.client or body.get(
            "grant_type"
        ) != "client_credentials":
            return _problem(401, "authentication", "Niet correct geauthenticeerd.")
        return {"access_token": desk.key, "token_type": "Bearer", "expires_in": 300}

    @site.post(PERSONEN)
    async def personen(request: Request) -> Any:
        try:
            body = await request.json()
        except ValueError:
            body = None
        if not isinstance(body, dict) or body.get("type") not in _SEARCHES:
            return _problem(400, "paramsValidation", "Type is onbekend of ontbreekt.")
        wrong = _wrong(body)
        if wrong:
            return _problem(400, "paramsValidation", "Een of meerdere parameters zijn niet correct.", wrong)
        desk.asked.append((body["type"], tuple(body["fields"])))
        found = [one for one in desk.people() if _meant(one, body)]
        if body["type"] != "RaadpleegMetBurgerservicenummer" and len(found) > 30:
            return _problem(400, "tooManyResults", "Teveel zoekresultaten.")
        return {"type": body["type"], "personen": [_shown(one, body["fields"]) for one in found]}

    @site.post(KNOWN)
    async def bekend(request: Request) -> Any:
        body = await request.json()
        bsn = body.get("burgerservicenummer") if isinstance(body, dict) else None
        if not isinstance(bsn, str) or not is_bsn(bsn):
            return _problem(400, "paramsValidation", "Geen burgerservicenummer.", ["burgerservicenummer"])
        return {"bekend": bsn in desk.known()}

    return site


def _problem(status: int, code: str, title: str, names: Sequence[str] = ()) -> JSONResponse:
    body = {
        "status": status,
        "code": code,
        "title": title,
        "invalidParams": [{"name": name} for name in names],
    }
    return JSONResponse(body, status, media_type="application/problem+json")


def _wrong(body: Mapping[str, Any]) -> list[str]:
    """Names of the parameters that are missing, unknown or of the wrong kind."""
    must, may = _SEARCHES[body["type"]]
    wrong = [name for name in must if not body.get(name)]
    wrong += [name for name in body if name not in must | may | _COMMON]
    fields = body.get("fields")
    if not isinstance(fields, list) or not fields or not all(isinstance(name, str) for name in fields):
        wrong.append("fields")
    elif body["type"] != "RaadpleegMetBurgerservicenummer":
        wrong += [name for name in fields if name.split(".")[0] in _NOT_IN_SEARCH]
    if isinstance(fields, list):
        wrong += [name for name in fields if isinstance(name, str) and name.split(".")[0] in _ALWAYS]
    if body["type"] == "RaadpleegMetBurgerservicenummer":
        asked = body.get("burgerservicenummer")
        if not isinstance(asked, list) or not 1 <= len(asked) <= 20:
            wrong.append("burgerservicenummer")
    if body["type"] == "ZoekMetPostcodeEnHuisnummer" and not isinstance(body.get("huisnummer"), int):
        wrong.append("huisnummer")
    return sorted(set(wrong))


def _meant(one: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    name, born = one["naam"], one["geboorte"]["datum"].get("datum")
    home = one["verblijfplaats"].get("verblijfadres", {})
    died = one.get("opschortingBijhouding", {}).get("reden", {}).get("code") == "O"
    if body["type"] == "RaadpleegMetBurgerservicenummer":
        return one["burgerservicenummer"] in body["burgerservicenummer"]
    if died and not body.get("inclusiefOverledenPersonen"):
        return False
    if body.get("geboortedatum") and body["geboortedatum"] != born:
        return False
    if body["type"] == "ZoekMetPostcodeEnHuisnummer":
        return (home.get("postcode"), home.get("huisnummer")) == (body["postcode"], body["huisnummer"])
    # The register compares without regard to capitals.
    return str(name["geslachtsnaam"]).casefold() == str(body["geslachtsnaam"]).casefold()


def _shown(one: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """Only what was asked, and what always comes."""
    found: dict[str, Any] = {name: one[name] for name in _ALWAYS if name in one}
    for path in fields:
        _copy(one, found, path.split("."))
    return found


def _copy(source: Mapping[str, Any], target: dict[str, Any], path: Sequence[str]) -> None:
    head, *rest = path
    if head not in source:
        return
    if not rest:
        target[head] = source[head]
        return
    inside = target.setdefault(head, {})
    for name in ("type", "inOnderzoek"):
        if name in source[head]:
            inside.setdefault(name, source[head][name])
    _copy(source[head], inside, rest)


def from_file(path: Path) -> Desk:
    """A desk whose people stand in a JSON file: {"personen": [...], "bekend": [...]}; read again when it changes."""
    held: dict[str, Any] = {"at": -1, "personen": [], "bekend": set()}

    def fresh() -> dict[str, Any]:
        at = path.stat().st_mtime_ns if path.exists() else 0
        if at != held["at"]:
            document = json.loads(path.read_text("utf-8")) if at else {}
            held.update(at=at, personen=document.get("personen", []), bekend=set(document.get("bekend", ())))
        return held

    return Desk(lambda: list(fresh()["personen"]), lambda: set(fresh()["bekend"]))


def main(arguments: Sequence[str]) -> None:
    """Serve the people of a file on a port of this machine."""
    path, port = arguments
    uvicorn.run(
        app(from_file(Path(path))), host="127.0.0.1", port=int(port), log_level="warning", access_log=False
    )


if __name__ == "__main__":
    main(sys.argv[1:])
