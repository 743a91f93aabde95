"""The inspector: a page at /__mock/ to look at what the mock does, and the static files it is made of.

Page and files are the package's own and tell nothing of any session, so they want no control token: the page asks
its user for it, and every request of the page for data shows it. Host, origin and site are looked at as elsewhere
in the control plane. Nothing is loaded from elsewhere, and no script or style stands in the page itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from venice_mock.control import told
from venice_mock.control.choices import choices
from venice_mock.control.guard import Guard
from venice_mock.web.admission import CONTROL, INSPECTOR, prefix_of, tenant_of
from venice_mock.web.guarded import check_page, guarded_route, page_route
from venice_mock.web.operations import DescribedRoute, get

_ALL_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")  # nothing is there, whatever is asked
FOLDER = Path(__file__).parents[1] / "inspector"
PAGE = "index.html"
_MEDIA_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True, slots=True)
class InspectorRoutes:
    """The page, its files, and the lists it offers."""

    guard: Guard
    _files: dict[str, bytes] = field(default_factory=dict)  # those that were asked for

    def routes(self) -> list[Route]:
        """Every route."""
        return [
            page_route(
                self.guard,
                INSPECTOR.removeprefix(CONTROL),
                self._page,
                get("The inspector, a page", media_type="text/html"),
            ),
            page_route(
                self.guard,
                "/static/{file}",
                self._static,
                get("A file of the inspector", media_type="text/*", errors=(404,)),
            ),
            guarded_route(
                self.guard,
                "/choices",
                self._choices,
                get("What rules and edits can name: models, errors, faults, magic keys", told.CHOICES),
            ),
        ]

    def from_the_root(self) -> Route:
        """``/``: a browser that asks for a page is sent to the inspector, if it may see it; there is nothing else."""
        return Route("/", self._root, methods=_ALL_METHODS)

    def in_browsers(self, routes: Sequence[Route]) -> list[Route]:
        """The same routes, but a browser that asks /__mock for a page is sent to the inspector."""
        return [
            _for_browsers(route) if isinstance(route, DescribedRoute) and route.path == CONTROL else route
            for route in routes
        ]

    async def _root(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD") or not _wants_page(request):
            raise HTTPException(404)
        check_page(self.guard, request)
        return RedirectResponse(prefix_of(request) + INSPECTOR, 307, {"Vary": "Accept"})

    async def _page(self, _: Request) -> Response:
        return self._file(PAGE)

    async def _static(self, request: Request) -> Response:
        return self._file(request.path_params["file"])

    async def _choices(self, request: Request) -> Any:
        return choices(tenant_of(request.scope))

    def _file(self, name: str) -> Response:
        if name not in self._files:
            path = next((path for path in FOLDER.iterdir() if path.name == name), None)
            if path is None or path.suffix not in _MEDIA_TYPES:
                raise HTTPException(404)
            self._files[name] = path.read_bytes()
        media_type = _MEDIA_TYPES["." + name.rpartition(".")[2]]
        return Response(self._files[name], media_type=media_type, headers=_HEADERS)


def _for_browsers(route: DescribedRoute) -> DescribedRoute:
    usual: Callable[[Request], Awaitable[Response]] = route.endpoint

    async def either(request: Request) -> Response:
        if not _wants_page(request):
            return await usual(request)
        return RedirectResponse(prefix_of(request) + INSPECTOR, 307, {"Vary": "Accept"})

    return DescribedRoute(route.path, either, route.operations, methods=["GET"], guarded=True)


def _wants_page(request: Request) -> bool:
    """Whether text/html stands in Accept by name, as only browsers write it."""
    kinds = request.headers.get("accept", "").lower().split(",")
    return "text/html" in (kind.partition(";")[0].strip() for kind in kinds)
