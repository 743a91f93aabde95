"""The curl line that repeats a request of the journal. It holds no secret: keys and headers come from variables."""

from __future__ import annotations

import json
import shlex
from urllib.parse import quote

from venice_mock.contract import Contract
from venice_mock.control.guard import TOKEN_HEADER
from venice_mock.state.story import HIDDEN, Input, Story

_KEY = "$VENICE_API_KEY"
_TOKEN = "$VENICE_MOCK_CONTROL_TOKEN"
_FILE = "IMAGE_FILE"  # stands for a picture that is not kept any more
_BODY_FILE = "BODY_FILE"  # stands for a body that nobody could read, and that was too long to keep
_REPEATED = ("x-mock", "prefer", "idempotency-key")
_UNSAFE = str.maketrans({"-": "_"})


def curl_line(contract: Contract, story: Story, base: str, *, with_token: bool) -> str | None:
    """The line for a POSIX shell. ``base``: what precedes the server's paths. None: a shell cannot say the request.

    A picture that came by URL goes by URL again. One that came in the body is taken from the journal's own route
    while it is kept; ``with_token``: that wants the control token. A body that was refused unread is left out.
    """
    url = base + story.prefix + quote(story.path) + (f"?{story.query}" if story.query else "")
    words = ["curl -sS", shlex.quote(url), *_headers(contract, story)]
    before, body = _body(story, base, with_token=with_token)
    if story.method != ("POST" if body else "GET"):
        words.insert(1, f"-X {shlex.quote(story.method)}")
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
        elif name == "content-type" and not _was_read(story):
            words.append("-H " + shlex.quote(f"Content-Type: {value}"))
        elif name in wallets:
            words.append(f'-H "{name}: ${name.translate(_UNSAFE).upper()}"')
    return words


def _was_read(story: Story) -> bool:
    """Whether there are fields to send, or there were none to read."""
    return bool(story.fields) or story.input is not None


def _body(story: Story, base: str, *, with_token: bool) -> tuple[str, list[str]]:
    """What goes before the line, and the words that make the body; no words: there is none, or it was not read."""
    if not _was_read(story):
        if story.text is not None:
            return "", [f"--data-binary {shlex.quote(story.text)}"]
        return "", [f"--data-binary @{_BODY_FILE}"] if story.fields is not None and _had_body(story) else []
    fields, picture = dict(story.fields or {}), story.input
    if picture is not None and picture.url is not None and HIDDEN not in picture.url:
        fields["image"] = picture.url
        picture = None
    if story.body_kind == "form":
        words = [f"--form-string {shlex.quote(f'{name}={_text(value)}')}" for name, value in fields.items()]
        if picture is None:
            return "", words
        before, word = _form_picture(picture, _source(story, picture, base, with_token=with_token))
        return before, [*words, word]
    typed = "-H 'Content-Type: application/json'"
    text = json.dumps(fields)
    if picture is None:
        return "", [typed, f"--data-binary {shlex.quote(text)}"]
    start = (text[:-1] + ", " if fields else "{") + '"image": "' + _prefix(picture)
    reading = _source(story, picture, base, with_token=with_token) or f"cat {_FILE}"
    made = f"{{ printf %s {shlex.quote(start)}; {reading} | base64 | tr -d '\\n'; printf %s '\"}}'; }} | "
    return made, [typed, "--data-binary @-"]


def _form_picture(picture: Input, source: str | None) -> tuple[str, str]:
    """What goes before the line, and the word that has the picture in a form: a file, or base64 as it was."""
    if picture.way in ("upload", "url"):
        return (f"{source} | ", "-F 'image=@-;filename=image'") if source else ("", f"-F image=@{_FILE}")
    start = f"printf %s {shlex.quote(_prefix(picture))}; " if picture.way == "data_url" else ""
    return f"{{ {start}{source or f'cat {_FILE}'} | base64 | tr -d '\\n'; }} | ", "-F 'image=<-'"


def _source(story: Story, picture: Input, base: str, *, with_token: bool) -> str | None:
    """The command that writes the picture's file; None where it is not kept."""
    if picture.data is None:
        return None
    token = f' -H "{TOKEN_HEADER}: {_TOKEN}"' if with_token else ""
    return f"curl -sS {shlex.quote(f'{base}{story.prefix}/__mock/requests/{story.id}/input')}{token}"


def _prefix(picture: Input) -> str:
    """What precedes the base64 of a data URL, in words of ours: of what type it said to be is not kept."""
    return f"data:image/{(picture.format or 'png').lower()};base64," if picture.way == "data_url" else ""


def _had_body(story: Story) -> bool:
    return story.body_bytes > 0 or story.request_headers.get("content-length", "0") != "0"


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
