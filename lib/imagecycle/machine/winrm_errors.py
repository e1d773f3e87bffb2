"""What can go wrong on the way into a Windows guest, in words.

The codes are those of WS-Management's faults, as Windows sends them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import requests.exceptions
import winrm.exceptions

from imagecycle.errors import ImagecycleError, Unreachable

SHELL_OR_COMMAND_GONE = 2150858843
TOO_MANY_SHELLS = 2150859173
TOO_MANY_OPERATIONS = 2150859174
ACCESS_DENIED = 5
_WAYS = {"negotiate", "ntlm", "basic"}
_QUOTAS = {TOO_MANY_SHELLS: "shells", TOO_MANY_OPERATIONS: "operations"}


class GuestUnreachable(Unreachable):
    """Nobody answers at the guest's address, or not with WinRM."""


class ConnectionLost(Unreachable):
    """The guest went away after it had been asked to do something; whether it did is not known."""


class GuestBusy(Unreachable):
    """The guest answers, and says that it cannot serve at the moment."""


class GuestRefused(ImagecycleError):
    """The guest lets this account not in."""


class WrongCertificate(ImagecycleError):
    """Whoever answers at the guest's address is not the guest."""


class ShellGone(ImagecycleError):
    """The guest knows the shell or the command no more: it expired, or the service restarted."""


class TimeLimit(ImagecycleError):
    """A command in the guest has not ended within its time limit."""


@contextmanager
def in_words(guest: str, user: str, *, sent: bool, begun: bool = False) -> Iterator[None]:
    """Turn what pywinrm raises in the ``with`` block into the errors of this module.

    :param guest: the guest's address, for the message.
    :param user: the account, for the message.
    :param sent: whether the guest may have begun to do what it is asked for now.
    :param begun: whether it has begun with something of which more is asked for now.
    """
    try:
        yield
    except winrm.exceptions.InvalidCredentialsError as error:
        _refused(guest, user, _offered(error))
    except winrm.exceptions.WSManFaultError as fault:
        _fault(guest, user, fault)
    except winrm.exceptions.WinRMTransportError as answer:
        if answer.code in (502, 503, 504):
            raise GuestBusy(
                f"{guest} answers with status {answer.code}: its WinRM service is not ready",
                hint="it may be starting; wait and try again",
            ) from None
        raise GuestUnreachable(
            f"{guest} answers with status {answer.code}, and not in the words of WinRM",
            hint="is another service at this port? WinRM over HTTPS listens on 5986, path /wsman",
        ) from None
    except requests.exceptions.SSLError as error:
        if "EOF" in str(error):  # as OpenSSL calls a connection that ends without a word
            _lost(guest, "the connection broke off", sent)
        _tls(guest, error)
    except requests.exceptions.ConnectTimeout:
        _lost(guest, "it does not answer at all", begun)
    except requests.exceptions.ReadTimeout:
        _lost(guest, "it has fallen silent", sent)
    except requests.exceptions.ConnectionError as error:
        if "refused" in str(error):
            _lost(guest, "it refuses the connection", begun)
        if "NewConnectionError" in str(error) or "NameResolution" in str(error):
            _lost(guest, "there is no way to it", begun)
        _lost(guest, "the connection broke off", sent)
    except requests.exceptions.RequestException as error:
        _lost(guest, f"its answer cannot be read ({type(error).__name__})", sent)


def _offered(error: winrm.exceptions.InvalidCredentialsError) -> list[str]:
    """The ways of authenticating that the guest named when it refused."""
    answer = getattr(error.__context__, "response", None)
    words = "" if answer is None else answer.headers.get("WWW-Authenticate", "")
    return re.findall(r"(?:^|,)\s*([A-Za-z]+)(?=\s|,|$)", words)


def _refused(guest: str, user: str, offered: list[str]) -> NoReturn:
    if offered and not {name.lower() for name in offered} & _WAYS:
        raise GuestRefused(
            f"{guest} lets {user} in by {' or '.join(offered)} alone, which imagecycle does not do",
            hint="Kerberos needs a domain, which a machine of a build is not in: enable Negotiate "
            "there, and no policy that forbids NTLM, until the image is sealed",
        )
    raise GuestRefused(
        f"{guest} refuses the account {user}",
        hint="is it the password of this machine, is the account an administrator, and is the "
        "way of authenticating (ntlm, basic) enabled there?"
        + (f" It offers {', '.join(offered)}; a policy may forbid NTLM" if offered else ""),
    )


def _fault(guest: str, user: str, fault: winrm.exceptions.WSManFaultError) -> NoReturn:
    code = fault.wsman_fault_code or fault.wmierror_code
    reason = " ".join((fault.reason or "no reason given").split())
    if code == SHELL_OR_COMMAND_GONE:
        raise ShellGone(
            f"{guest} knows the shell or the command no more",
            hint="the shell expired, or WinRM was restarted there; open a new one",
        )
    if code in _QUOTAS:
        raise GuestBusy(
            f"{guest} has no room for more {_QUOTAS[code]} of {user}",
            hint="end what was left open there, or wait until it expires",
        )
    if code == ACCESS_DENIED:
        raise GuestRefused(
            f"{guest} denies {user} the access to a shell",
            hint="only administrators may have one; a local account that is not the built-in "
            "Administrator needs LocalAccountTokenFilterPolicy = 1",
        )
    number = f" (code {code})" if code else ""
    raise ImagecycleError(
        f"{guest} refuses the request: {reason}{number}",
        hint="look for the code in Microsoft's documentation of WinRM",
    )


def _tls(guest: str, error: requests.exceptions.SSLError) -> NoReturn:
    text = str(error)
    got = re.search(r'Expected "[0-9a-f]+", got "([0-9a-f]+)"', text)
    if "ingerprint" in text:
        raise WrongCertificate(
            f"the certificate of {guest} is not the one that the guest reported"
            + (f": its fingerprint is {got[1]}" if got else ""),
            hint="another machine may have the address; or WinRM got a new certificate since, "
            "as sysprep brings about",
        )
    if "doesn't match" in text or "Hostname mismatch" in text or "IP address mismatch" in text:
        raise WrongCertificate(
            f"the certificate of {guest} is for another name",
            hint="use the name that the certificate was issued for",
        )
    if "certificate verify failed" in text:
        why = re.search(r"certificate verify failed: ([^(\"]+)", text)
        raise WrongCertificate(
            f"the certificate of {guest} is not trusted" + (f": {why[1].strip()}" if why else ""),
            hint="name the authority that signed it, or the fingerprint of the certificate itself",
        )
    raise GuestUnreachable(
        f"{guest} does not speak TLS as expected",
        hint="WinRM over HTTPS listens on port 5986; 5985 is without TLS and not used",
    )


def _silent(guest: str, why: str) -> NoReturn:
    raise GuestUnreachable(
        f"WinRM cannot be reached at {guest}: {why}",
        hint="does the guest run, has it that address, is the listener for HTTPS there and its "
        "port open in the firewall for the network's profile?",
    )


def _lost(guest: str, why: str, sent: bool) -> NoReturn:
    if not sent:
        _silent(guest, why)
    raise ConnectionLost(
        f"{guest} went away: {why}",
        hint="it may have restarted; what it was asked for may have happened or not",
    )
