"""The first picture, which nobody asked for: it loads codecs and the font, so that the first client need not wait."""

from __future__ import annotations

import hashlib
import io

from PIL import Image

from venice_mock.contract import Contract
from venice_mock.edit.fields import Upload
from venice_mock.edit.judging import judge_image
from venice_mock.edit.making import make_picture
from venice_mock.edit.validation import validate

_SIDE = 256
_PROMPT = "make it warm"


def warm_up(contract: Contract) -> None:
    """Edit a small picture from and to every format. Raises whatever keeps the server from editing."""
    for name in contract.edition.formats:
        source = io.BytesIO()
        Image.new("RGB", (_SIDE, _SIDE), (96, 128, 160)).save(source, name.upper())
        data = source.getvalue()
        raw = {"image": Upload(data), "prompt": _PROMPT, "output_format": name}
        request = validate(contract, raw, str(contract.way("default-model")))
        digest = hashlib.sha256(data).hexdigest()
        order = judge_image(contract, request, data, sha256=digest, seed=0, engine="paint", caption=True)
        make_picture(contract, order)
