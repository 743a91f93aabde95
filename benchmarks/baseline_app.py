"""The floor of the HTTP cases: the least that a Starlette app can do and still read a body and answer it.

``python -m benchmarks.baseline_app FOLDER`` serves each file of FOLDER as the answer to a POST on its name: a
``.json`` file is parsed once and written as JSON for each request, any other is sent as it is. It runs on the
same HTTP server with the same settings as the product, and tells its port in the same way.
"""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


def answer_route(file: Path) -> Route:
    """The route that reads a body and answers with what is in ``file``; JSON with 400, as a refusal."""
    content = file.read_bytes()
    parsed = json.loads(content) if file.suffix == ".json" else None

    async def read_and_send(request: Request) -> Response:
        await request.body()
        return Response(content, media_type="image/png")

    async def read_and_refuse(request: Request) -> Response:
        await request.body()
        return JSONResponse(parsed, 400)

    return Route(f"/{file.name}", read_and_send if parsed is None else read_and_refuse, methods=["POST"])


def main(folder: str) -> None:
    """Serve until the process is ended."""
    app = Starlette(routes=[answer_route(file) for file in sorted(Path(folder).iterdir())])
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # from here on a connection is taken, and answered once the loop runs
        print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
        config = uvicorn.Config(app, ws="none", log_config=None, access_log=False, server_header=False)
        config.timeout_keep_alive = 600  # while the other side has its round, this one is idle
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(sys.argv[1])
