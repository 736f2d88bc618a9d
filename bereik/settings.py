"""Settings: what differs between installations. The one list of them, and the one reader.

Every setting is an environment variable; `NAME_FILE` names a file that holds the value instead, which is how containers
get their secrets. docs/deploy.md prints this list; a test keeps both the same.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, urlsplit, urlunsplit

from bereik.errors import LastingError

if TYPE_CHECKING:
    from bereik.bus import Broker

REPOSITORY = Path(__file__).resolve().parent.parent

CONSUMERS = ("intake", "casework", "outreach", "relay", "bridge", "checks")
PROCESSES = (*CONSUMERS, "web", "dags", "operator", "linkage", "delivery")

# In PostgreSQL and in Kafka alike.
LOGINS = tuple(f"bereik_{process}" for process in PROCESSES)
# In Kafka only: whoever brings the events of the national register of persons.
BRP_PRINCIPAL = "register_brp"


class NotConfigured(LastingError):
    """A setting is missing. Start through `bereik up`, or set the variables in docs/deploy.md."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: who reads it, what holds when it is not set (None: it must be), and what it means."""

    name: str
    readers: str
    default: str | None
    meaning: str
    secret: bool = False


_ALL, _PROVISION, _AIRFLOW, _STACK = "every process", "`provision`", "`airflow`", "`up`"

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "BEREIK_PROCESS",
        _ALL,
        "operator",
        "`intake`, `casework`, `outreach`, `relay`, `bridge`, `checks`, `web`, `dags` or `operator`",
    ),
    Setting(
        "BEREIK_HOME",
        _ALL,
        "`.bereik` in the repository",
        "folder of the embedded stack, and of what a process writes",
    ),
    Setting(
        "BEREIK_DATABASE_URL",
        _ALL,
        None,
        "`postgresql://<host>:<port>/bereik`, as `bereik_<process>`; libpq options such as `?sslmode=verify-full` may follow",
        True,
    ),
    Setting("BEREIK_DATABASE_PASSWORD", _ALL, "", "the password, when the address has none", True),
    Setting("BEREIK_KAFKA_BOOTSTRAP", _ALL, None, "`host:port`, several with commas"),
    Setting("BEREIK_KAFKA_USERNAME", _ALL, "`bereik_<process>`", "the principal"),
    Setting("BEREIK_KAFKA_PASSWORD", _ALL, None, "its password", True),
    Setting(
        "BEREIK_KAFKA_SECURITY_PROTOCOL",
        _ALL,
        "SASL_PLAINTEXT",
        "`SASL_SSL` wherever traffic leaves one machine",
    ),
    Setting("BEREIK_KAFKA_MECHANISM", _ALL, "SCRAM-SHA-512", "SASL mechanism"),
    Setting("BEREIK_KAFKA_CA", _ALL, "", "file with the authority that signed the broker's certificate"),
    Setting(
        "BEREIK_KEYS",
        _ALL,
        None,
        'the keyring file: `{"active": "<id>", "keys": {"<id>": "<32 bytes, base64>"}}`. Keep it out of the database\'s back-ups',
    ),
    Setting(
        "BEREIK_LOGINS",
        "Airflow's scheduler",
        "",
        "folder with a password file `bereik_<process>` for each login that a task of its own needs (`linkage`, `delivery`)",
    ),
    Setting("BEREIK_SCHEMAS", _ALL, "`schemas` in the repository", "the declarations"),
    Setting("BEREIK_EXPECTATIONS", _ALL, "`expectations` in the repository", "Great Expectations suites"),
    Setting("BEREIK_DROP", _ALL, "`<home>/drop`", "root of the partners' drop folders"),
    Setting(
        "BEREIK_HEARTBEAT",
        "consumers, `health`",
        "",
        "file that a consumer touches at every turn; `bereik health` looks how old it is",
    ),
    Setting(
        "BEREIK_BRP_URL",
        "`checks`",
        "",
        "where the national register of persons is asked (`…/haalcentraal/api/brp/personen`). Not set: a person checks by hand",
    ),
    Setting("BEREIK_BRP_KEY", "`checks`", "", "its API key", True),
    Setting(
        "BEREIK_BRP_TOKEN_URL", "`checks`", "", "where client credentials are changed for a token (OAuth 2.0)"
    ),
    Setting("BEREIK_BRP_CLIENT", "`checks`", "", "our client id there"),
    Setting("BEREIK_BRP_SECRET", "`checks`", "", "its secret", True),
    Setting(
        "BEREIK_BRP_CA", "`checks`", "", "file with the authority that signed the register's certificate"
    ),
    Setting(
        "BEREIK_BEKEND_URL",
        "`checks`",
        "",
        "where the municipality's own register of debt help answers yes or no. Not set: nobody is asked",
    ),
    Setting("BEREIK_BEKEND_KEY", "`checks`", "", "its API key", True),
    Setting("BEREIK_WEB_HOST", "`web`", "127.0.0.1", "where the board listens"),
    Setting("BEREIK_WEB_PORT", "`web`, `up`", "18080", "on which port"),
    Setting(
        "BEREIK_WEB_URL",
        "`web`, `outreach`",
        "`http://127.0.0.1:<port>`",
        "what people open. With https the cookies are Secure; an OIDC provider sends people back to `<it>/login/callback`",
    ),
    Setting(
        "BEREIK_WEB_LOGIN",
        "`web`",
        None,
        "how people log in: `oidc`, `password` (accounts with a password of ours), or both with a comma",
    ),
    Setting(
        "BEREIK_OIDC_ISSUER",
        "`web`",
        "",
        "the OIDC provider, to the letter as it calls itself; https, except on this machine",
    ),
    Setting("BEREIK_OIDC_CLIENT_ID", "`web`", "", "how the provider knows the board; required with `oidc`"),
    Setting("BEREIK_OIDC_CLIENT_SECRET", "`web`", "", "its secret there; required with `oidc`", True),
    Setting(
        "BEREIK_OIDC_CLAIM",
        "`web`",
        "sub",
        "the claim of the ID token that names an account. Take none that a person can change, or that comes to another later",
    ),
    Setting(
        "BEREIK_OIDC_STRENGTH",
        "`web`",
        "",
        "`<claim>=<value> <value>`: who logs in without one of these values is refused, such as `acr=2 3` or `amr=mfa`",
    ),
    Setting(
        "BEREIK_OIDC_SCOPE", "`web`", "openid", "what is asked for; the claim above may need `openid profile`"
    ),
    Setting(
        "BEREIK_SMTP_URL",
        "`outreach`",
        "",
        "`smtps://user@host`, `smtp://host:587` (STARTTLS where the server has it) or `maildir:<folder>`; not set: mails wait",
    ),
    Setting("BEREIK_SMTP_PASSWORD", "`outreach`", "", "its password", True),
    Setting("BEREIK_MAIL_FROM", "`outreach`", "", "the address that mails come from"),
    Setting(
        "BEREIK_WEBHOOK_SECRETS",
        "`outreach`",
        "",
        'JSON file `{"https://…": "whsec_<base64>"}`, one per webhook; not set: webhooks wait',
    ),
    Setting(
        "BEREIK_FAILPOINT", _ALL, "", "for fault tests only: the named point at which the process ends itself"
    ),
    Setting("BEREIK_OWNER_URL", _PROVISION, None, "the database as `bereik_owner`, who migrates", True),
    Setting("BEREIK_OWNER_PASSWORD", _PROVISION, "", "its password, when the address has none", True),
    Setting(
        "BEREIK_DATABASE_ADMIN_URL",
        _PROVISION,
        "",
        "PostgreSQL as a superuser. Set: databases and login roles are made too. Not set: they are there already",
        True,
    ),
    Setting(
        "BEREIK_DATABASE_ADMIN_PASSWORD", _PROVISION, "", "its password, when the address has none", True
    ),
    Setting(
        "BEREIK_DATABASE_PASSWORDS",
        _PROVISION,
        "",
        'JSON file `{"<role>": "<password>"}` for `bereik_owner`, `airflow` and every `bereik_<process>`; goes with the superuser',
    ),
    Setting("BEREIK_KAFKA_ADMIN_USERNAME", _PROVISION, None, "a super user of the broker"),
    Setting("BEREIK_KAFKA_ADMIN_PASSWORD", _PROVISION, None, "its password", True),
    Setting(
        "BEREIK_KAFKA_PASSWORDS",
        _PROVISION,
        None,
        'JSON file `{"<principal>": "<password>"}` for every `bereik_<process>` and `partner_<id>`',
    ),
    Setting(
        "BEREIK_AIRFLOW_DATABASE_URL",
        _AIRFLOW,
        None,
        "Airflow's own database: `postgresql://airflow@<host>:<port>/airflow`",
        True,
    ),
    Setting(
        "BEREIK_AIRFLOW_DATABASE_PASSWORD", _AIRFLOW, "", "its password, when the address has none", True
    ),
    Setting(
        "BEREIK_AIRFLOW_SECRET",
        _AIRFLOW,
        None,
        "at least 32 characters of chance, the same for all its parts; what they sign and seal hangs on it",
        True,
    ),
    Setting(
        "BEREIK_AIRFLOW_PASSWORD",
        _AIRFLOW,
        None,
        "password of the user `bereik` on its pages; only the API server needs it",
        True,
    ),
    Setting("BEREIK_AIRFLOW_URL", _AIRFLOW, "http://127.0.0.1:18088", "what people open"),
    Setting(
        "BEREIK_AIRFLOW_API",
        _AIRFLOW,
        "as `BEREIK_AIRFLOW_URL`",
        "where its other parts and its tasks reach the API server",
    ),
    Setting("BEREIK_AIRFLOW_HOST", _AIRFLOW, "127.0.0.1", "where the API server listens"),
    Setting("BEREIK_AIRFLOW_PORT", "`airflow`, `up`", "18088", "on which port"),
    Setting(
        "BEREIK_AIRFLOW_LOGS",
        _AIRFLOW,
        "`<home>/airflow/logs`",
        "logs of its tasks; the API server and the scheduler share this folder",
    ),
    Setting("BEREIK_DATABASE_PORT", _STACK, "18432", "the embedded PostgreSQL"),
    Setting("BEREIK_KAFKA_PORT", _STACK, "18092", "the embedded Kafka, for clients"),
    Setting("BEREIK_CONTROLLER_PORT", _STACK, "18093", "the embedded Kafka, for itself"),
    Setting("BEREIK_REGISTER_PORT", _STACK, "18099", "the fictional registers of persons and of debt help"),
    Setting(
        "BEREIK_CACHE",
        _STACK,
        "the user's cache folder, `bereik/`",
        "where the broker's jars are kept, checked by SHA-256 against `requirements/jars.lock`",
    ),
)

