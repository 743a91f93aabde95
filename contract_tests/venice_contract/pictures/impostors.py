"""Files that are no pictures, by name: whole and valid of their own kind, and never to be taken for a picture."""

from __future__ import annotations

import io
import zipfile
from typing import Literal, get_args

Impostor = Literal["text", "html", "svg", "pdf", "zip", "json", "zeros"]
IMPOSTORS: tuple[Impostor, ...] = get_args(Impostor)

_SVG = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="320" height="256">'
    '<rect width="320" height="256" fill="teal"/></svg>\n'
)
_PDF_OBJECTS = (
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 320 256] >>",
)


def impostor(kind: Impostor) -> bytes:
    """The file of that kind; the same bytes each time."""
    if kind == "pdf":
        return _pdf()
    if kind == "zip":
        return _zip()
    texts: dict[Impostor, str] = {
        "text": "This is no picture, only a line of text.\n" * 40,
        "html": "<!DOCTYPE html>\n<html><head><title>404</title></head><body>No picture here.</body></html>\n",
        "svg": _SVG,
        "json": '{"image": "none"}\n',
        "zeros": "\0" * 4096,
    }
    return texts[kind].encode("ascii")


def _pdf() -> bytes:
    """One empty page."""
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(_PDF_OBJECTS, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("ascii")
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    end = f"xref\n0 4\n0000000000 65535 f \n{table}trailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n"
    return out + end.encode("ascii")


def _zip() -> bytes:
    """An archive of one text."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo("picture.png", (2001, 2, 3, 4, 5, 6)), "no picture either\n")
    return out.getvalue()
