"""Keeps credentials out of everything that is shown or written: values are known, and headers are known by name."""

from __future__ import annotations

from dataclasses import dataclass, field

from venice_contract.wire.message import Exchange, Reply, Request

BLANK = "***"
SINGLE_USE = frozenset(
    {"sign-in-with-x", "x-sign-in-with-x", "payment-signature", "x-402-payment", "x-payment"}
)
HEADERS = SINGLE_USE | {"authorization", "x-mock-token", "cookie", "set-cookie"}
_SHORTEST = 6  # a shorter word could stand anywhere by chance


@dataclass
class Redactor:
    """Blanks what it was told. Tell it a credential before the first request that carries it.

    Those that the suite makes up protect nothing and are many; they are forgotten with their case.
    """

    _values: dict[str, bytes] = field(default_factory=dict, repr=False)
    _passing: dict[str, bytes] = field(default_factory=dict, repr=False)

    def learn(self, secret: str, *, passing: bool = False) -> None:
        """From now on this value is blanked; a ``passing`` one until ``forget``."""
        if len(secret) < _SHORTEST or secret in self._values:
            return
        into = self._passing if passing else self._values
        into[secret] = secret.encode("utf-8", "surrogatepass")

    def forget(self) -> None:
        """The case is over, and what was made up for it is gone."""
        self._passing.clear()

    def text(self, text: str) -> str:
        """The text without any known value."""
        found = [value for known in (self._values, self._passing) for value in known if value in text]
        for value in sorted(found, key=len, reverse=True):  # one may hold another
            text = text.replace(value, BLANK)
        return text

    def bytes(self, data: bytes) -> bytes:
        """The bytes without any known value."""
        found = [raw for known in (self._values, self._passing) for raw in known.values() if raw in data]
        for raw in sorted(found, key=len, reverse=True):
            data = data.replace(raw, BLANK.encode())
        return data

    def found_in(self, reply: Reply, sent: Request) -> str | None:
        """Where a reply repeats a credential of its own request: a header's name, ``the body``, or None."""
        secrets = [v for n, v in sent.headers if n.lower() in HEADERS]
        secrets += [v.partition(" ")[2] for v in secrets if v.lower().startswith("bearer ")]
        for secret in (s.strip() for s in secrets if len(s.strip()) >= _SHORTEST * 2):
            if secret.encode("latin-1", "replace") in reply.body:
                return "the body"
            for name, value in reply.headers:
                if secret in value:
                    return f"the header {name}"
        return None

    def headers(self, headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        """Headers with credentials blanked, by name and by value."""
        return tuple((n, _blank(n, v) if n.lower() in HEADERS else self.text(v)) for n, v in headers)

    def exchange(self, exchange: Exchange) -> Exchange:
        """The same exchange, fit to be written."""
        sent, got = exchange.request, exchange.reply
        request = Request(
            sent.method, self.text(sent.path), self.headers(sent.headers), self.bytes(sent.body),
            sent.framing, sent.sends, sent.then, sent.absolute,
        )  # fmt: skip
        reply = None
        if got is not None:
            reply = Reply(got.status, self.headers(got.headers), self.bytes(got.body), got.seconds)
        fault = None if exchange.fault is None else self.text(exchange.fault)
        return Exchange(request, reply, fault, exchange.label)


def _blank(name: str, value: str) -> str:
    scheme, space, _ = value.partition(" ")
    return f"{scheme} {BLANK}" if name.lower() == "authorization" and space else BLANK