_BY_NAME: Mapping[str, Setting] = {one.name: one for one in SETTINGS}


def table() -> str:
    """Every setting as a Markdown table, for docs/deploy.md."""
    lines = ["| variable | read by | default | meaning |", "|---|---|---|---|"]
    for one in SETTINGS:
        default = (
            "required"
            if one.default is None
            else "none"
            if not one.default
            else one.default
            if "`" in one.default or " " in one.default
            else f"`{one.default}`"
        )
        lines.append(f"| `{one.name}` | {one.readers} | {default} | {one.meaning} |")
    return "\n".join(lines) + "\n"


def into(page: str) -> str:
    """A page of documentation with the table of all settings between its two marks."""
    start, end = "<!-- settings -->\n", "<!-- /settings -->"
    before, _, rest = page.partition(start)
    return before + start + table() + end + rest.partition(end)[2]


def home(env: Mapping[str, str]) -> Path:
    """BEREIK_HOME, else `.bereik` in the repository."""
    return Path(env.get("BEREIK_HOME") or REPOSITORY / ".bereik")


def airflow_url(env: Mapping[str, str]) -> str:
    """What people open: BEREIK_AIRFLOW_URL."""
    return (env.get("BEREIK_AIRFLOW_URL") or "http://127.0.0.1:18088").rstrip("/")


