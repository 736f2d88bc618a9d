"""The ways out of Bereik: e-mail (SMTP) and webhook (Standard Webhooks). An edge: it sends, and decides nothing.

A message that may be taken later raises `EndpointAway`; one that never will be raises `NotTaken`. Errors name the kind of
answer, never what was sent.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import smtplib
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from mailbox import Maildir
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

import orjson

from bereik.errors import LastingError
from bereik.ports import EndpointAway, NoticeRow, NotTaken, Outlet

# A worker's mail may be a minute late; a thread that hangs on a dead server is worth less than the next try.
_PATIENCE_S = 10
_LOCAL = ("127.0.0.1", "localhost", "::1")


class OutletMisconfigured(LastingError):
    """BEREIK_SMTP_URL, BEREIK_MAIL_FROM or BEREIK_WEBHOOK_SECRETS cannot be used. See docs/engineer/alerts.md."""


@dataclass(frozen=True, slots=True)
class Mail:
    """E-mail through an SMTP server, or into a Maildir folder for a first look without a server."""

    url: str
    sender: str
    password: str = ""

    def send(self, notice: NoticeRow) -> None:
        """Hand one mail over. Its Message-ID is the notice's id, so that a mail sent twice is seen to be one."""
        mail = EmailMessage()
        mail["From"], mail["To"] = self.sender, notice.target
        mail["Subject"] = str(notice.message["subject"])
        mail["Date"] = format_datetime(notice.made_at)
        mail["Message-ID"] = f"<{notice.notice_id}@{self.sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        if notice.urgent:
            mail["X-Priority"] = "1"
        mail.set_content(str(notice.message["text"]))
        parts = urlsplit(self.url)
        if parts.scheme == "maildir":
            Maildir(parts.path).add(mail)
            return
        try:
            self._hand_over(mail)
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError, smtplib.SMTPSenderRefused) as error:
            code = _code(error)
            # 4yz: the server asks to try again later (RFC 5321, 4.2.1).
            if 400 <= code < 500:
                raise EndpointAway(f"smtp_{code}") from None
            raise NotTaken(f"smtp_{code}") from None
        except smtplib.SMTPResponseException as error:
            raise EndpointAway(f"smtp_{error.smtp_code}") from None
        except (OSError, smtplib.SMTPException) as error:
            raise EndpointAway(f"smtp_{type(error).__name__}") from None

    def _hand_over(self, mail: EmailMessage) -> None:
        parts = urlsplit(self.url)
        host, secure = parts.hostname or "", parts.scheme == "smtps"
        context = ssl.create_default_context()
        if secure:
            with smtplib.SMTP_SSL(host, parts.port or 465, timeout=_PATIENCE_S, context=context) as server:
                self._log_in(server, unquote(parts.username or ""))
                server.send_message(mail)
            return
        with smtplib.SMTP(host, parts.port or 587, timeout=_PATIENCE_S) as server:
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
            elif parts.username:
                # A password in the clear is worse than a mail that waits.
                raise EndpointAway("smtp_without_tls")
            self._log_in(server, unquote(parts.username or ""))
            server.send_message(mail)

    def _log_in(self, server: smtplib.SMTP, username: str) -> None:
        if username:
            server.login(username, self.password)


def _code(error: smtplib.SMTPException) -> int:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return int(next(iter(error.recipients.values()))[0])
    return int(getattr(error, "smtp_code", 554))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A signed message goes where it was declared to go, and nowhere else."""

    def redirect_request(self, *_: object) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Webhook:
    """HTTPS POST, signed as Standard Webhooks has it: HMAC-SHA256 over `id.timestamp.body`. A secret per endpoint."""

    secrets: Mapping[str, bytes]
    clock: Callable[[], datetime]

    def send(self, notice: NoticeRow) -> None:
        """Post one message; any answer in the 200s takes it. The id stays the same for every try."""
        secret = self.secrets.get(notice.target)
        if secret is None:
            raise EndpointAway("no_secret")
        body = orjson.dumps(
            {
                "type": "nl.bereik.team-gewaarschuwd",
                "timestamp": notice.made_at,
                "data": {
                    "team": notice.team,
                    "urgent": notice.urgent,
                    "alerts": notice.message["alerts"],
                },
            },
            option=orjson.OPT_UTC_Z,
        )
        stamp = str(int(self.clock().timestamp()))
        request = urllib.request.Request(
            notice.target,
            data=body,
            method="POST",
            headers={
                "Content-Type": "application/json",
                "User-Agent": "bereik",
                "webhook-id": notice.notice_id,
                "webhook-timestamp": stamp,
                "webhook-signature": signature(secret, notice.notice_id, stamp, body),
            },
        )
        try:
            with urllib.request.build_opener(_NoRedirect()).open(request, timeout=_PATIENCE_S):
                return
        except urllib.error.HTTPError as error:
            # Only the answers that say "not now" are worth another try (RFC 9110, RFC 6585).
            if error.code in (408, 425, 429) or error.code >= 500:
                raise EndpointAway(f"http_{error.code}") from None
            raise NotTaken(f"http_{error.code}") from None
        except OSError as error:
            raise EndpointAway(f"http_{type(error).__name__}") from None


def signature(secret: bytes, notice_id: str, timestamp: str, body: bytes) -> str:
    """The value of `webhook-signature`."""
    signed = f"{notice_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()


@dataclass(frozen=True, slots=True)
class Outlets:
    """The outlets that this installation has, by kind."""

    kinds: Mapping[str, Outlet]

    @classmethod
    def of(
        cls,
        smtp_url: str,
        smtp_password: str,
        sender: str,
        webhook_secrets: Path | None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> Self:
        """From the settings. Raises `OutletMisconfigured`."""
        kinds: dict[str, Outlet] = {}
        if smtp_url:
            if urlsplit(smtp_url).scheme not in ("smtp", "smtps", "maildir"):
                raise OutletMisconfigured("BEREIK_SMTP_URL must begin with smtp://, smtps:// or maildir:.")
            if "@" not in sender:
                raise OutletMisconfigured("BEREIK_MAIL_FROM must be the address that mails come from.")
            kinds["email"] = Mail(smtp_url, sender, smtp_password)
        if webhook_secrets is not None:
            kinds["webhook"] = Webhook(_secrets(webhook_secrets), clock)
        return cls(kinds)

    def send(self, notice: NoticeRow) -> None:
        """Send by the outlet of its kind. One that is not configured keeps its messages waiting, and says so."""
        outlet = self.kinds.get(notice.outlet)
        if outlet is None:
            raise EndpointAway("not_configured")
        outlet.send(notice)


def _secrets(path: Path) -> dict[str, bytes]:
    """`{"https://…": "whsec_<base64>"}`; plain http only to this machine."""
    told = OutletMisconfigured(
        'BEREIK_WEBHOOK_SECRETS must name a JSON file {"https://…": "whsec_<base64 of 24 bytes or more>"}.'
    )
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        secrets = {
            url: base64.b64decode(text.removeprefix("whsec_"), validate=True) for url, text in found.items()
        }
    except (OSError, ValueError, AttributeError, binascii.Error):
        raise told from None
    for url, secret in secrets.items():
        parts = urlsplit(url)
        if len(secret) < 24 or not (
            parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL)
        ):
            raise told
    return secrets
