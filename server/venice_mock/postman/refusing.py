"""Requests that are refused: wrong in themselves, by a key that stands for a refusal, or because one was ordered."""

from __future__ import annotations

import base64
import struct
import zlib
from dataclasses import dataclass, replace
from typing import Any

from venice_mock.accounts.keys import error_aliases
from venice_mock.contract import Contract, ModelSpec
from venice_mock.control.steering import HEADER, PREFER, usual_error
from venice_mock.edit.fields import Text
from venice_mock.edit.geometry import AUTO
from venice_mock.edit.validation import validate
from venice_mock.errors import Issue, invalid
from venice_mock.openapi.refusals import error_body, refused
from venice_mock.postman import asserting as say
from venice_mock.postman.editing import PROMPT, Edits
from venice_mock.postman.parts import Call, Folder

_OUTSIDE = "never-listed"  # in no closed list of any edition
_TIMED = "RATE_LIMIT_EXCEEDED"  # its key fails for a minute only, so a second run would differ


@dataclass(frozen=True, slots=True)
class Refusals:
    """Refused edits of one contract."""

    edits: Edits

    @property
    def contract(self) -> Contract:
        """What the requests break."""
        return self.edits.contract

    def folders(self) -> list[Folder]:
        """All of them."""
        return [self.callers(), self.bodies(), self.fields(), self.rules(), self.pictures(), self.ordered()]

    def callers(self) -> Folder:
        """Keys that stand for a refusal."""
        x402 = self.contract.edition.x402
        code = next(iter(x402.sign_in.codes))
        rubbish = {"error": x402.sign_in.codes[code], "code": code}
        good = self.edits.fields()
        calls = [
            self._row(f"key mock_{alias}", name, key=f"mock_{alias}", before=say.MOCK_ONLY)
            for alias, name in error_aliases().items()
            if name != _TIMED and name in self.contract.edition.errors
        ]
        headers = {x402.sign_in_headers[0]: "rubbish"}
        calls.append(
            self._refusal("sign-in header that is none", 401, rubbish, key=None, headers=headers, json=good)
        )
        paying = {x402.payment_headers[0]: "rubbish"}
        calls.append(self._row("payment header at an edit", "PAYMENT_HEADER_NOT_ACCEPTED", headers=paying))
        about = "Who calls. Keys that begin with mock_ mean something to the mock alone and are sent to a mock only."
        return Folder("Refused: callers", about, calls)

    def bodies(self) -> Folder:
        """Bodies, methods and paths."""
        edition, path = self.contract.edition, self.edits.path
        words, wrong = edition.messages, str(self.contract.way("wrong-content-type"))
        plain = {"Content-Type": "text/plain"}
        # A file of just the size that is too large, as base64, made when it is sent. Variables outlive their
        # request, and each script that follows would be handed its megabytes.
        length = -(-edition.limits.max_file_bytes_exclusive // 3) * 4
        made, gone = f'pm.variables.set("large", "A".repeat({length}));', 'pm.variables.unset("large");'
        body = self.edits.fields(image="{{large}}")
        large = self._row("file too large", "PAYLOAD_TOO_LARGE", before=[made], json=body)
        calls = [
            self._row("content type text/plain", wrong, headers=plain, text="make it a sunset"),
            self._refusal("JSON that is none", 400, {"error": words.invalid_json}, headers=_JSON, text="{"),
            replace(large, tests=[*large.tests, gone]),
            self._refusal("method GET", 405, {"error": words.method_not_allowed}, method="GET"),
            self._refusal("no such path", 404, {"error": words.not_found}, path=f"{path}s", json={}),
        ]
        return Folder("Refused: bodies and paths", "How it is sent.", calls)

    def fields(self) -> Folder:
        """Every fault that the schema finds."""
        fields, limits = self.contract.edition.fields, self.contract.edition.limits
        good = self.edits.fields()
        cases: list[tuple[str, dict[str, Any]]] = [
            *((f"{name} missing", {k: v for k, v in good.items() if k != name}) for name in fields.required),
            ("nothing given", {}),
            ("prompt is a number", {**good, "prompt": 7}),
            ("prompt empty", {**good, "prompt": ""}),
            ("prompt longer than any model takes", {**good, "prompt": "x" * (limits.prompt_max + 1)}),
            ("image empty", {**good, "image": ""}),
            ("image is a list", {**good, "image": []}),
            ("model empty", {**good, "model": ""}),
            ("modelId outside its list", {**good, "modelId": _OUTSIDE}),
            ("aspect_ratio by plain division", {**good, "aspect_ratio": "107:60"}),
            ("resolution too long", {**good, "resolution": "1" * (limits.resolution_max + 1)}),
            ("output_format gif", {**good, "output_format": "gif"}),
            ("safe_mode 0", {**good, "safe_mode": 0}),
            ("quality outside its list", {**good, "quality": _OUTSIDE}),
            ("fields that there are not", {**good, "mask": "", "n": 1}),
            ("several faults at once", {"prompt": "", "aspect_ratio": "2:1", "format": "png"}),
        ]
        cases += [
            (f"{name} is text", {**good, name: "yes"})
            for name in fields.known
            if name.startswith(("enh", "dis"))
        ]
        calls = [self._invalid(name, body) for name, body in cases]
        about = "What the schema finds, all faults of a request together."
        return Folder("Refused: fields", about, calls)

    def rules(self) -> Folder:
        """Models that there are not, and what a model itself does not take."""
        good = self.edits.fields()
        calls = [
            self._row("no such model", "MODEL_NOT_FOUND", json={**good, "model": _OUTSIDE}),
            self._row(
                "model in capitals", "MODEL_NOT_FOUND", json={**good, "model": self.edits.default.id.upper()}
            ),
        ]
        calls += [self._invalid(name, {**good, **fields}) for name, fields in self._own_rules()]
        blocking = next((m for m in self._models() if m.blocks_policy), None)
        if blocking is not None:
            prompt = f"a {self.contract.edition.words.policy[0]} scene"
            body = {**good, "model": blocking.id, "prompt": prompt}
            name = f"{blocking.id}: against the policy"
            calls.append(self._row(name, "CONTENT_POLICY_VIOLATION", json=body, before=say.MOCK_ONLY))
        return Folder("Refused: models and their rules", "What one model does not take.", calls)

    def pictures(self) -> Folder:
        """Pictures that cannot be edited."""
        limits, words = self.contract.edition.limits, self.contract.edition.messages
        side = int(limits.max_pixels**0.5) + 1
        small, large = _png(limits.min_pixels - 1, 1), _png(side, side)
        no_text = invalid(self.contract, [Issue("custom", "image", words.image_not_base64, "")]).body
        calls = [
            self._refusal("text that is no base64", 400, no_text, json=self.edits.fields(image="%%%")),
            self._row(
                "bytes that are no picture",
                "CORRUPTED_IMAGE",
                json=self.edits.fields(image=_text(b"no picture")),
            ),
            self._row("too few pixels", "IMAGE_TOO_SMALL", json=self.edits.fields(image=small)),
            self._row("too many pixels", "IMAGE_TOO_LARGE", json=self.edits.fields(image=large)),
            self._unfetched("URL of a private network", "http://10.0.0.1/a.png", words.image_url_refused),
            self._unfetched("URL where nobody answers", "http://127.0.0.1:9/a.png", words.image_url_failed),
        ]
        return Folder("Refused: pictures", "What is sent as a picture.", calls)

    def ordered(self) -> Folder:
        """Every row of the error table, ordered of the mock."""
        errors = self.contract.edition.errors
        calls = [
            self._row(f"{HEADER}: error={name.lower()}", name, headers={HEADER: f"error={name.lower()}"})
            for name in errors
        ]
        for code in sorted({spec.status for spec in errors.values()}):
            name = usual_error(self.contract, code)
            if name is not None:
                calls.append(self._row(f"{PREFER}: code={code}", name, headers={PREFER: f"code={code}"}))
        about = "Every error of the vendor's table, ordered by a header that only the mock knows; nothing is charged."
        return Folder("Errors to order", about, calls, say.MOCK_ONLY)

    # ---- how a refusal is told ---------------------------------------------------------------------------

    def _row(self, name: str, error: str, **more: Any) -> Call:
        """An edit that ends in this row of the table; a good one, unless ``more`` says otherwise."""
        spec = self.contract.error(error)
        if "text" not in more:
            more.setdefault("json", self.edits.fields())
        told = {}
        if spec.retry_after_s is not None:
            told[self.contract.edition.headers["retry_after"]] = str(spec.retry_after_s)
        if error == "INVALID_REQUEST":
            lines = say.json_where(
                "all faults, by field and as a list",
                f"pm.expect(body.error).to.equal({say.js(spec.text)});",
                'pm.expect(body.details._errors).to.be.an("array");',
                'pm.expect(body.issues).to.be.an("array").that.is.not.empty;',
            )
            return self._call(name, spec.status, lines, **more)
        lines = say.json_is(error_body(self.contract, error))
        return self._call(name, spec.status, [*(say.headers(told) if told else []), *lines], **more)

    def _invalid(self, name: str, body: dict[str, Any]) -> Call:
        """An edit whose fields or model refuse it, in exactly the words of the contract."""
        raw = dict(body)
        if isinstance(raw.get("image"), str):
            raw["image"] = Text(raw["image"].encode())
        told = refused(lambda: validate(self.contract, raw, self.edits.default.id))
        return self._refusal(name, 400, told, json=body)

    def _unfetched(self, name: str, url: str, words: str) -> Call:
        start = words.partition("{reason}")[0]
        lines = say.json_where(
            "one fault, at the image",
            "pm.expect(body.issues).to.have.lengthOf(1);",
            'pm.expect(body.issues[0]).to.include({ code: "custom" });',
            'pm.expect(body.issues[0].path).to.eql(["image"]);',
            f"pm.expect(body.issues[0].message.startsWith({say.js(start)})).to.be.true;",
            "pm.expect(body.details.image._errors).to.eql([body.issues[0].message]);",
        )
        return self._call(name, 400, lines, json=self.edits.fields(image=url))

    def _refusal(self, name: str, code: int, body: Any, **more: Any) -> Call:
        return self._call(name, code, say.json_is(body), **more)

    def _call(self, name: str, code: int, lines: list[str], *, path: str = "", **more: Any) -> Call:
        tests = [*say.status(code), *say.stamped(self.contract), *lines]
        return Call(name, path or self.edits.path, tests, **more)

    # ---- what there is to break --------------------------------------------------------------------------

    def _models(self) -> list[ModelSpec]:
        return [m for m in self.contract.inpaint_models if not m.offline]

    def _own_rules(self) -> list[tuple[str, dict[str, Any]]]:
        """For each rule of a model's own the first model that has something to refuse."""
        edition = self.contract.edition
        found: dict[str, dict[str, Any]] = {}
        accepts_quality = self.contract.way("quality-on-edit") == "accepted"
        for model in self._models():
            limits = model.constraints
            if limits is None:
                continue
            ratios = [r for r in edition.fields.aspect_ratios if r != AUTO and r not in limits.aspect_ratios]
            if ratios and limits.single_image_aspect_ratio is not False:
                found.setdefault("ratio", {"model": model.id, "aspect_ratio": ratios[0]})
            tiers = [t for t in edition.tiers.factors if t not in limits.resolutions]
            if limits.resolutions and tiers:
                found.setdefault("tier", {"model": model.id, "resolution": tiers[-1]})
            if not limits.resolutions:
                found.setdefault(
                    "tier of a model that has none", {"model": model.id, "resolution": tiers[-1]}
                )
            if limits.prompt_character_limit < 2_000:
                prompt = (PROMPT + " ") * (limits.prompt_character_limit // len(PROMPT) + 1)
                found.setdefault("prompt", {"model": model.id, "prompt": prompt})
            qualities = [q for q in edition.fields.qualities if q not in limits.qualities]
            if accepts_quality and limits.qualities and qualities:
                found.setdefault("quality", {"model": model.id, "quality": qualities[0]})
        return [(f"{fields['model']}: {rule}", fields) for rule, fields in found.items()]


_JSON = {"Content-Type": "application/json"}


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _png(wide: int, high: int) -> str:
    """Base64 of a black PNG, one bit a pixel."""
    header = struct.pack(">IIBBBBB", wide, high, 1, 0, 0, 0, 0)
    rows = bytes((1 + (wide + 7) // 8) * high)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return _text(b"\x89PNG\r\n\x1a\n" + body)
