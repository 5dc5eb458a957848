"""Prices in the format of LiteLLM's `model_prices_and_context_window.json`, in USD.

One object: model name → attributes. Costs are JSON numbers such as 1.5e-07, read to their last digit.
"""

import re
from codecs import BOM_UTF8
from decimal import Decimal

import msgspec

from farebox.pricing.importers import USD, Found, TooFine, carried, exact
from farebox.pricing.types import NewPrice, Rates

SOURCE = "litellm"
SAMPLE = "sample_spec"

KINDS = {
    "input_cost_per_token": "input_token",
    "output_cost_per_token": "output_token",
    "cache_read_input_token_cost": "cached_input_token",
    "cache_creation_input_token_cost": "cache_write_token",
    "output_cost_per_reasoning_token": "reasoning_token",
}
UNITS = {
    "input_cost_per_audio_token": "input_audio_tokens",
    "output_cost_per_audio_token": "output_audio_tokens",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h_tokens",
    "input_cost_per_image": "input_images",
    "output_cost_per_image": "output_images",
    "input_cost_per_image_token": "input_image_tokens",
    "output_cost_per_image_token": "output_image_tokens",
    "input_cost_per_pixel": "input_pixels",
    "output_cost_per_pixel": "output_pixels",
    "input_cost_per_second": "input_seconds",
    "output_cost_per_second": "output_seconds",
    "input_cost_per_audio_per_second": "input_audio_seconds",
    "input_cost_per_video_per_second": "input_video_seconds",
    "output_cost_per_video_per_second": "output_video_seconds",
    "input_cost_per_character": "input_characters",
    "output_cost_per_character": "output_characters",
    "ocr_cost_per_page": "pages",
    "annotation_cost_per_page": "annotated_pages",
}
CALLS = ("input_cost_per_query", "input_cost_per_request")
_ABOVE = re.compile(r"(.+)_above_([1-9][0-9]{0,5})k_tokens")
_COST = re.compile(r"(^|_)cost($|_)|pricing$")
NOTHING = (b"null", b"0", b"0.0", b"{}", b"[]")
"""Values of a cost that is none."""


class BadList(ValueError):
    """A file that is no price list; the text says why."""


def read(text: bytes) -> Found:
    """Every model of the list that has a price. Raises BadList for something else than such a list."""
    try:
        models = msgspec.json.decode(text.removeprefix(BOM_UTF8), type=dict[str, dict[str, msgspec.Raw]])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadList(f"no price list in LiteLLM's format: {error}") from None
    found = Found()
    for model, attributes in models.items():
        if model == SAMPLE:
            continue
        if not 1 <= len(model) <= 200 or "\0" in model:
            found.remark(model[:200], "its name is not 1 to 200 characters")
            continue
        rates = _rates(found, model, attributes)
        if rates is not None:
            found.prices.append(NewPrice(model, USD, rates))
    return found


def _rates(found: Found, model: str, attributes: dict[str, msgspec.Raw]) -> Rates | None:
    base: dict[str, str] = {}
    units: dict[str, str] = {}
    tiers: dict[int, dict[str, str]] = {}
    for key, raw in attributes.items():
        above = _ABOVE.fullmatch(key)
        kind = KINDS.get(key if above is None else above[1])
        if kind is None and key not in UNITS and key not in CALLS:
            if _COST.search(key) and bytes(raw) not in NOTHING:
                found.remark(model, f"{key[:80]}: not a kind of price that is kept; left out")
            continue
        value = _number(raw)
        if value is None:
            if bytes(raw) in NOTHING:
                continue
            if key in UNITS:
                found.remark(model, f"{key}: not a number from zero up, so this unit is left out")
                continue
            found.remark(model, f"{key}: not a number from zero up, so the model is left out")
            return None  # a token kind would take its elder's rate, and a call would be free
        try:
            rate = exact(key, value)
        except TooFine as error:
            if key in UNITS:
                found.too_fine(model, error, "this unit")
                continue
            found.too_fine(model, error, "the model")
            return None
        if kind is not None and above is not None:
            tiers.setdefault(int(above[2]) * 1000, {})[kind] = rate
        elif kind is not None:
            base[kind] = rate
        elif key in UNITS:
            units[UNITS[key]] = rate
        else:
            base["call"] = rate
    if not base and not units:
        found.remark(model, "has no price")
        return None
    return Rates(**base, units=units, tiers=carried(base, tiers))


def _number(raw: msgspec.Raw) -> Decimal | None:
    """The exact value of a JSON number that is a price; None for anything else."""
    try:
        value = msgspec.json.decode(raw, type=Decimal)
    except (msgspec.ValidationError, msgspec.DecodeError):
        return None
    return value if value.is_finite() and 0 <= value < 10**9 and not bytes(raw).startswith(b'"') else None
