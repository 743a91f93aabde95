"""From whatever mode a file has to 8-bit, opaque, sRGB. Only conversions of whole pictures live here."""

from __future__ import annotations

import io

from PIL import Image, ImageCms

_COLOUR_SPACES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK"}


def to_eight_bits(image: Image.Image) -> Image.Image:
    """The picture in a mode that can be shrunk: L, LA, RGB, RGBA or CMYK (and Pillow's other 8-bit ones)."""
    mode = image.mode
    if mode == "1":
        return image.convert("L")
    if mode == "P":
        return image.convert("RGBA" if "transparency" in image.info else "RGB")
    if mode == "PA":
        return image.convert("RGBA")
    if mode.startswith("I;16"):
        # The high byte of each sample: exact, and without a 32-bit copy of the picture.
        high = 0 if mode == "I;16B" else 1
        return Image.frombytes("L", image.size, image.tobytes()[high::2])
    if mode in ("I", "F"):
        return _stretch(image)
    if mode in ("L", "RGB") and "transparency" in image.info:
        return image.convert("RGBA")
    return image


def flatten(image: Image.Image) -> Image.Image:
    """The picture on white where it is transparent: L, RGB or CMYK."""
    if image.mode in ("L", "RGB", "CMYK"):
        return image
    if image.mode in ("LA", "La", "RGBA", "RGBa"):
        # "La" and "RGBa" (premultiplied) convert only to their plain forms
        straight = image.convert({"La": "LA", "RGBa": "RGBA"}.get(image.mode, image.mode)).convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(straight, mask=straight.getchannel("A"))
        return white
    return image.convert("RGB")


def to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """The picture converted from its ICC profile; a broken or foreign profile changes nothing."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space != _COLOUR_SPACES.get(image.mode):
            return image
        if "sRGB" in (source.profile.profile_description or ""):
            return image
        target = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image
    return image if converted is None else converted


def _stretch(image: Image.Image) -> Image.Image:
    """32-bit integers or floats as grey: samples over 255 are scaled so that the brightest is white."""
    low, high = image.getextrema()
    # A single band has plain numbers; NaN and infinities fail the comparison.
    if isinstance(low, tuple) or isinstance(high, tuple) or not (-1e9 < low <= high < 1e10):
        raise ValueError("samples out of range")
    scale = 255 / high if high > 255 or (image.mode == "F" and 0 < high <= 1) else 1.0
    return image.point(lambda value: value * scale + 0).convert("L")
