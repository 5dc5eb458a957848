"""QR codes that ask a user to connect: their text, exactly, and their pictures. Pictures take the `qr` extra."""

import base64
import json
import math
from decimal import Decimal
from io import BytesIO
from typing import Any

from conxa.models import QRCodeData

Limit = int | float | Decimal


def generate_qr_data(provider_id: str, provider_type: str, provider_username: str, limit: Limit | None = None) -> str:
    """The JSON text of a code. `limit` is in whole tokens, and stands in it as it was given.

    Raises ValueError for what a code can't say.
    """
    payload = {
        "provider_id": filled("provider_id", provider_id),
        "provider_type": kind(provider_type),
        "provider_username": filled("provider_username", provider_username),
    }
    text = json.dumps(payload, separators=(",", ":"))
    return text if limit is None else f'{text[:-1]},"limit":{_number(limit)}}}'


def generate_qr_code(
    provider_id: str,
    provider_type: str,
    provider_username: str,
    limit: Limit | None = None,
    size: int = 300,
    border: int = 4,
) -> QRCodeData:
    """A code as a picture of `size` by `size` pixels (50 to 2000), with `border` modules of white (1 to 10) around.

    Raises ValueError for what is out of bounds, and ImportError without the `qr` extra.
    """
    _within("size", size, 50, 2000)
    _within("border", border, 1, 10)
    text = generate_qr_data(provider_id, provider_type, provider_username, limit)
    image = _image(text, size, border)
    png = BytesIO()
    image.save(png, format="PNG")
    return QRCodeData(
        qr_data=text,
        qr_image=image,
        qr_base64="data:image/png;base64," + base64.b64encode(png.getvalue()).decode(),
        provider_id=provider_id,
        provider_type=provider_type,
        provider_username=provider_username,
    )


def generate_qr_svg(
    provider_id: str, provider_type: str, provider_username: str, limit: Limit | None = None, size: int = 300
) -> str:
    """A code as SVG text, `size` by `size` pixels (50 to 2000)."""
    _within("size", size, 50, 2000)
    text = generate_qr_data(provider_id, provider_type, provider_username, limit)
    code = _code(text)
    picture = BytesIO()
    code.save(picture, kind="svg", scale=size / code.symbol_size(border=4)[0], border=4)
    return picture.getvalue().decode()


def filled(name: str, value: str | None) -> str:
    """A text without the spaces around it; ValueError where nothing is left."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name} is required and cannot be empty")
    return value.strip()


def kind(provider_type: str) -> str:
    """`api` or `web`; ValueError for anything else."""
    found = filled("provider_type", provider_type).lower()
    if found not in ("api", "web"):
        raise ValueError('provider_type must be "api" or "web"')
    return found


def _number(limit: Limit) -> str:
    if isinstance(limit, bool) or not isinstance(limit, int | float | Decimal):
        raise ValueError("limit must be a number")
    if not math.isfinite(limit) or limit < 0:
        raise ValueError("limit must be non-negative")
    return f"{Decimal(str(limit)):f}"


def _within(name: str, value: int, least: int, most: int) -> None:
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"{name} must be an integer between {least} and {most}")


def _code(text: str) -> Any:
    try:
        import segno  # only for those who draw
    except ImportError:
        raise ImportError("drawing QR codes takes the qr extra: pip install 'farebox-conxa[qr]'") from None
    return segno.make(text, error="m", boost_error=False, micro=False)


def _image(text: str, size: int, border: int) -> Any:
    code = _code(text)
    from PIL import Image

    modules = code.symbol_size(border=border)[0]
    png = BytesIO()
    code.save(png, kind="png", scale=max(size // modules, 1), border=border)
    drawn = Image.open(png)
    if size < modules:  # less than a pixel a module: shades keep what black and white would lose
        return drawn.convert("L").resize((size, size))
    return drawn.convert("1").resize((size, size), Image.Resampling.NEAREST)