def airflow_api(env: Mapping[str, str]) -> str:
    """Where Airflow's parts reach its API server: BEREIK_AIRFLOW_API, else what people open."""
    return (env.get("BEREIK_AIRFLOW_API") or airflow_url(env)).rstrip("/")


def schemas(env: Mapping[str, str]) -> Path:
    """BEREIK_SCHEMAS, else those of the repository."""
    return Path(env.get("BEREIK_SCHEMAS") or REPOSITORY / "schemas")


def read(env: Mapping[str, str]) -> dict[str, str]:
    """The environment with every `NAME_FILE` of ours replaced by what stands in that file.

    Raises `NotConfigured` naming the variable when the file is absent, unreadable or empty, or the value was given twice.
    """
    found = dict(env)
    for name in _BY_NAME:
        path = found.pop(f"{name}_FILE", "")
        if not path:
            continue
        if found.get(name):
            raise NotConfigured(f"{name} and {name}_FILE are both set. Unset one of them.")
        try:
            value = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise NotConfigured(
                f"{name}_FILE names {path}, which cannot be read ({type(error).__name__}). Make the secrets with"
                " `bereik secrets`, and let this user read them."
            ) from None
        if not value:
            raise NotConfigured(
                f"{name}_FILE names {path}, which is empty. Make the secrets with `bereik secrets`."
            )
        found[name] = value
    return found


def require(env: Mapping[str, str], *names: str) -> None:
    """Raises `NotConfigured` naming all of these that are not set."""
    missing = [name for name in names if not env.get(name)]
    if missing:
        raise NotConfigured(f"These settings are missing: {', '.join(missing)}. {NotConfigured.__doc__}")


