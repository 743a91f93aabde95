"""What a check holds in its hands: it sends requests, knows the facts, and says what it saw.

One probe serves one case. Nothing here decides whether a rule holds; it only refuses to do what a run may not.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any

from venice_contract.judging.bench import EDIT, Bench
from venice_contract.judging.callers import BAD_KEY, Caller, Key, Nobody, WalletCaller
from venice_contract.judging.control import Control
from venice_contract.judging.expect import Broken, Masked, NotApplicable, expect, has_status
from venice_contract.judging.facts import Facts
from venice_contract.pictures.recipe import Picture
from venice_contract.wire.message import (
    Exchange,
    Headers,
    Part,
    Reply,
    Request,
    TransportFault,
    form_request,
    json_request,
)
from venice_contract.wire.secrets import SINGLE_USE

NOBODY = Nobody()
_MASKS = (402, 429, 503)
_INHERITED = ("edition", "behavior", "engine")  # what a session of a case's own has from the run's


@dataclass
class Probe:
    """Sends for one case. ``exchanges``, ``notes`` and ``sides`` become part of its result."""

    bench: Bench
    control: Control | None
    prefix: str
    exchanges: list[Exchange] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    sides: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _frozen: float | None = None
    _key: Key | None = None
    _cleanup: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    # --- what is known ------------------------------------------------------------------------------------

    @property
    def facts(self) -> Facts:
        """The edition and the accepted behaviours."""
        return self.bench.facts

    @property
    def random(self) -> Random:
        """The run's own randomness: repeatable by seed."""
        return self.bench.random

    @property
    def steerable(self) -> bool:
        """Whether the server is a mock that can be steered."""
        return self.control is not None

    @property
    def domain(self) -> str:
        """Host and port as the Host header has them: what a client signs."""
        return self.bench.transport.authority

    @property
    def origin(self) -> str:
        """``scheme://host:port`` as the server is called."""
        return f"{self.bench.transport.scheme}://{self.domain}"

    @property
    def base_url(self) -> str:
        """The API's base as this case calls it: origin, session and ``/api/v1``."""
        return self.origin + self.prefix

    @property
    def edit_url(self) -> str:
        """The full address of the edit endpoint."""
        return self.base_url + EDIT

    @property
    def steering(self) -> Control:
        """The control plane of this case's session. Raises NotApplicable on every other server."""
        if self.control is None:
            raise NotApplicable("the server is no mock that can be steered")
        return self.control

    def now(self) -> float:
        """Unix seconds by the server's clock, as well as they are known."""
        return self.bench.wall_clock() if self._frozen is None else self._frozen

    # --- who sends -----------------------------------------------------------------------------------------

    def key(self, balance: str | None = None, spend_limit: str | None = None) -> Key:
        """This case's key with credit; with arguments a new one with such an account (steered servers only)."""
        if balance is not None or spend_limit is not None:
            return self.bench.purse.key(self.control, balance, spend_limit)
        if self._key is None:
            self._key = self.bench.purse.key(self.control)
        return self._key

    def poor_key(self) -> Key:
        """A key without any credit."""
        return self.bench.purse.poor_key(self.control)

    def bad_key(self) -> Key:
        """A key that no server knows."""
        return Key(BAD_KEY, funded=False)

    def wallet(self, kind: str = "evm") -> WalletCaller:
        """A fresh wallet without credit."""
        return self.bench.purse.wallet(kind)

    def funded_wallet(self, usd: str | Decimal = "50", kind: str = "evm") -> WalletCaller:
        """A fresh wallet with so much credit (steered servers only)."""
        return self.bench.purse.funded_wallet(self.control, usd, kind)

    # --- what is sent --------------------------------------------------------------------------------------

    def picture(self, picture: Picture | None = None) -> bytes:
        """The file of a recipe; without one the smallest plain picture that is accepted."""
        return self.bench.pictures.build(picture or Picture(256, 256))

    def image_text(self, picture: Picture | bytes | None = None) -> str:
        """A picture as base64, as JSON carries it."""
        data = picture if isinstance(picture, bytes) else self.picture(picture)
        return base64.b64encode(data).decode("ascii")

    def good(self, **changes: Any) -> dict[str, Any]:
        """The fields of an edit that succeeds, on the cheapest model. A change of value ``...`` drops a field.

        ``image`` may be a Picture or bytes; it becomes base64.
        """
        fields: dict[str, Any] = {"model": self.facts.cheapest().id, "prompt": "make it warm", "image": None}
        if "modelId" in changes:
            del fields["model"]
        fields.update(changes)
        image = fields["image"]
        if image is None and "image" not in changes:
            fields["image"] = self.image_text()
        elif isinstance(image, Picture | bytes):
            fields["image"] = self.image_text(image)
        return {name: value for name, value in fields.items() if value is not ...}

    def edit(
        self,
        fields: Mapping[str, Any] | None = None,
        *,
        caller: Caller | None = None,
        form: bool = False,
        headers: Headers = (),
        label: str = "",
    ) -> Reply:
        """POST an edit of exactly these fields (else of ``good()``), as JSON or as a form.

        The caller is this case's key unless another is given. In a form the image, which is base64 here too,
        becomes a file part; booleans become words.
        """
        fields = self.good() if fields is None else fields
        self._refuse_words(fields)
        who = self.key() if caller is None else caller
        request = self.form_of(fields) if form else json_request(fields)
        return self.send(request, caller=who, price=self.facts.price(fields), headers=headers, label=label)

    def form_of(self, fields: Mapping[str, Any]) -> Request:
        """The request of an edit as a form."""
        parts = []
        for name, value in fields.items():
            if name == "image" and isinstance(value, str) and not value.startswith(("http:", "https:")):
                try:
                    data = base64.b64decode(value, validate=True)
                except ValueError:
                    parts.append(Part(name, value.encode("utf-8", "surrogatepass")))
                else:
                    parts.append(Part(name, data, "picture.png", "image/png"))
            else:
                text = value if isinstance(value, str) else json.dumps(value)
                parts.append(Part(name, text.encode("utf-8", "surrogatepass")))
        return form_request(parts)

    def get(self, path: str, *, caller: Caller = NOBODY, headers: Headers = (), label: str = "") -> Reply:
        """GET a path below ``/api/v1``."""
        return self.send(Request("GET", path), caller=caller, headers=headers, label=label)

    def send(
        self,
        request: Request,
        *,
        caller: Caller = NOBODY,
        price: Decimal | None = None,
        headers: Headers = (),
        label: str = "",
    ) -> Reply:
        """Send a request as it is, with the caller's credentials added.

        ``price``: USD that it costs if it succeeds; by default that of the dearest it could be taken for (a
        plain edit). No answer at all breaks the rule. A server that cannot be steered and answers 429 is asked a
        second time, where that is safe: it refused, and so charged nothing.
        """
        reply = self._sent(request, caller, price, headers, label)
        if (
            reply.status == 429
            and self._is_repeatable(request, headers)
            and self.bench.pacer.may_try_again(reply)
        ):
            reply = self._sent(request, caller, price, headers, label or "sent again after a 429")
            self.bench.pacer.tried_again(reply)
        return reply

    def _is_repeatable(self, request: Request, headers: Headers) -> bool:
        """Whether a second request would be as good as the first: no payment, and nothing signed for one use.

        What a caller signs is signed anew each time.
        """
        given = {name.lower() for name, _ in (*request.headers, *headers)}
        is_plain = request.method == "GET" or request.path.startswith(EDIT)
        return not self.steerable and is_plain and not given & SINGLE_USE

    def _sent(
        self, request: Request, caller: Caller, price: Decimal | None, headers: Headers, label: str
    ) -> Reply:
        prepared, risk = self._prepared(request, caller, price, headers)
        try:
            exchange = self.bench.exchange(prepared, risk, label, self.prefix)
        except TransportFault as fault:
            self.exchanges.append(Exchange(prepared, None, str(fault), label))
            raise Broken(str(fault)) from fault
        self.exchanges.append(exchange)
        if exchange.reply is None:
            raise NotApplicable("the client left, and there is no answer")
        return exchange.reply

    def leave(self, request: Request, *, caller: Caller = NOBODY, label: str = "") -> None:
        """Send what the request says and go away without waiting."""
        prepared, risk = self._prepared(replace(request, then="leave"), caller, None, ())
        with contextlib.suppress(TransportFault):
            self.exchanges.append(self.bench.exchange(prepared, risk, label, self.prefix))

    def send_all(
        self,
        requests: Sequence[tuple[Request, Caller]],
        *,
        price: Decimal | None = None,
        label: str = "",
    ) -> list[Reply]:
        """Send all at once and wait for all. One that gets no answer breaks the rule."""
        prepared = [self._prepared(request, caller, price, ()) for request, caller in requests]
        done = self.bench.exchange_all(
            [request for request, _ in prepared], [risk for _, risk in prepared], label, self.prefix
        )
        self.exchanges += done
        lost = next((exchange.fault for exchange in done if exchange.reply is None), None)
        if lost is not None:
            raise Broken(lost)
        return [exchange.reply for exchange in done if exchange.reply is not None]

    def _prepared(
        self, request: Request, caller: Caller, price: Decimal | None, headers: Headers
    ) -> tuple[Request, Decimal | None]:
        credentials = caller.headers(
            request.path, now=self.now(), domain=self.domain, uri=self.base_url + request.path
        )
        for _, value in credentials:
            self.bench.redactor.learn(value.removeprefix("Bearer "), passing=True)
        prepared = replace(request, headers=(*credentials, *request.headers, *headers))
        risk = None
        if caller.funded and request.path.startswith(EDIT):
            risk = self.facts.price({}) if price is None else price
        return prepared, risk

    def _refuse_words(self, fields: Mapping[str, Any]) -> None:
        """Adult and policy words go to no server but one that can be steered: an account may be at stake."""
        words, prompt = self.facts.edition.words, fields.get("prompt")
        if self.steerable or not isinstance(prompt, str):
            return
        listed = "|".join(map(re.escape, (*words.adult, *words.policy)))
        if re.search(rf"\b({listed})\b", prompt, re.IGNORECASE):
            raise NotApplicable("such words are sent to nobody but a mock")

    # --- what comes back -----------------------------------------------------------------------------------

    def status(self, reply: Reply, *statuses: int) -> Reply:
        """The answer has one of these statuses. On a server that cannot be steered a 402, 429 or 503 that is
        none of them only hides what was asked: raises Masked."""
        if reply.status in _MASKS and reply.status not in statuses and not self.steerable:
            raise Masked(f"answered {reply.status} before the rule could be seen")
        return has_status(reply, *statuses)

    def unmasked(self, reply: Reply) -> Reply:
        """The answer as it is; raises Masked where a 402, 429 or 503 of a server that cannot be steered hides it."""
        if reply.status in _MASKS and not self.steerable:
            raise Masked(f"answered {reply.status} before the rule could be seen")
        return reply

    def succeeds(self, reply: Reply) -> Reply:
        """200."""
        return self.status(reply, 200)

    def refused(self, reply: Reply, *statuses: int) -> Reply:
        """A refusal with one of these statuses (400 unless told otherwise)."""
        return self.status(reply, *(statuses or (400,)))

    def agrees(self, difference: str, sees: str, **sides: bool) -> None:
        """Compare with the accepted behaviours of a difference: ``documented=..., observed=...``.

        Notes which of them the answer fits; none that is accepted breaks the rule.
        """
        fitting = tuple(side for side in self.facts.sides if sides[side])
        accepted = " or ".join(self.facts.sides)
        expect(bool(fitting), f"{sees}, which is not what {difference} is in behaviour {accepted}")
        self.sides[difference] = fitting

    def note(self, text: str) -> None:
        """Record what was seen; for rules that only observe, and for what a report should tell."""
        self.notes.append(text)

    # --- steering ------------------------------------------------------------------------------------------

    def session(self, **config: Any) -> Probe:
        """A probe in a session of its own with this configuration; ended with the case.

        Edition, behaviour and engine are this probe's unless ``config`` names others. It shares this probe's
        record. Raises NotApplicable on a server that cannot be steered.
        """
        mine = self.steering.config()
        control = self.steering.open_session({name: mine[name] for name in _INHERITED} | config)
        self._cleanup.callback(control.close_session)
        return Probe(
            self.bench, control, control.prefix + "/api/v1", self.exchanges, self.notes, self.sides,
            _cleanup=self._cleanup,
        )  # fmt: skip

    def painted(self) -> Probe:
        """A probe whose server really paints: pixels may be compared. Elsewhere every server does."""
        return self.session(engine="paint") if self.steerable else self

    def freeze(self, at: float) -> None:
        """Stop the server's clock; ``now()`` follows. Use it in a session of the case's own."""
        self.steering.freeze(datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z"))
        self._frozen = at

    def advance(self, seconds: float) -> None:
        """Move the stopped clock on."""
        if self._frozen is None:
            raise ValueError("the clock was not stopped")
        self.steering.advance(seconds)
        self._frozen += seconds

    def balance_of(self, caller: Caller) -> Decimal:
        """USD on a key's or wallet's account, from the control plane."""
        if isinstance(caller, WalletCaller):
            return Decimal(self.steering.account(caller.wallet.address, kind="wallet")["balance_usd"])
        assert isinstance(caller, Key)
        return Decimal(self.steering.account(caller.token)["balance_usd"])

    def ledger_of(self, caller: Caller) -> list[dict[str, Any]]:
        """The bookings of a key or wallet, newest first, from the control plane."""
        if isinstance(caller, WalletCaller):
            return self.steering.ledger(caller.wallet.address, kind="wallet")
        assert isinstance(caller, Key)
        return self.steering.ledger(caller.token)

    def close(self) -> None:
        """End the sessions of this case."""
        self._cleanup.close()


@contextlib.contextmanager
def probing(bench: Bench) -> Iterator[Probe]:
    """A probe for one case; what was made up for it is forgotten with it."""
    probe = Probe(bench, bench.control, bench.prefix)
    try:
        yield probe
    finally:
        probe.close()
        bench.redactor.forget()
