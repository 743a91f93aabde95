"""The vendor's routes: from a request to the session's own service, and back."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from venice_mock.accounts.billing import billing_balance
from venice_mock.accounts.steering import AS_USUAL
from venice_mock.catalogue import list_compatibility, list_models, list_traits
from venice_mock.contract import Contract
from venice_mock.control.steering import HEADER, PREFER, steering_of
from venice_mock.web.admission import API, first_headers, origin_of, prefix_of, tenant_of
from venice_mock.web.answers import header_text, json_response
from venice_mock.web.faulting import spoil_answer
from venice_mock.web.observing import count_charge
from venice_mock.web.recording import story_of


def api_routes(contract: Contract) -> list[Route]:
    """The routes, under the paths of this edition."""
    x402 = contract.edition.x402
    return [
        Route(contract.edition.path, _image_edit, methods=["POST"]),
        Route(f"{API}/models", _models),
        Route(f"{API}/models/traits", _traits),
        Route(f"{API}/models/compatibility_mapping", _compatibility),
        Route(f"{API}/billing/balance", _balance),
        Route(x402.top_up.path, _top_up, methods=["POST"]),
        Route(x402.statements.balance_path + "/{wallet}", _wallet_balance),
        Route(x402.statements.transactions_path + "/{wallet}", _wallet_transactions),
        Route(f"{API}/openapi.json", _openapi),
    ]


async def _image_edit(request: Request) -> Response:
    from venice_mock.edit.endpoint import EditCall  # readiness has loaded it: not part of the start

    tenant, said = tenant_of(request.scope), first_headers(request.scope)
    steering = AS_USUAL
    if HEADER.lower() in said or PREFER.lower() in said:
        lists = request.headers
        steering = steering_of(tenant.contract, lists.getlist(HEADER), lists.getlist(PREFER))
    story = story_of(request.scope)
    spoil = partial(spoil_answer, request.scope)
    charged = partial(count_charge, request.scope)
    origin = partial(origin_of, request)
    call = EditCall(said, origin, lambda: request.url.path, request.receive, steering, story, spoil, charged)
    answer = await tenant.edit.edit(call)
    headers = answer.headers
    if answer.cause is not None and not tenant.settings.pure:
        headers = {**headers, "X-Mock-Cause": header_text(answer.cause)}
    return Response(answer.image, media_type=answer.media_type, headers=headers)


async def _models(request: Request) -> Response:
    return json_response(list_models(tenant_of(request.scope).contract, request.query_params.get("type")))


async def _traits(request: Request) -> Response:
    return json_response(list_traits(tenant_of(request.scope).contract, request.query_params.get("type")))


async def _compatibility(request: Request) -> Response:
    kind = request.query_params.get("type")
    return json_response(list_compatibility(tenant_of(request.scope).contract, kind))


async def _balance(request: Request) -> Response:
    return json_response(await billing_balance(tenant_of(request.scope).session, request.headers))


async def _top_up(request: Request) -> Response:
    from venice_mock.wallet.statements import limit_requests  # not part of the start

    tenant = tenant_of(request.scope)
    who = request.client.host if request.client else "unknown"
    limit = tenant.contract.edition.x402.top_up.requests_per_minute
    limited = tenant.settings.limits == "real"
    await limit_requests(tenant.session, f"top-up:{who}", limit, "X402-TOP-025", enforced=limited)
    answer = await tenant.top_ups.top_up(request.headers)
    return json_response(answer.body, headers=answer.headers)


async def _wallet_balance(request: Request) -> Response:
    wallet, statements = request.path_params["wallet"], tenant_of(request.scope).statements
    origin, prefix = origin_of(request), prefix_of(request)
    return json_response(await statements.balance(wallet, request.headers, origin, prefix))


async def _wallet_transactions(request: Request) -> Response:
    wallet, statements = request.path_params["wallet"], tenant_of(request.scope).statements
    origin, prefix = origin_of(request), prefix_of(request)
    return json_response(
        await statements.transactions(wallet, request.query_params, request.headers, origin, prefix)
    )


async def _openapi(request: Request) -> Response:
    from venice_mock.openapi import describe  # written once, read rarely: not part of the start

    contract = tenant_of(request.scope).contract
    return json_response(describe(contract, origin_of(request), prefix_of(request)))
