"""Routes outside the control plane's guard, as they tell nothing that is anybody's: health, metrics, the sample.

Metrics are counts, yet beyond loopback they are for whoever has the control plane's token, by whatever name he calls.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from venice_mock import __version__
from venice_mock.control.counts import Counts
from venice_mock.control.guard import Guard
from venice_mock.control.metrics import MEDIA_TYPE, Family, exposition, gauge, gauges
from venice_mock.control.shapes import shape
from venice_mock.edit.workshop import Workshop
from venice_mock.errors import plain
from venice_mock.tenancy import Tenants
from venice_mock.web.admission import ALIVE, SAMPLE
from venice_mock.web.answers import json_response
from venice_mock.web.operations import DescribedRoute, get

_WARM_UP_PIXELS = 1 << 20
_HEALTH = shape("Yes.", status={"const": "ok"})


@dataclass(slots=True)
class OpenRoutes:
    """Health, metrics and the sample picture."""

    tenants: Tenants
    workshop: Workshop
    counts: Counts
    guard: Guard
    _drawn: list[bytes] = field(default_factory=list)  # the sample, once somebody has asked for it
    _is_warm: bool = False

    def routes(self) -> list[Route]:
        """Every route."""
        return [
            DescribedRoute(SAMPLE, self._sample, [get("A picture to edit", media_type="image/png")]),
            DescribedRoute(ALIVE, self._alive, [get("Whether the process answers", _HEALTH)]),
            DescribedRoute(
                "/readyz",
                self._ready,
                [
                    get(
                        "Whether pictures can be edited without delay: once one was made",
                        _HEALTH,
                        errors=(503,),
                    )
                ],
            ),
            DescribedRoute(
                "/metrics",
                self._metrics,
                [
                    get(
                        "Counts for Prometheus",
                        media_type="text/plain",
                        errors=(403, 503),
                        text="Open to clients of this machine; beyond it, guarded as the control plane is,"
                        " but that with its token, also as `Authorization: Bearer`, any Host will do. Where"
                        " processes share a store it tells of all together, and nothing while that is lost.",
                    )
                ],
            ),
        ]

    async def _sample(self, _: Request) -> Response:
        from venice_mock.sample import sample_png

        if not self._drawn:
            self._drawn.append(await asyncio.to_thread(sample_png))  # not behind edits that wait for it
        return Response(self._drawn[0], media_type="image/png")

    async def _alive(self, _: Request) -> Response:
        return json_response({"status": "ok"})

    async def _ready(self, _: Request) -> Response:
        """Who asks first makes it so: fonts, codecs and worker threads are loaded by a first picture."""
        if not self._is_warm:
            from venice_mock.edit import warming

            contract = self.tenants.default.contract
            try:
                await self.workshop.run(_WARM_UP_PIXELS, lambda: warming.warm_up(contract))
            except Exception as error:  # whatever it is, no picture comes of it
                refusal = plain(503, "The server cannot make pictures.", name="NOT_READY")
                refusal.hint = f"{type(error).__name__}: {error}"
                raise refusal from error
            self._is_warm = True
        await self.tenants.check()
        return json_response({"status": "ok"})

    async def _metrics(self, request: Request) -> Response:
        peer = request.client.host if request.client else None
        self.guard.check_metrics(request.method, request.headers, peer)
        metrics, levels = await self.counts.all()
        families = [self._info(), *metrics.families(), *gauges(levels)]
        return Response(exposition(families), media_type=MEDIA_TYPE)

    def _info(self) -> Family:
        contract = self.tenants.default.contract
        return gauge(
            "info",
            "1, and what runs here.",
            1,
            {
                "version": __version__,
                "edition": contract.edition.edition,
                "behavior": contract.behavior,
            },
        )
