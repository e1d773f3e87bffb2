"""Sending messages over SMTP, one after another on one connection.

Each is reported as soon as the mail server has taken it, so that what was sent is known whatever
happens next.
"""

from __future__ import annotations

import contextlib
import email.message
import email.policy
import email.utils
import os
import smtplib
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from imagecycle.errors import ImagecycleError, Unreachable, UsageError
from imagecycle.notices.messages import Message
from imagecycle.site_sections import Smtp

PASSWORD = "IMAGECYCLE_SMTP_PASSWORD"
"""The variable that holds the password"""
_HINT = "check smtp in the site's settings, then run this again: what was sent is not sent again"
_PORTS = {"none": 25, "starttls": 587, "tls": 465}


@dataclass(frozen=True)
class Refusal:
    """A message that the mail server did not take."""

    message: Message
    why: str


def send(
    messages: Sequence[Message], smtp: Smtp, sent: Callable[[Message, Sequence[str]], None]
) -> list[Refusal]:
    """Send messages.

    :param sent: told each message that was taken, and the addresses it was taken for.
    :returns: the messages that were refused; the others have gone out.
    :raises UsageError: when the site's settings do not say how to send.
    :raises ImagecycleError: when the mail server does not answer, or goes away half-way.
    """
    check(smtp)
    refusals = []
    with _connected(smtp) as server:
        for message in messages:
            try:
                refused = server.send_message(_mail(message, smtp))
            except smtplib.SMTPServerDisconnected:
                raise  # not this message's fault
            except smtplib.SMTPRecipientsRefused as error:
                refusals.append(Refusal(message, _words(error.recipients)))
                continue
            except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
                refusals.append(Refusal(message, _said(error.smtp_code, error.smtp_error)))
                continue
            taken = [address for address in message.addresses if address not in refused]
            sent(message, taken)
            if refused:
                refusals.append(Refusal(message, _words(refused)))
    return refusals


def check(smtp: Smtp) -> None:
    """See that the settings are enough to send.

    :raises UsageError: when they are not.
    """
    if not smtp.host or not smtp.sender:
        raise UsageError(
            "the site's settings do not say how to send mail",
            hint="set smtp.host and smtp.sender, or take the messages from --json",
        )
    if smtp.user and not os.environ.get(PASSWORD):
        raise UsageError(
            f"there is no password for {smtp.user} at {smtp.host}",
            hint=f"put it into the environment variable {PASSWORD}",
        )


@contextlib.contextmanager
def _connected(smtp: Smtp) -> Iterator[smtplib.SMTP]:
    where = f"{smtp.host}:{smtp.port or _PORTS[smtp.security]}"
    try:
        with _open(smtp) as server:
            if smtp.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if smtp.user:
                server.login(smtp.user, os.environ[PASSWORD])
            yield server
    except smtplib.SMTPAuthenticationError as error:
        raise ImagecycleError(
            f"the mail server {where} refuses {smtp.user}: "
            f"{_said(error.smtp_code, error.smtp_error)}",
            hint=f"check smtp.user in the site's settings and {PASSWORD}",
        ) from None
    except smtplib.SMTPNotSupportedError as error:
        raise ImagecycleError(f"the mail server {where}: {error}", hint=_HINT) from None
    except smtplib.SMTPResponseException as error:
        said = _said(error.smtp_code, error.smtp_error)
        raise ImagecycleError(f"the mail server {where} says {said}", hint=_HINT) from None
    except (smtplib.SMTPException, OSError) as error:
        raise Unreachable(f"the mail server {where}: {_brief(error)}", hint=_HINT) from None


def _open(smtp: Smtp) -> smtplib.SMTP:
    port = smtp.port or _PORTS[smtp.security]
    if smtp.security == "tls":
        return smtplib.SMTP_SSL(
            smtp.host, port, timeout=smtp.timeout, context=ssl.create_default_context()
        )
    return smtplib.SMTP(smtp.host, port, timeout=smtp.timeout)


def _mail(message: Message, smtp: Smtp) -> email.message.EmailMessage:
    mail = email.message.EmailMessage(policy=email.policy.SMTP)
    mail["From"] = smtp.sender
    mail["To"] = ", ".join(message.addresses)
    mail["Subject"] = message.subject
    mail["Date"] = email.utils.localtime()
    mail["Message-ID"] = f"<{message.id}@{smtp.sender.rpartition('@')[2].strip('<> ')}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answers from absent people
    if smtp.reply_to:
        mail["Reply-To"] = smtp.reply_to
    mail.set_content(message.body)
    return mail


def _words(recipients: dict[str, tuple[int, bytes]]) -> str:
    return "; ".join(f"{who}: {_said(*answer)}" for who, answer in sorted(recipients.items()))


def _said(code: int, text: bytes | str) -> str:
    words = text.decode(errors="replace") if isinstance(text, bytes) else str(text)
    return f"{code} {' '.join(words.split())}"


def _brief(error: Exception) -> str:
    if isinstance(error, TimeoutError) or "timed out" in str(error):
        return "no answer in time"
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "the connection was cut"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
