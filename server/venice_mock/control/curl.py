"""The curl line that repeats a request of the journal. It holds no secret: keys and headers come from variables."""

from __future__ import annotations

import json
import shlex
from urllib.parse import quote

from venice_mock.contract import Contract
from venice_mock.control.guard import TOKEN_HEADER
from venice_mock.state.story import HIDDEN, Story

_KEY = "$VENICE_API_KEY"
_TOKEN = "$VENICE_MOCK_CONTROL_TOKEN"
_FILE = "IMAGE_FILE"  # stands for a picture that is not kept any more
_REPEATED = ("x-mock", "prefer", "idempotency-key")
_UNSAFE = str.maketrans({"-": "_"})


def curl_line(contract: Contract, story: Story, base: str, *, with_token: bool) -> str | None:
    """The line for a POSIX shell. ``base``: what precedes the server's paths. None: a shell cannot say the request.

    The picture comes from the journal's own route while it is kept; ``with_token``: that wants the control token.
    """
    url = base + story.prefix + quote(story.path) + (f"?{story.query}" if story.query else "")
    words = ["curl -sS", shlex.quote(url), *_headers(contract, story)]
    if story.method not in ("GET", "POST") or (story.method == "POST" and story.fields is None):
        words.insert(1, f"-X {shlex.quote(story.method)}")
    before = ""
    if story.fields is not None:
        before, body = _body(story, base, with_token=with_token)
        words += body
    kind = dict(story.response_headers).get("content-type", "")
    words.append(f"-D - -o edited.{kind.removeprefix('image/')}" if kind.startswith("image/") else "-i")
    line = before + " ".join(words)
    return None if "\0" in line else line


def _headers(contract: Contract, story: Story) -> list[str]:
    x402, sender, words = contract.edition.x402, story.sender, list[str]()
    wallets = {name.lower() for name in (*x402.sign_in_headers, *x402.payment_headers)}
    for name, value in story.request_headers.items():
        if name == "authorization":
            words.append(f'-H "Authorization: Bearer {sender.magic or _KEY}"')
        elif name in _REPEATED:
            words.append("-H " + shlex.quote(f"{name}: {value}"))
        elif name == "content-type" and story.fields is None:
            words.append("-H " + shlex.quote(f"Content-Type: {value}"))
        elif name in wallets:
            words.append(f'-H "{name}: ${name.translate(_UNSAFE).upper()}"')
    return words


def _body(story: Story, base: str, *, with_token: bool) -> tuple[str, list[str]]:
    """What goes before the line, and the words that make the body."""
    fields, picture = dict(story.fields or {}), story.input
    if picture is not None and picture.data is None and picture.url is not None and HIDDEN not in picture.url:
        fields["image"] = picture.url
        picture = None
    source = None
    if picture is not None and picture.data is not None:
        token = f' -H "{TOKEN_HEADER}: {_TOKEN}"' if with_token else ""
        place = f"{base}{story.prefix}/__mock/requests/{story.id}/input"
        source = f"curl -sS {shlex.quote(place)}{token}"
    if story.body_kind == "form":
        words = [f"--form-string {shlex.quote(f'{name}={_text(value)}')}" for name, value in fields.items()]
        if picture is None:
            return "", words
        words.append("-F 'image=@-;filename=image'" if source else f"-F image=@{_FILE}")
        return (f"{source} | " if source else ""), words
    typed = "-H 'Content-Type: application/json'"
    text = json.dumps(fields)
    if picture is None:
        return "", [typed, f"--data-binary {shlex.quote(text)}"]
    start = (text[:-1] + ", " if fields else "{") + '"image": "'
    reading = f"{source} | base64" if source else f"base64 < {_FILE}"
    made = f"{{ printf %s {shlex.quote(start)}; {reading} | tr -d '\\n'; printf %s '\"}}'; }} | "
    return made, [typed, "--data-binary @-"]


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
