"""Who sends a text of another form is told in words what was expected, and never by a regular expression."""

import msgspec
import pytest

from farebox.errors import Invalid
from farebox.http.native.wire import fields
from farebox.http.strict import Reader


@pytest.mark.parametrize(
    ("type_", "sent", "said"),
    [
        (fields.Slug, "Acme_Chat", "lower-case letters, digits and hyphens, such as acme-chat"),
        (fields.OrganizationId, "a b", "1 to 64 letters, digits"),
        (fields.AssetCode, "usd", "capital letters and digits, such as USD"),
        (fields.WalletId, "12", "16 digits"),
        (fields.DecimalText, "0,5", "a decimal number from zero up, such as 0.0000025"),
        (fields.Moment, "tomorrow", "a time with its zone, such as 2026-01-31T12:00:00Z"),
    ],
)
def test_what_was_expected_is_said_in_words(type_: type, sent: str, said: str) -> None:
    body = msgspec.json.encode({"it": sent})
    with pytest.raises(Invalid, match=said) as raised:
        Reader(msgspec.defstruct("Body", [("it", type_)])).read(body)
    assert raised.value.errors[0].field == "it"
    assert "regex" not in str(raised.value)
    assert sent not in str(raised.value)
