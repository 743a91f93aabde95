"""An edit: from the decoded input and what was asked to the output's pixels. The list of operations is here.

The same bytes and the same brief give the same pixels in every thread and process; another prompt, model,
size, quality or seed gives another picture. Neither the output format nor safe mode plays a part.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from venice_mock.edit import looks, scenes, stamps
from venice_mock.edit.caption import draw_caption
from venice_mock.edit.draws import Draws
from venice_mock.edit.layers import clamp, gamma_curve, lay, tones
from venice_mock.edit.verbs import load_verbs

OPERATIONS: dict[str, Callable[..., Image.Image]] = {
    operation.__name__: operation
    for operation in (
        looks.grayscale,
        looks.sepia,
        looks.duotone,
        looks.saturation,
        looks.levels,
        looks.balance,
        looks.gamma,
        looks.contrast,
        looks.invert,
        looks.tint,
        looks.autumn,
        looks.vignette,
        looks.blur,
        looks.blur_background,
        looks.white_background,
        looks.sharpen,
        looks.turn,
        looks.sketch,
        looks.cartoon,
        looks.oil,
        looks.pixelate,
        scenes.sunset,
        scenes.night,
        scenes.snow,
        scenes.rain,
        scenes.fog,
        stamps.stamp,
        stamps.remove,
    )
}


LONGEST_PAINTED = 1 << 15  # pixels of a side


@dataclass(frozen=True, slots=True)
class Brief:
    """What one edit is to be. ``size`` is the output's width and height in pixels; ``input_sha256`` is hex."""

    prompt: str
    model: str
    size: tuple[int, int]
    tier: str
    quality: str | None
    input_sha256: str
    seed: int
    caption: bool = True

    def draws(self) -> Draws:
        """The stream of choices for this edit."""
        parts = (
            self.input_sha256,
            self.model,
            f"{self.size[0]}x{self.size[1]}",
            self.quality or "",
            str(self.seed),
            self.prompt,
        )
        text = "\0".join(parts).encode("utf-8", "surrogatepass")
        return Draws(hashlib.sha256(text).digest())


def paint(image: Image.Image, brief: Brief) -> Image.Image:
    """RGB of exactly ``brief.size``: centred crop, a seeded grade, the prompt's verbs in order, the caption.

    ``image`` is RGB and is left as it is.
    """
    draws = brief.draws()
    steps = load_verbs().read(brief.prompt)
    # A picture of one row of millions of pixels is legal where a model keeps the input's size. It is painted
    # shorter, because resampling tables and row pointers of such a length take gigabytes.
    work = min(brief.size[0], LONGEST_PAINTED), min(brief.size[1], LONGEST_PAINTED)
    picture = looks.fit(image, brief.size, work)
    picture = _grade(picture, draws.fork("grade"), plain=not steps)
    for number, step in enumerate(steps):
        picture = OPERATIONS[step.op](picture, draws.fork(f"{number} {step.op}"), **step.params)
    if work != brief.size:
        picture = picture.resize(brief.size, Image.Resampling.NEAREST)
    return caption(picture, brief) if brief.caption else picture


def caption(image: Image.Image, brief: Brief) -> Image.Image:
    """The strip with model, size, tier and the first words of the prompt; in place, returned."""
    title = f"venice-mock | {brief.model} | {brief.size[0]}x{brief.size[1]} | {brief.tier}"
    return draw_caption(image, f"{title} | {brief.quality}" if brief.quality else title, brief.prompt)


def draw_card(brief: Brief) -> Image.Image:
    """A flat RGB card of ``brief.size``, its colour chosen by the brief: the engine for thousands of answers."""
    draws = brief.draws()
    return Image.new("RGB", brief.size, (draws.below(256), draws.below(256), draws.below(256)))


def _grade(image: Image.Image, draws: Draws, *, plain: bool) -> Image.Image:
    """A tone of its own for every brief; stronger, and with light from a side, when the prompt names no verb."""
    reach = 17 if plain else 8
    shape = gamma_curve(draws.between(100 - reach, 100 + reach))
    gains = [100 + draws.between(-reach, reach) for _ in range(3)]
    picture = tones(image, *[[clamp(value * gain // 100) for value in shape] for gain in gains])
    if not plain:
        return picture
    corners = Image.new("L", (2, 2))
    corners.putdata([draws.below(46) for _ in range(4)])
    light = (255, 214, 160) if draws.below(2) else (24, 30, 70)
    return lay(picture, light, corners.resize(image.size, Image.Resampling.BILINEAR))
