"""POST /image/edit, top to bottom, in the order in which the contract lets refusals win:

content type 415, no credentials 402, payment header 400, bad credentials 401/403, error budget and rate 429,
body size 413, body syntax 400, schema 400, model 404, the model's own rules 400, image 400/413/422, content
policy 422, balance 402, decoding 400. That order stands here and nowhere else. An error that was ordered
(``Steering``) stands at the stage of its kind, a 5xx behind all others: the price is held and released again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from typing import Literal

from msgspec import structs

from venice_mock.accounts.callers import (
    Caller,
    WalletDesk,
    authenticate_key,
    has_credentials,
    refuse_payment_header,
    signs_in,
)
from venice_mock.accounts.faults import Fault
from venice_mock.accounts.limits import count_request, enforce, enforce_error_budget, note_failure
from venice_mock.accounts.steering import AS_USUAL, Steering
from venice_mock.contract import Contract
from venice_mock.edit.answer import EditAnswer, picture_headers
from venice_mock.edit.bodies import Place
from venice_mock.edit.body import (
    BodyTooLarge,
    BodyTooSlow,
    Receive,
    announced_length,
    read_body,
    stream_body,
)
from venice_mock.edit.fields import (
    BadSyntax,
    FileTooLarge,
    RawFields,
    Upload,
    fields_of_form,
)
from venice_mock.edit.judging import Judged, Terms, image_refusal, judge_image
from venice_mock.edit.making import Notes, Order, key_of, make_picture
from venice_mock.edit.opening import ImageFault
from venice_mock.edit.orders import Orders, Spoil
from venice_mock.edit.readings import Reading
from venice_mock.edit.results import Result
from venice_mock.edit.source import digest_of, image_bytes, is_url
from venice_mock.edit.telling import tell_caller, tell_fields, tell_image, tell_order, tell_result
from venice_mock.edit.validation import check_model_rules, check_schema, find_model, named_model
from venice_mock.edit.waiting import while_connected
from venice_mock.edit.workshop import Workshop
from venice_mock.errors import ApiError, plain, refuse
from venice_mock.settings import Settings
from venice_mock.state.session import Session
from venice_mock.state.store import Hold, NoHold
from venice_mock.state.story import Story

_NO_HOLD = {
    "balance": ("INSUFFICIENT_BALANCE", "EDIT-PAY-001"),
    "spend_limit": ("API_KEY_USD_SPEND_LIMIT_EXCEEDED", "EDIT-PAY-028"),
}
BodyKind = Literal["json", "form"]
_FORM_OVERHEAD = 1 << 20  # ours: boundaries and the other fields of a form, beside a file of the largest size


def _as_it_is(_: Fault) -> None:
    """Who calls in process spoils no answers."""


def _uncounted(_: Decimal) -> None:
    """Who calls in process counts no money."""


@dataclass(frozen=True, slots=True)
class EditCall:
    """One HTTP request to the endpoint: header names in lower case, and the raw way to its body.

    ``origin`` and ``path`` tell how it was addressed, which few requests need to know.

    ``steering`` is what its headers order; it goes before what a rule, the prompt or a magic key orders. ``spoil``
    is told how the answer is to be spoilt on its way, ``charged`` what was taken, whatever comes of the answer.
    ``story`` is told what is found out about the request, where one is written.
    """

    headers: Mapping[str, str]
    origin: Callable[[], str]
    path: Callable[[], str]
    receive: Receive
    steering: Steering = AS_USUAL
    story: Story | None = None
    spoil: Spoil = _as_it_is
    charged: Callable[[Decimal], None] = _uncounted


@dataclass(frozen=True, slots=True)
class EditService:
    """Serves edits for one session. Holds nothing that changes but through the session and the workshop."""

    session: Session
    workshop: Workshop
    settings: Settings
    wallets: WalletDesk

    @property
    def default_model(self) -> str:
        """The model of a request that names none."""
        return self.settings.default_model or str(self.session.contract.way("default-model"))

    async def edit(self, call: EditCall) -> EditAnswer:
        """Answer one request. Raises ApiError for every refusal, ClientLeft when nobody waits any more."""
        orders = Orders(self.session, self.settings, call)
        try:
            return await self._edit(call, orders)
        except ApiError as error:
            await orders.refused(error)
            raise

    async def _edit(self, call: EditCall, orders: Orders) -> EditAnswer:
        contract = self.session.contract
        await orders.reach("media_type")
        kind = body_kind(contract, call.headers)
        if not has_credentials(contract, call.headers):
            raise await self.wallets.discovery(call.origin(), call.path())
        await orders.reach("payment_header")
        refuse_payment_header(contract, call.headers)
        await orders.reach("credentials")
        if signs_in(contract, call.headers):
            caller = await self.wallets.sign_in(call.headers, call.origin())
        else:
            caller = await authenticate_key(self.session, call.headers)
        told: dict[str, str] = {}  # headers that every answer to this caller carries
        try:
            tell_caller(call.story, caller)
            in_flight = caller.kind == "wallet" and self.settings.limits == "real"
            async with self._flight(caller) if in_flight else nullcontext():
                with Place(self.workshop.bodies) as place:
                    return await self._edit_for(caller, call, orders, kind, told, place)
        except ApiError as error:
            if error.name != "ERROR_BUDGET":  # who knocks while blocked is not blocked for longer
                await note_failure(self.session, caller, await self.session.now())
            error.headers = {**told, **await self._balance_headers(caller), **error.headers}
            raise

    async def _edit_for(
        self,
        caller: Caller,
        call: EditCall,
        orders: Orders,
        kind: BodyKind,
        told: dict[str, str],
        place: Place,
    ) -> EditAnswer:
        session, contract = self.session, self.session.contract
        now, limited = await session.now(), self.settings.limits == "real"
        if limited:
            await enforce_error_budget(session, caller, now)
        raw, unreadable, reading = await self._read_fields(call, kind, place)
        model_id = named_model(raw, self.default_model)
        tell_fields(call.story, kind, raw, model_id, None if reading is None else reading.known)
        await orders.learn(caller, raw, model_id)
        await orders.reach("rate", caller, model_id)
        standing = await count_request(session, caller, model_id, now, enforced=limited)
        told.update(standing.headers(contract))
        if limited:
            enforce(session, standing, now)
        await orders.reach("body", caller)
        if unreadable is not None:
            raise unreadable

        judged = await self._judge(caller, call, orders, raw, reading)
        # While it waits for its turn a request holds the file alone, not also the body that brought it.
        raw.clear()
        order = judged.order
        place.keep(len(order.data))
        tell_order(call.story, order)
        await orders.reach("policy", caller)
        hold = await self._hold(caller, order, (call, orders))
        try:
            await orders.reach("work", caller)
            await orders.pause(orders.steering.latency or self.settings.latency)
            result = await self._result(judged, call)
        except BaseException as error:
            await session.store.release(hold)
            if isinstance(error, ImageFault):
                raise image_refusal(contract, error, decoding=True) from error
            raise
        tell_result(call.story, result)
        request_id = session.token(32)
        booked = await session.store.settle(
            hold, now=await session.now(), request_id=request_id, model_id=order.request.model.id
        )
        if booked is not None:
            call.charged(-booked.amount)
            if call.story is not None:
                call.story.charged(request_id, -booked.amount)
        orders.charged()
        # Money is taken: a store that is lost from here on shall not fail the request.
        balance = None if booked is None else booked.balance_after
        told.update(await self._balance_headers(caller, balance))
        told.update(await self._remaining_header(caller, balance))
        media_type = contract.edition.formats[order.plan.output_format].media_type
        headers = {**told, **judged.headers}
        cause = orders.steering.cause_of_success
        if call.story is not None:
            call.story.cause = cause
        return EditAnswer(result.image, media_type, headers, cause)

    async def _judge(
        self, caller: Caller, call: EditCall, orders: Orders, raw: RawFields, reading: Reading | None
    ) -> Judged:
        """What the body orders, by all the rules, or by memory where it was judged before. Raises ApiError."""
        contract, settings, steering = self.session.contract, self.settings, orders.steering
        seed = self.session.picture_seed if steering.seed is None else steering.seed
        terms = Terms(self.default_model, seed, settings.engine, settings.caption, steering.adult)
        judged = None if reading is None else reading.judged(contract, terms)
        await orders.reach("schema", caller)
        if isinstance(judged, ApiError):
            raise judged.again()
        if judged is not None:
            await orders.reach("model", caller)
            await orders.reach("image", caller)
            tell_image(call.story, judged.order.data, judged.order.sha256)
            return judged
        try:
            draft = check_schema(contract, raw, terms.default_model)
        except ApiError as error:
            if reading is not None:
                reading.judge(contract, terms, error.again())
            raise
        await orders.reach("model", caller)
        request = check_model_rules(contract, draft, find_model(contract, draft.model_id))
        await orders.reach("image", caller)
        to_fetch = is_url(request.image)
        awaited = image_bytes(contract, request.image, settings.fetch)
        # Only fetching takes time: to watch for a leaving client would cost more than to decode.
        data = await (while_connected(call.receive, awaited) if to_fetch else awaited)
        digest = await digest_of(data)
        tell_image(call.story, data, digest)
        order = judge_image(
            contract,
            replace(request, image=Upload(b"")),
            data,
            sha256=digest,
            seed=seed,
            engine=terms.engine,
            caption=terms.caption,
            adult=terms.adult,
        )
        judged = Judged(order, key_of(contract, order), picture_headers(contract, order))
        if reading is not None and not to_fetch:
            reading.judge(contract, terms, judged)
        return judged

    async def _read_fields(
        self, call: EditCall, kind: BodyKind, place: Place
    ) -> tuple[RawFields, ApiError | None, Reading | None]:
        """The raw fields, or none and the refusal, which waits: a rate limit goes before it.

        And what is known of a body that came before.
        """
        contract = self.session.contract
        limits, words = contract.edition.limits, contract.edition.messages
        timeout = self.settings.body_timeout
        announced = announced_length(call.headers)
        try:
            if kind == "json":
                limit = limits.max_json_body_bytes
                if (announced or 0) > limit:
                    raise BodyTooLarge  # noqa: TRY301 - one place translates all of them
                admit = partial(place.admit, announced, limit)
                readings = self.workshop.readings
                guess = partial(readings.guess, announced)
                body = await read_body(call.receive, limit=limit, timeout=timeout, admit=admit, guess=guess)
                raw, reading = readings.read(body)
                return raw, None, reading
            limit = limits.max_json_body_bytes + _FORM_OVERHEAD
            admit = partial(place.admit, announced, limit)
            chunks = stream_body(call.receive, limit=limit, timeout=timeout, admit=admit)
            content_type = call.headers.get("content-type", "")
            return (
                await fields_of_form(
                    chunks, content_type, max_file_bytes_exclusive=limits.max_file_bytes_exclusive
                ),
                None,
                None,
            )
        except (BodyTooLarge, FileTooLarge):
            rule = "EDIT-HTTP-022" if kind == "json" else "EDIT-IMG-016"
            return {}, refuse(contract, "PAYLOAD_TOO_LARGE", rule=rule), None
        except BodyTooSlow:
            late = plain(400, words.body_timeout, name="BODY_TIMEOUT", rule="EDIT-HTTP-024", close=True)
            return {}, late, None
        except BadSyntax:
            text = words.invalid_json if kind == "json" else words.invalid_form
            rule = "EDIT-HTTP-006" if kind == "json" else "EDIT-HTTP-008"
            return {}, plain(400, text, name="INVALID_BODY", rule=rule), None

    @asynccontextmanager
    async def _flight(self, caller: Caller) -> AsyncIterator[None]:
        """One of a wallet's places in flight. Raises ApiError 429."""
        contract, store = self.session.contract, self.session.store
        place = f"flight:{caller.account}"
        if not await store.take_slot(place, contract.edition.limits.wallet_in_flight):
            raise refuse(contract, "X402_CONCURRENCY_LIMIT", rule="EDIT-RATE-007")
        try:
            yield
        finally:
            await store.give_slot(place)

    async def _hold(self, caller: Caller, order: Order, asked: tuple[EditCall, Orders]) -> Hold:
        """Promise the price. Raises ApiError 402."""
        call, orders = asked
        contract, store, price = self.session.contract, self.session.store, order.plan.price
        if caller.kind == "wallet" and orders.steering.error == "INSUFFICIENT_BALANCE":
            # A wallet is told that in words of its own.
            await orders.pause(orders.steering.latency)
            found = await store.account(caller.account)
            account = structs.replace(found, balance=Decimal(0), held=Decimal(0))
            error = await self.wallets.short(account, price, call.origin(), call.path())
            error.cause = orders.steering.cause
            raise error
        await orders.reach("balance", caller)
        if caller.kind == "wallet":
            clamp = contract.way("wallet-admission") == "floor"
            held = await store.hold(caller.account, price, floor=contract.edition.x402.floor_usd, clamp=clamp)
            if isinstance(held, NoHold):
                raise await self.wallets.short(held.account, price, call.origin(), call.path())
            return held
        held = await store.hold(caller.account, price)
        if isinstance(held, NoHold):
            name, rule = _NO_HOLD[held.reason]
            found = held.account
            hint = f"The edit costs {price} USD; {found.available} is available."
            if held.reason == "spend_limit":
                hint = f"The edit costs {price} USD; {found.spent} of {found.spend_limit} is spent."
            error = refuse(contract, name, rule=rule, hint=hint)
            error.cause = caller.cause
            raise error
        return held

    async def _result(self, judged: Judged, call: EditCall) -> Result:
        """The picture that was made before, or is made now. Raises ImageFault, or ClientLeft while it is made."""
        contract, shop = self.session.contract, self.workshop
        kept = shop.results.kept(judged.key)
        if kept is not None:
            return kept
        notes = None if call.story is None else Notes()
        order = replace(judged.order, notes=notes)

        async def make() -> Result:
            image = await shop.run(order.pixels, lambda: make_picture(contract, order))
            return Result(image) if notes is None else Result(image, notes.before, notes.after)

        return await while_connected(call.receive, shop.results.get(judged.key, make))

    async def _balance_headers(self, caller: Caller, balance: Decimal | None = None) -> dict[str, str]:
        """The balance, which is read where it is not known."""
        names = self.session.contract.edition.headers
        if caller.kind != "key":
            return {}
        if balance is None:
            balance = (await self.session.store.account(caller.account)).balance
        return {names["balance_usd"]: f"{balance.normalize():f}", names["balance_diem"]: "0"}

    async def _remaining_header(self, caller: Caller, balance: Decimal | None) -> dict[str, str]:
        """The wallet's balance after a paid edit, to six decimals, rounded as JavaScript's toFixed would."""
        contract = self.session.contract
        if caller.kind != "wallet" or not contract.way("balance-header"):
            return {}
        if balance is None:
            balance = (await self.session.store.account(caller.account)).balance
        text = str(balance.quantize(Decimal("0.000001"), ROUND_HALF_UP))
        return {contract.edition.headers["balance_remaining"]: text}


def body_kind(contract: Contract, headers: Mapping[str, str]) -> BodyKind:
    """Which of the two media types the body has. Raises ApiError 415 (observed: 400) for any other or none."""
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "application/json":
        return "json"
    if media_type == "multipart/form-data":
        return "form"
    hint = "Send application/json or multipart/form-data."
    raise refuse(contract, contract.way("wrong-content-type"), rule="EDIT-HTTP-003", hint=hint)
