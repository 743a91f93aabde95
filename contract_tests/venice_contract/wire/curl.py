"""A request as a curl line that a person can paste; credentials become variables of the shell."""

from __future__ import annotations

import shlex

from venice_contract.wire.message import Request

_VARIABLES = {
    "authorization": "Authorization: Bearer $VENICE_API_KEY",
    "sign-in-with-x": "SIGN-IN-WITH-X: $SIGN_IN",
    "x-sign-in-with-x": "X-Sign-In-With-X: $SIGN_IN",
    "payment-signature": "PAYMENT-SIGNATURE: $PAYMENT",
    "x-402-payment": "X-402-Payment: $PAYMENT",
    "x-payment": "X-PAYMENT: $PAYMENT",
    "x-mock-token": "X-Mock-Token: $MOCK_TOKEN",
}
_INLINE = 4096  # longer or unprintable bodies are read from a file


def curl_line(request: Request, base_url: str, origin: str, body_file: str = "body.bin") -> str:
    """One shell command. A body that cannot stand in a line is named as ``body_file``.

    An address that begins with ``$`` is a variable of the shell.
    """
    address = origin if request.absolute else base_url
    is_variable = address.startswith("$")
    url = f'"{address}"{shlex.quote(request.path)}' if is_variable else shlex.quote(address + request.path)
    words = ["curl", "-sS", "-i"]
    if request.method != "GET":
        words += ["-X", request.method]
    words.append(url)
    for name, value in request.headers:
        known = _VARIABLES.get(name.lower())
        if known is not None and value.strip() not in ("", "Bearer"):
            words += ["-H", f'"{known}"']
        elif value == "":
            words += ["-H", shlex.quote(f"{name};")]
        else:
            words += ["-H", shlex.quote(f"{name}: {value}")]
    if request.framing == "chunked":
        words += ["-H", shlex.quote("Transfer-Encoding: chunked")]
    if request.header("content-type") is None and request.body:
        words += ["-H", shlex.quote("Content-Type:")]
    if request.body:
        words += ["--data-binary", _body(request.body, body_file)]
    return " ".join(words)


def fits_in_line(body: bytes) -> bool:
    """Whether a body can stand in the line itself."""
    if len(body) > _INLINE or b"\0" in body:
        return False
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return all(c.isprintable() or c in "\r\n\t" for c in text)


def _body(body: bytes, file: str) -> str:
    return shlex.quote(body.decode("utf-8")) if fits_in_line(body) else shlex.quote(f"@{file}")
