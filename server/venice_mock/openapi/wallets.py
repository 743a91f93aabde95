"""The routes of a wallet: topping up, its balance, and its transactions, with the schemas of their bodies."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from venice_mock.contract import Contract
from venice_mock.openapi.examples import OTHER_WALLET, WALLET, Statement, WalletExamples, wallet_examples
from venice_mock.openapi.parts import Node, Site, headers, json_content, object_of, ref, sign_in_schemes
from venice_mock.openapi.refusals import invalid_response
from venice_mock.wallet.statements import LARGEST_OFFSET

_MICRO = Decimal(1_000_000)
_UNSIGNED = "Wallets do not pay here: the body tells how to sign in, and its `accepts` is empty."


# --- the top-up ----------------------------------------------------------------------------------------------


def top_up_paths(contract: Contract, site: Site) -> Node:
    """The path that takes payments."""
    x402 = contract.edition.x402
    facts = x402.payments
    least, most = (Decimal(each) / _MICRO for each in (facts.min_micro_usdc, facts.max_micro_usdc))
    return {
        x402.top_up.path: {
            "post": {
                "operationId": "topUpWallet",
                "summary": "Credit a wallet with a payment that it signed",
                "description": (
                    f"From {least:,} to {most:,} USDC; each payment is credited once. Nothing is settled: the "
                    f"chain is simulated. At most {x402.top_up.requests_per_minute} requests a minute from one "
                    "address. A request without a payment learns what is accepted; its body does not matter."
                ),
                "tags": ["Wallet"],
                "security": [],
                "parameters": [_payment_parameter(contract, name) for name in x402.payment_headers],
                "responses": _top_up_responses(contract, wallet_examples(contract, site)),
            }
        }
    }


def _payment_parameter(contract: Contract, name: str) -> Node:
    first = contract.edition.x402.payment_headers[0]
    most = contract.edition.x402.payments.max_header_bytes
    return {
        "name": name,
        "in": "header",
        "description": f"Base64 of a JSON object, an x402 payment, of up to {most:,} bytes."
        + ("" if name == first else f" Another name of `{first}`, read when that is absent."),
        "schema": {"type": "string"},
    }


def _top_up_responses(contract: Contract, examples: WalletExamples) -> Node:
    facts = contract.edition.x402
    malformed, unverified = "INVALID_PAYMENT_FORMAT", "PAYMENT_VERIFICATION_FAILED"
    refused: dict[str, Any] = {code: _told(code, text) for code, text in facts.payments.refusals.items()}
    refused[malformed] = examples.unreadable_payment()
    refused[unverified] = {**refused[unverified], "details": {"reason": "signature_mismatch"}}
    unsettled: dict[str, dict[str, Any]] = {}
    for code in facts.top_up.settlements:
        failure = examples.unsettled(code)
        unsettled.setdefault(str(failure.status), {})[code] = failure.body
    unpaid = unsettled.pop("402", {})
    responses: Node = {
        "200": {
            "description": "The payment is credited.",
            "headers": headers(contract, "payment_response"),
            "content": json_content(ref("TopUp"), {"credited": examples.paid()}),
        },
        "400": _top_up_refused(contract, "The payment cannot be accepted; nothing was credited.", refused),
        "402": {
            "description": (
                "No payment was sent: `accepts` says what is. Or, with `error`, settling the payment failed. "
                f"Only the first carries the header `{contract.edition.headers['payment_required']}`."
            ),
            "headers": headers(contract, "payment_required"),
            "content": json_content(
                {"anyOf": [ref("TopUpRequirements"), *([_with_codes(unpaid)] if unpaid else [])]},
                {"TOP_UP_REQUIREMENTS": examples.requirements(), **unpaid},
            ),
        },
        **{
            status: _top_up_refused(
                contract, f"{HTTPStatus(int(status)).phrase}: {', '.join(bodies)}.", bodies
            )
            for status, bodies in sorted(unsettled.items())
        },
        "429": _too_many(contract, examples),
    }
    return dict(sorted(responses.items()))


def _top_up_refused(contract: Contract, description: str, bodies: dict[str, Any]) -> Node:
    return {
        "description": description,
        "headers": headers(contract),
        "content": json_content(_with_codes(bodies), bodies),
    }


def _with_codes(codes: Iterable[str]) -> Node:
    return {"allOf": [ref("TopUpRefusal"), {"properties": {"error": {"enum": list(codes)}}}]}


def _told(code: str, text: str) -> dict[str, Any]:
    return {"error": code, "message": text}


# --- the statements ------------------------------------------------------------------------------------------


def statement_paths(contract: Contract, site: Site) -> Node:
    """What a wallet may read of itself."""
    facts = contract.edition.x402.statements
    examples = wallet_examples(contract, site)
    return {
        f"{facts.balance_path}/{{wallet}}": {
            "get": {
                "operationId": "getWalletBalance",
                "summary": "What a wallet can still spend",
                "description": f"At most {facts.balance_per_minute} requests a minute for one wallet.",
                "tags": ["Wallet"],
                "security": [{scheme: []} for scheme in sign_in_schemes(contract)],
                "parameters": [_wallet_parameter(contract)],
                "responses": {
                    "200": {
                        "description": "The wallet as it stands.",
                        "headers": headers(contract),
                        "content": json_content(ref("WalletBalance"), {"balance": examples.balance()}),
                    },
                    **_statement_refusals(contract, examples, "balance"),
                },
            }
        },
        f"{facts.transactions_path}/{{wallet}}": {
            "get": {
                "operationId": "listWalletTransactions",
                "summary": "What a wallet paid in and spent, newest first",
                "description": f"At most {facts.transactions_per_minute} requests a minute for one wallet.",
                "tags": ["Wallet"],
                "security": [{scheme: []} for scheme in sign_in_schemes(contract)],
                "parameters": [_wallet_parameter(contract), *_page_parameters(contract)],
                "responses": {
                    "200": {
                        "description": "One page of the ledger.",
                        "headers": headers(contract),
                        "content": json_content(
                            ref("WalletTransactions"),
                            {"page": examples.transactions()},
                        ),
                    },
                    **_statement_refusals(contract, examples, "transactions"),
                },
            }
        },
    }


def _wallet_parameter(contract: Contract) -> Node:
    return {
        "name": "wallet",
        "in": "path",
        "required": True,
        "description": "Address of the wallet that signs in, on an EVM chain (in any case) or on Solana.",
        "schema": {"type": "string", "pattern": _address_pattern(contract), "examples": [WALLET]},
    }


def _page_parameters(contract: Contract) -> list[Node]:
    facts = contract.edition.x402.statements
    return [
        {
            "name": "limit",
            "in": "query",
            "description": "Rows of the page.",
            "schema": {
                "type": "integer",
                "minimum": 1,
                "maximum": facts.page_max,
                "default": facts.page_default,
            },
        },
        {
            "name": "offset",
            "in": "query",
            "description": "Newer rows to pass over.",
            "schema": {"type": "integer", "minimum": 0, "maximum": LARGEST_OFFSET, "default": 0},
        },
    ]


def _statement_refusals(contract: Contract, examples: WalletExamples, kind: Statement) -> Node:
    most = contract.edition.x402.statements.page_max
    queries = {
        "LIMIT_TOO_SMALL": {"limit": "0"},
        "LIMIT_TOO_BIG": {"limit": str(most + 1)},
        "NO_NUMBER": {"limit": "ten", "offset": "-1"},
    }
    bad = {"BAD_ADDRESS": examples.statement_refusal(kind, wallet="no-wallet")}
    if kind == "transactions":
        bad |= {name: examples.statement_refusal(kind, query=query) for name, query in queries.items()}
    closed: Node = {"properties": {"accepts": {"maxItems": 0}}}
    return {
        "400": invalid_response(contract, bad),
        "401": _plain(
            contract,
            "The sign-in header is refused, for whatever reason.",
            {"BAD_SIGN_IN": examples.statement_refusal(kind, sign_in="bad")},
        ),
        "402": {
            "description": _UNSIGNED,
            "headers": headers(contract, "payment_required"),
            "content": json_content(
                {"allOf": [ref("PaymentDiscovery"), closed]},
                {"NOT_SIGNED_IN": examples.statement_refusal(kind, sign_in="none")},
            ),
        },
        "403": _plain(
            contract,
            "Another wallet signed in.",
            {"NOT_OWN_WALLET": examples.statement_refusal(kind, wallet=OTHER_WALLET)},
        ),
        "429": _too_many(contract, examples),
    }


def _too_many(contract: Contract, examples: WalletExamples) -> Node:
    return _plain(
        contract, "Too many requests in a minute.", {"TOO_MANY": examples.too_many()}, "retry_after"
    )


def _plain(contract: Contract, description: str, bodies: dict[str, Any], *keys: str) -> Node:
    return {
        "description": description,
        "headers": headers(contract, *keys),
        "content": json_content(ref("PlainError"), bodies),
    }


# --- the schemas ---------------------------------------------------------------------------------------------


def wallet_schemas(contract: Contract) -> Node:
    """``TopUp``, ``TopUpRequirements``, ``TopUpRefusal``, ``WalletBalance`` and ``WalletTransactions``."""
    x402 = contract.edition.x402
    text: Node = {"type": "string"}
    flag: Node = {"type": "boolean"}
    usd: Node = {"type": "number", "minimum": 0}
    address: Node = {"type": "string", "pattern": _address_pattern(contract)}
    nullable: Node = {"type": ["string", "null"]}
    codes = [*x402.payments.refusals, *x402.top_up.settlements]
    row = object_of(
        "One row of the ledger; amounts in USD.",
        {
            "id": text,
            "amount": {"type": "number", "description": "Below zero for a charge."},
            "balanceAfter": usd,
            "type": {**text, "enum": ["CHARGE", "TOP_UP", "REFUND"]},
            "createdAt": {**text, "format": "date-time"},
            "requestId": nullable,
            "modelId": nullable,
        },
    )
    return {
        "TopUp": _success(
            {"walletAddress": address, "amountCredited": usd, "newBalance": usd, "paymentId": text}
        ),
        "TopUpRequirements": object_of(
            "What a top-up accepts.",
            {
                "x402Version": {"type": "integer", "const": x402.version},
                "accepts": {"type": "array", "minItems": 1, "items": ref("PaymentOffer")},
            },
        ),
        "TopUpRefusal": {
            "type": "object",
            "description": "Why a payment was not credited: a code, and a sentence for people.",
            "required": ["error", "message"],
            "properties": {
                "error": {**text, "enum": codes},
                "message": text,
                "details": object_of("Only after verification failed.", {"reason": text}),
            },
        },
        "WalletBalance": _success(
            {
                "walletAddress": address,
                "balanceUsd": usd,
                "canConsume": {**flag, "description": f"Whether {x402.floor_usd} USD or more are left."},
                "minimumTopUpUsd": usd,
                "suggestedTopUpUsd": usd,
            }
        ),
        "WalletTransactions": _success(
            {
                "walletAddress": address,
                "currentBalance": usd,
                "transactions": {"type": "array", "items": row},
                "pagination": object_of(
                    "Where the page stands.",
                    {
                        "limit": {"type": "integer", "minimum": 1, "maximum": x402.statements.page_max},
                        "offset": {"type": "integer", "minimum": 0},
                        "hasMore": flag,
                    },
                ),
            }
        ),
    }


def _success(data: Node) -> Node:
    return object_of("Amounts in USD.", {"success": {"const": True}, "data": object_of("The answer.", data)})


def _address_pattern(contract: Contract) -> str:
    return f"^{contract.edition.x402.statements.address_pattern}$"