def with_login(url: str, user: str, password: str) -> str:
    """A database's address with this login in it, where it names none of its own."""
    parts = urlsplit(url)
    login, at, host = parts.netloc.rpartition("@")
    if not at:
        login = user
    if password and ":" not in login:
        login += f":{quote(password, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{login}@{host}"))


def with_database(url: str, name: str) -> str:
    """The same server and login, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def database(env: Mapping[str, str], url: str, password: str, user: str) -> str:
    """The address in the variable `url` with the password in the variable `password`, as `user` unless it names another."""
    return with_login(env[url], user, env.get(password, ""))


@dataclass(frozen=True, slots=True)
class Oidc:
    """The OIDC provider that says who somebody is. `strength` is a claim and the values of which one must be there."""

    issuer: str
    client_id: str
    client_secret: str
    claim: str = "sub"
    strength: tuple[str, tuple[str, ...]] | None = None
    scope: str = "openid"


@dataclass(frozen=True, slots=True)
class Entrance:
    """Where people open the board and how they log in: by password, through a provider, or as they choose."""

    url: str
    passwords: bool
    provider: Oidc | None

    @classmethod
    def from_env(cls, env: Mapping[str, str], port: int) -> Self:
        """Raises `NotConfigured`: also when nobody said how people log in, or said two things."""
        ways = {way.strip() for way in env.get("BEREIK_WEB_LOGIN", "").split(",")} - {""}
        if not ways or ways - {"oidc", "password"}:
            raise NotConfigured("BEREIK_WEB_LOGIN must be `oidc`, `password`, or both with a comma.")
        url = (env.get("BEREIK_WEB_URL") or f"http://127.0.0.1:{port}").rstrip("/")
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise NotConfigured("BEREIK_WEB_URL must be what people open, such as https://bereik.example.")
        if "oidc" not in ways and env.get("BEREIK_OIDC_ISSUER"):
            raise NotConfigured(
                "BEREIK_OIDC_ISSUER is set and BEREIK_WEB_LOGIN does not name `oidc`. Unset the one or mend the other."
            )
        return cls(url, "password" in ways, _oidc(env, url) if "oidc" in ways else None)


def _oidc(env: Mapping[str, str], url: str) -> Oidc:
    require(env, "BEREIK_OIDC_ISSUER", "BEREIK_OIDC_CLIENT_ID", "BEREIK_OIDC_CLIENT_SECRET")
    for name, address in (("BEREIK_OIDC_ISSUER", env["BEREIK_OIDC_ISSUER"]), ("BEREIK_WEB_URL", url)):
        if not is_safe(address):
            raise NotConfigured(f"{name} must begin with https:// (http only on this machine, for trying).")
    strength = None
    if wanted := env.get("BEREIK_OIDC_STRENGTH"):
        claim, equals, values = wanted.partition("=")
        if not (claim.strip() and equals and values.split()):
            raise NotConfigured("BEREIK_OIDC_STRENGTH must be <claim>=<value> <value>, such as acr=2 3.")
        strength = (claim.strip(), tuple(values.split()))
    scope = env.get("BEREIK_OIDC_SCOPE") or "openid"
    if "openid" not in scope.split():
        raise NotConfigured("BEREIK_OIDC_SCOPE must hold `openid`.")
    return Oidc(
        env["BEREIK_OIDC_ISSUER"],
        env["BEREIK_OIDC_CLIENT_ID"],
        env["BEREIK_OIDC_CLIENT_SECRET"],
        env.get("BEREIK_OIDC_CLAIM") or "sub",
        strength,
        scope,
    )


def is_safe(url: str) -> bool:
    """Whether passwords and tokens may go there: https, or a place on this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")
    )


@dataclass(frozen=True, slots=True)
class Register:
    """How a register is reached. Printing it shows nothing."""

    url: str
    key: str = ""
    token_url: str = ""
    client: str = ""
    secret: str = ""
    ca: str = ""

    def __repr__(self) -> str:
        """Never a value."""
        return "Register(***)"


def _brp(env: Mapping[str, str]) -> Register | None:
    """The national register of persons; None where it is not set. Raises `NotConfigured` for half a set."""
    if not env.get("BEREIK_BRP_URL"):
        return None
    if env.get("BEREIK_BRP_TOKEN_URL"):
        require(env, "BEREIK_BRP_CLIENT", "BEREIK_BRP_SECRET")
    return Register(
        env["BEREIK_BRP_URL"],
        env.get("BEREIK_BRP_KEY", ""),
        env.get("BEREIK_BRP_TOKEN_URL", ""),
        env.get("BEREIK_BRP_CLIENT", ""),
        env.get("BEREIK_BRP_SECRET", ""),
        env.get("BEREIK_BRP_CA", ""),
    )


