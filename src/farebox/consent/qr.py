"""What a provider's QR code says: read from its text, or from a picture of it."""

import io
from pathlib import Path
from typing import Any

import msgspec

LARGEST_IMAGE = 30_000_000
"""Pixels."""


class UnreadableCode(ValueError):
    """Not a connection request's QR code; the text says why, `hint` what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def read(code: str) -> dict[str, Any]:
    """The request in a code: its JSON, or the path of an image that shows it. Raises UnreadableCode."""
    text = code if code.lstrip().startswith("{") else decode(Path(code))
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError:
        raise UnreadableCode(
            "This is no connection request", "It holds something else than a provider's JSON."
        ) from None


def decode_bytes(image: bytes) -> str:
    """The text of the one QR code in an image that was sent; raises UnreadableCode."""
    if not image:
        raise UnreadableCode("There is no code", "Scan one, choose a picture of it, or paste what it says")
    return _decoded(io.BytesIO(image), "The picture")


def decode(image: Path) -> str:
    """The text of the one QR code in an image; raises UnreadableCode."""
    return _decoded(image, str(image))


def _decoded(image: Path | io.BytesIO, name: str) -> str:
    import zxingcpp
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(image) as picture:
            if picture.width * picture.height > LARGEST_IMAGE:
                raise UnreadableCode(f"{name} is too large an image", "Cut the QR code out of it.")
            wanted = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
            codes = zxingcpp.read_barcodes(picture.convert("RGB"), formats=wanted)
    except FileNotFoundError:
        raise UnreadableCode(
            f"There is no file {name}", "Give an image of the QR code, or its JSON in quotes."
        ) from None
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
        raise UnreadableCode(f"{name} is no image that can be read", "PNG and JPEG are read.") from None
    if len(codes) != 1:
        what = "no QR code" if not codes else f"{len(codes)} QR codes"
        raise UnreadableCode(f"{name} shows {what}", "Show one whole code, with its white border.")
    text: str = codes[0].text
    return text
