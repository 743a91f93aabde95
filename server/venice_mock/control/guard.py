"""Who may use the control plane: decided from headers alone, before any route of it runs.

The mock sits on a developer's machine, where web pages of strangers can send requests to it. So: the Host must
be this machine (DNS rebinding), a browser's request must come from our own page, changes must be JSON or a bare
DELETE (neither of which a form of a strange page can send without a preflight, which is never granted), and a server
that listens beyond loopback wants a token.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass

from venice_mock.errors import ApiError, plain

_HOST = re.compile(r"(?:\[([0-9a-f:.]{2,45})\]|([^\[\]:@/\s]{1,255}))(?::[0-9]{1,5})?", re.IGNORECASE)
_SAFE_METHODS = frozenset({"GET", "HEAD"})
_OWN_SITES = frozenset({"same-origin", "none"})
TOKEN_HEADER = "X-Mock-Token"


@dataclass(frozen=True, slots=True)
class Guard:
    """``hosts``: further names under which the control plane may be called; ``token``: required when set.

    ``exposed``: the server can be reached beyond loopback, where no token means no control plane.
    """

    hosts: tuple[str, ...] = ()
    token: str | None = None
    exposed: bool = False

    def check(self, method: str, headers: Mapping[str, str], peer: str | None = None) -> None:
        """Raise ApiError 403 or 415 for a request that may not pass. Header names in lower case.

        ``peer``: the client's address. One from beyond loopback shows that the server can be reached there, also
        when a foreign server listens where our settings do not say.
        """
        self._check_place(headers)
        if method not in _SAFE_METHODS and not _is_bare_delete(method, headers):
            media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
            if media_type != "application/json":
                raise plain(415, "The control plane takes application/json only", name="CONTROL_MEDIA_TYPE")
        self._check_token(headers, peer)

    def check_open(self, method: str, headers: Mapping[str, str], peer: str | None = None) -> None:
        """The same for what needs no token on this machine: there, strange pages and names are refused only."""
        if self.exposed or _is_elsewhere(peer):
            self.check(method, headers, peer)
        else:
            self._check_place(headers)

    def check_metrics(self, method: str, headers: Mapping[str, str], peer: str | None = None) -> None:
        """The same for what a scraper reads: with the right token under any Host, for it goes by addresses.

        The token may also come as ``Authorization: Bearer``, which is how Prometheus sends one. A strange page has
        none, under whatever name it found the way here.
        """
        if self._has_token(headers) or self._is_token(_bearer(headers)):
            self._check_page_of_ours(headers)
        else:
            self.check_open(method, headers, peer)

    def check_page(self, headers: Mapping[str, str], peer: str | None = None) -> None:
        """The same for a page of ours that holds nothing but asks for a token: where there is none, it is of no use."""
        self._check_place(headers)
        if self.token is None:
            self._check_token(headers, peer)

    def _check_place(self, headers: Mapping[str, str]) -> None:
        host = headers.get("host", "")
        if not self._is_ours(host):
            raise _forbidden("the Host header names another machine")
        self._check_page_of_ours(headers)

    def _check_page_of_ours(self, headers: Mapping[str, str]) -> None:
        """Where a page asks, it is ours: one of the origin that the Host header names."""
        host = headers.get("host", "")
        if headers.get("sec-fetch-site", "none") not in _OWN_SITES:
            raise _forbidden("a page of another site asked")
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2].lower() != host.lower():
            raise _forbidden("a page of another origin asked")

    def _check_token(self, headers: Mapping[str, str], peer: str | None) -> None:
        if self.token is None and (self.exposed or _is_elsewhere(peer)):
            raise _forbidden("the server can be reached beyond loopback and has no --control-token")
        if self.token is not None and not self._has_token(headers):
            raise _forbidden(f"the header {TOKEN_HEADER} is missing or wrong")

    def _has_token(self, headers: Mapping[str, str]) -> bool:
        return self._is_token(headers.get(TOKEN_HEADER.lower(), ""))

    def _is_token(self, shown: str) -> bool:
        return self.token is not None and hmac.compare_digest(shown.encode(), self.token.encode())

    def _is_ours(self, host: str) -> bool:
        name = _without_port(host).lower()
        return is_loopback(name) or name in self.hosts or host.lower() in self.hosts


def _bearer(headers: Mapping[str, str]) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _is_bare_delete(method: str, headers: Mapping[str, str]) -> bool:
    """Whether it is a DELETE that says nothing more: no form sends one, and a strange page's is asked for before."""
    length = headers.get("content-length", "0").strip()
    has_body = length != "0" or "transfer-encoding" in headers
    return method == "DELETE" and "content-type" not in headers and not has_body


def is_loopback(name: str) -> bool:
    """Whether a host name or address means this machine: ``localhost``, 127.0.0.0/8, ::1."""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _is_elsewhere(peer: str | None) -> bool:
    """Whether a client's address is another machine's. What is no address stands for a client in this process."""
    try:
        return peer is not None and not ipaddress.ip_address(peer).is_loopback
    except ValueError:
        return False


def _without_port(host: str) -> str:
    match = _HOST.fullmatch(host)
    return "" if match is None else match[1] or match[2]


def _forbidden(reason: str) -> ApiError:
    return plain(403, f"The control plane is closed to this request: {reason}", name="CONTROL_FORBIDDEN")