def _known(env: Mapping[str, str]) -> Register | None:
    """The municipality's own register of debt help; None where it is not set."""
    url = env.get("BEREIK_BEKEND_URL")
    return Register(url, env.get("BEREIK_BEKEND_KEY", "")) if url else None


@dataclass(frozen=True, slots=True)
class Settings:
    """What every process of ours is told."""

    process: str
    home: Path
    database_url: str
    broker: Broker
    keys: Path
    schemas: Path
    expectations: Path
    drop: Path
    heartbeat: Path | None
    web_host: str
    web_port: int
    # Of the process `web` only.
    entrance: Entrance | None
    failpoint: str
    web_url: str
    smtp_url: str
    smtp_password: str
    mail_from: str
    webhook_secrets: Path | None
    brp: Register | None = None
    known: Register | None = None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the variables. Raises `NotConfigured` naming all that are missing."""
        # kafka-python takes a while to load, and much of the command line does without.
        from bereik.bus import Broker

        env = read(env)
        require(env, "BEREIK_DATABASE_URL", "BEREIK_KAFKA_BOOTSTRAP", "BEREIK_KAFKA_PASSWORD", "BEREIK_KEYS")
        process = env.get("BEREIK_PROCESS") or "operator"
        principal = env.get("BEREIK_KAFKA_USERNAME") or f"bereik_{process}"
        try:
            web_port = int(env.get("BEREIK_WEB_PORT") or 18080)
        except ValueError:
            raise NotConfigured("BEREIK_WEB_PORT must be a whole number.") from None
        return cls(
            process=process,
            home=home(env),
            database_url=database(
                env, "BEREIK_DATABASE_URL", "BEREIK_DATABASE_PASSWORD", f"bereik_{process}"
            ),
            broker=Broker.from_env(env, principal, env["BEREIK_KAFKA_PASSWORD"]),
            keys=Path(env["BEREIK_KEYS"]),
            schemas=schemas(env),
            expectations=Path(env.get("BEREIK_EXPECTATIONS") or REPOSITORY / "expectations"),
            drop=Path(env.get("BEREIK_DROP") or home(env) / "drop"),
            heartbeat=Path(env["BEREIK_HEARTBEAT"]) if env.get("BEREIK_HEARTBEAT") else None,
            web_host=env.get("BEREIK_WEB_HOST", "127.0.0.1"),
            web_port=web_port,
            entrance=Entrance.from_env(env, web_port) if process == "web" else None,
            failpoint=env.get("BEREIK_FAILPOINT", ""),
            web_url=(env.get("BEREIK_WEB_URL") or f"http://127.0.0.1:{web_port}").rstrip("/"),
            smtp_url=env.get("BEREIK_SMTP_URL", ""),
            smtp_password=env.get("BEREIK_SMTP_PASSWORD", ""),
            mail_from=env.get("BEREIK_MAIL_FROM", ""),
            webhook_secrets=Path(env["BEREIK_WEBHOOK_SECRETS"])
            if env.get("BEREIK_WEBHOOK_SECRETS")
            else None,
            brp=_brp(env),
            known=_known(env),
        )


def command_environment(folder: Path, process: str = "operator") -> dict[str, str]:
    """The caller's settings, or those that the embedded stack wrote for its operator, or for another process.

    Where the caller runs tasks of several logins (Airflow's scheduler), BEREIK_LOGINS has the password of each; in the
    embedded stack it is the file of that process, whatever the caller's own settings are.
    """
    env = dict(os.environ)
    another = process != "operator" and process != env.get("BEREIK_PROCESS")
    if env.get("BEREIK_LOGINS") and another:
        password = str(Path(env["BEREIK_LOGINS"]) / f"bereik_{process}")
        env |= {"BEREIK_PROCESS": process, "BEREIK_KAFKA_USERNAME": f"bereik_{process}"}
        env |= {f"BEREIK_{place}_PASSWORD_FILE": password for place in ("DATABASE", "KAFKA")}
        return env
    file = folder / "env" / f"{process}.env"
    given = env.get("BEREIK_DATABASE_URL") or env.get("BEREIK_DATABASE_URL_FILE")
    # Only a process of this stack has both a name and a file here; a tool's own settings, without a name, stay.
    if file.exists() and (not given or (another and env.get("BEREIK_PROCESS"))):
        env |= dict(line.split("=", 1) for line in file.read_text("utf-8").splitlines() if "=" in line)
    return env
