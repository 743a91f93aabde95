"""Requests of a wallet: what a stranger is asked for, top-up, signed edit, balance and transactions.

A header that signs in is good for one request and five minutes, so each request has a variable of its own, and
is skipped while that is empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from venice_mock.accounts.pricing import price_of
from venice_mock.contract import Contract
from venice_mock.contract.wallet_types import StatementFacts
from venice_mock.control.steering import HEADER
from venice_mock.errors import Issue, invalid
from venice_mock.postman import asserting as say
from venice_mock.postman.editing import Edits, below_base
from venice_mock.postman.parts import Call, Folder

WALLET = "wallet"
PAYMENT = "payment"
SIGN_INS = (
    "sign_in_edit",
    "sign_in_former",
    "sign_in_short",
    "sign_in_balance",
    "sign_in_stranger",
    "sign_in_transactions",
    "sign_in_page",
)
_OTHER = "0x" + "0" * 40  # nobody's address
_RUBBISH = "rubbish"


@dataclass(frozen=True, slots=True)
class Payments:
    """The wallet's requests of one contract, in the order in which they build on one another."""

    edits: Edits

    @property
    def contract(self) -> Contract:
        """What is asserted."""
        return self.edits.contract

    def folder(self) -> Folder:
        """All of them."""
        calls = [
            self._discovery(),
            *self._top_ups(),
            *self._edits(),
            *self._balances(),
            *self._transactions(),
        ]
        about = (
            "x402. Requests that sign in or pay take their headers from the variables "
            f"`{WALLET}`, `{PAYMENT}` and `{'`, `'.join(SIGN_INS)}`, each of which is good for one run; "
            "`venice-mock wallet` makes them. Without them those requests are skipped. Run the folder in its order."
        )
        return Folder("Wallets (x402)", about, calls)

    def _discovery(self) -> Call:
        lines = [
            *say.json_where("how to pay and to sign in", *self._offers(), *self._challenge()),
            *say.told_in_header(
                self.contract.edition.headers["payment_required"],
                "pm.expect(told.accepts).to.eql(pm.response.json().accepts);",
            ),
        ]
        return self._call("edit without credentials", self.edits.path, 402, lines, json=self.edits.fields())

    def _top_ups(self) -> list[Call]:
        edition = self.contract.edition
        facts, path = edition.x402, below_base(edition.x402.top_up.path)
        payment = {facts.payment_headers[0]: f"{{{{{PAYMENT}}}}}"}
        asked = say.json_where(
            "what a top-up accepts",
            f"pm.expect(body.x402Version).to.equal({facts.version});",
            f"pm.expect(body.accepts.map((each) => each.network)).to.eql({say.js([r.caip2 for r in facts.rails])});",
            f"for (const each of body.accepts) pm.expect(each.amount).to.equal({say.js(facts.minimum_amount)});",
        )
        code = "INVALID_PAYMENT_FORMAT"
        refused = say.json_where(
            f"the error {code}",
            f"pm.expect(body).to.include({say.js({'error': code, 'message': facts.payments.refusals[code]})});",
        )
        paid = say.json_where(
            "the credit",
            "pm.expect(body.success).to.be.true;",
            f'pm.expect(body.data.walletAddress.toLowerCase()).to.equal(pm.variables.get("{WALLET}").toLowerCase());',
            f"pm.expect(body.data.amountCredited).to.be.at.least({facts.payments.min_micro_usdc / 1_000_000:g});",
            "pm.expect(body.data.newBalance).to.be.at.least(body.data.amountCredited);",
            'pm.expect(body.data.paymentId).to.be.a("string").that.is.not.empty;',
        )
        receipt = say.told_in_header(
            edition.headers["payment_response"],
            "pm.expect(told.success).to.be.true;",
            f'pm.expect(told.payer.toLowerCase()).to.equal(pm.variables.get("{WALLET}").toLowerCase());',
        )
        twice = facts.top_up.duplicate_code
        again = say.json_is({"error": twice, "message": facts.top_up.settlements[twice].message})
        status = int(self.contract.way("topup-resubmitted"))
        return [
            self._call("top-up without a payment", path, 402, asked),
            self._call(
                "top-up with rubbish", path, 400, refused, headers={facts.payment_headers[0]: _RUBBISH}
            ),
            self._call(
                "top-up", path, 200, [*paid, *receipt], headers=payment, before=_needs(PAYMENT, WALLET)
            ),
            self._call("top-up, sent again", path, status, again, headers=payment, before=_needs(PAYMENT)),
        ]

    def _edits(self) -> list[Call]:
        contract, x402 = self.contract, self.contract.edition.x402
        path, fields = self.edits.path, self.edits.fields()
        name = contract.edition.headers["balance_remaining"]
        left = say.header_matches(name, r"/^\d+\.\d{6}$/") if contract.way("balance-header") else []
        done = [*say.content_type(contract.edition.formats[self._default_format].media_type), *left]
        done += say.headers({contract.edition.headers["model_id"]: self.edits.default.id})
        codes = x402.sign_in.codes
        reused = next(code for code in codes if code.endswith("NONCE_REUSED"))
        again = say.json_is({"error": codes[reused], "code": reused})
        texts, admitted = x402.texts, contract.way("wallet-admission") == "floor"
        needed = x402.floor_usd if admitted else max(x402.floor_usd, self._price)
        short = [
            *say.json_where(
                "how much is missing, and how to top up",
                f"pm.expect(body.code).to.equal({say.js(texts.payment_required_code)});",
                f"pm.expect(body.minimumBalanceUsd).to.equal({needed.normalize():f});",
                "pm.expect(body.currentBalanceUsd).to.equal(0);",
                f"pm.expect(body.supportedChains).to.eql({say.js(list(texts.chains))});",
                'pm.expect(body.topUpInstructions.receiverWallet).to.be.a("string").that.is.not.empty;',
                'pm.expect(body.siwxChallenge.info.nonce).to.be.a("string").that.is.not.empty;',
            ),
            *say.told_in_header(
                contract.edition.headers["payment_required"],
                'pm.expect(told.accepts).to.be.an("array").that.is.not.empty;',
            ),
        ]
        former = x402.sign_in_headers[-1]
        steered = {HEADER: "error=insufficient_balance"}
        return [
            self._signed("edit, signed in", path, 200, done, "sign_in_edit", json=fields),
            self._signed("edit, the same header again", path, 401, again, "sign_in_edit", json=fields),
            self._signed(
                f"edit, header {former}", path, 200, done, "sign_in_former", name=former, json=fields
            ),
            self._signed(
                "edit, without credit", path, 402, short, "sign_in_short", more=steered, json=fields
            ),
        ]

    def _balances(self) -> list[Call]:
        x402 = self.contract.edition.x402
        path, suggested = below_base(self._statements.balance_path), int(x402.suggested_amount) / 1_000_000
        shown = say.json_where(
            "the wallet's credit",
            "pm.expect(body.success).to.be.true;",
            f'pm.expect(body.data.walletAddress.toLowerCase()).to.equal(pm.variables.get("{WALLET}").toLowerCase());',
            'pm.expect(body.data.balanceUsd).to.be.a("number").that.is.at.least(0);',
            'pm.expect(body.data.canConsume).to.be.a("boolean");',
            f"pm.expect(body.data.suggestedTopUpUsd).to.equal({suggested:g});",
        )
        own = f"{path}/{{{{{WALLET}}}}}"
        other = say.json_is({"error": x402.texts.not_own_balance})
        return [
            self._signed("balance", own, 200, shown, "sign_in_balance", method="GET"),
            self._signed(
                "balance of another wallet", f"{path}/{_OTHER}", 403, other, "sign_in_stranger", method="GET"
            ),
            *self._unsigned("balance", path),
        ]

    def _transactions(self) -> list[Call]:
        facts, path = self._statements, below_base(self._statements.transactions_path)
        own = f"{path}/{{{{{WALLET}}}}}"
        listed = [
            "pm.expect(body.success).to.be.true;",
            "const rows = body.data.transactions;",
            'const members = ["id", "amount", "balanceAfter", "type", "createdAt"];',
            "for (const row of rows) pm.expect(row).to.include.all.keys(...members);",
        ]
        whole = say.json_where(
            "the charge, and before it the top-up",
            *listed,
            'pm.expect(rows.slice(0, 3).map((row) => row.type)).to.eql(["CHARGE", "CHARGE", "TOP_UP"]);',
            f"pm.expect(rows[0].amount).to.equal({-self._price.normalize():f});",
            f"pm.expect(rows[0].modelId).to.equal({say.js(self.edits.default.id)});",
            "pm.expect(rows[0].balanceAfter).to.equal(body.data.currentBalance);",
            f"pm.expect(body.data.pagination).to.include({{ limit: {facts.page_default}, offset: 0 }});",
        )
        page = say.json_where(
            "one row, and that there are more",
            *listed,
            "pm.expect(rows).to.have.lengthOf(1);",
            "pm.expect(body.data.pagination).to.eql({ limit: 1, offset: 1, hasMore: true });",
        )
        words = self.contract.edition.messages
        bounds = {"minimum": 1, "type": "number", "inclusive": True, "exact": False}
        issue = Issue("too_small", "limit", words.number_small.format(minimum=1), "", bounds)
        wrong = say.json_is(invalid(self.contract, [issue]).body)
        return [
            self._signed("transactions", own, 200, whole, "sign_in_transactions", method="GET"),
            self._signed(
                "transactions, second row",
                own,
                200,
                page,
                "sign_in_page",
                method="GET",
                query={"limit": "1", "offset": "1"},
            ),
            self._call(
                "transactions, limit 0", f"{path}/{_OTHER}", 400, wrong, method="GET", query={"limit": "0"}
            ),
            *self._unsigned("transactions", path),
        ]

    def _unsigned(self, what: str, path: str) -> list[Call]:
        """A statement asked for without a sign-in, with a wrong one, and of no wallet."""
        x402 = self.contract.edition.x402
        stranger = say.json_where(
            "nothing to pay, but how to sign in", "pm.expect(body.accepts).to.eql([]);", *self._challenge()
        )
        forged = say.json_is({"error": x402.texts.bad_sign_in})
        issue = Issue("custom", "walletAddress", x402.texts.bad_address, "")
        nobody = say.json_is(invalid(self.contract, [issue]).body)
        headers = {x402.sign_in_headers[0]: _RUBBISH}
        return [
            self._call(f"{what} without a sign-in", f"{path}/{_OTHER}", 402, stranger, method="GET"),
            self._call(
                f"{what} with rubbish", f"{path}/{_OTHER}", 401, forged, method="GET", headers=headers
            ),
            self._call(f"{what} of no address", f"{path}/nobody", 400, nobody, method="GET"),
        ]

    # ---- what they share ---------------------------------------------------------------------------------

    @property
    def _statements(self) -> StatementFacts:
        return self.contract.edition.x402.statements

    @property
    def _default_format(self) -> str:
        edition = self.contract.edition
        return edition.tiers.default_formats[edition.fields.default_resolution]

    @property
    def _price(self) -> Decimal:
        return price_of(self.edits.default, self.contract.edition.fields.default_resolution, None)

    def _offers(self) -> list[str]:
        x402 = self.contract.edition.x402
        rails = [
            {"network": r.network, "asset": r.asset, "amount": x402.suggested_amount} for r in x402.rails
        ]
        return [
            f"pm.expect(body.x402Version).to.equal({x402.version});",
            f"pm.expect(body.error).to.equal({say.js(x402.discovery_error)});",
            "const offers = body.accepts.map(({ network, asset, amount }) => ({ network, asset, amount }));",
            f"pm.expect(offers).to.eql({say.js(rails)});",
            'for (const each of body.accepts) pm.expect(each.payTo).to.be.a("string").that.is.not.empty;',
            'pm.expect(body.authOptions).to.have.all.keys("apiKey", "x402Wallet");',
        ]

    def _challenge(self) -> list[str]:
        x402 = self.contract.edition.x402
        return [
            'const challenge = body.extensions["sign-in-with-x"];',
            f"pm.expect(challenge.info.statement).to.equal({say.js(x402.statement)});",
            'pm.expect(challenge.info.nonce).to.be.a("string").that.is.not.empty;',
            f"pm.expect(challenge.supportedChains).to.eql({say.js(list(x402.supported_chains))});",
        ]

    def _signed(
        self,
        title: str,
        path: str,
        code: int,
        lines: list[str],
        variable: str,
        *,
        name: str | None = None,
        more: Mapping[str, str] | None = None,
        **rest: Any,
    ) -> Call:
        headers = {
            name or self.contract.edition.x402.sign_in_headers[0]: f"{{{{{variable}}}}}",
            **(more or {}),
        }
        return self._call(title, path, code, lines, headers=headers, before=_needs(variable, WALLET), **rest)

    def _call(self, title: str, path: str, code: int, lines: list[str], **more: Any) -> Call:
        tests = [*say.status(code), *say.stamped(self.contract), *lines]
        return Call(title, path, tests, key=None, **more)


def _needs(*names: str) -> list[str]:
    return [line for name in names for line in say.needs(name)]
