"""Makes docs/inspector.png, the inspector at work: ``python docs/make_inspector_picture.py``. Needs Chromium."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from PIL import Image

OUT = Path(__file__).parent / "inspector.png"
SIZE = (1280, 900)
NOON = "2026-09-01T12:00:00Z"


def main() -> None:
    """Fill a session, look at it, and keep what is seen in 256 colours."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "server" / "tests"))
    from browser import browsing
    from inspecting import send, session_of
    from live import running

    with (
        tempfile.TemporaryDirectory() as folder,
        running() as origin,
        browsing(Path(folder) / "profile") as page,
    ):
        page.look(*SIZE)
        page.call("Emulation.setTimezoneOverride", timezoneId="UTC")
        seen = session_of(page, origin, "postcards")
        seen.control("PUT", "clock", frozen_at=NOON)
        image = send(f"{seen.url}sample.png", None, {}).body

        def edit(prompt: str, after_s: int = 7, **more: str) -> None:
            seen.edit(prompt, image=image, **more)
            seen.control("POST", "clock/advance", seconds=after_s)

        edit("make it a pencil sketch", model="qwen-edit", aspect_ratio="1:1")
        edit("make it winter with snow", key="mock_insufficient_balance")
        edit("16 bit pixel art", model="qwen-edit")
        edit("replace the sky", key="mock_flaky_3", resolution="8K")
        seen.control(
            "POST", "rules", match={"prompt_contains": "balloon"}, then={"fault": "charge_then_504"}, times=1
        )
        edit("add a red balloon in the sky", 2)
        edit("add a red balloon in the sky")
        edit("make it winter with snow", model="firered-image-edit", output_format="webp")
        edit("a postcard of the sea", key="mock_at_capacity")
        seen.control(
            "POST", "rules", match={"model": "qwen-edit"}, then={"error": "rate_limited", "retry_after": 60}
        )
        edit("make it a sunset")
        edit(
            "turn day into a starry night", model="nano-banana-pro-edit", resolution="2K", aspect_ratio="auto"
        )
        seen.open()
        seen.shown(10)
        seen.sizes()
        page.until("[...document.querySelectorAll('#list img')].every((img) => img.complete)")
        page.until("['account', 'advice'].every((name) => !document.querySelector(`#${name}-count`).hidden)")
        with Image.open(page.picture(Path(folder) / "seen.png")) as picture:
            colours = picture.convert("RGB").quantize(
                256, Image.Quantize.MEDIANCUT, dither=Image.Dither.FLOYDSTEINBERG
            )
            colours.save(OUT, optimize=True)
    print(f"{OUT.name}: {SIZE[0]}x{SIZE[1]}, {OUT.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
