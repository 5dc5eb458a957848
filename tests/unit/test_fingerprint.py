"""What makes two requests the same request."""

from farebox.charging.service import fingerprint
from farebox.http.native.wire import NewCharge, UsageBody


def asked(**units: int) -> NewCharge:
    return NewCharge(session_token="ps_1", model="m", usage=UsageBody(units=units))


def test_the_order_of_an_objects_members_makes_no_other_request() -> None:
    """Some languages write their maps in another order each time: a retry is the same request still."""
    first = fingerprint("charge", asked(image=1, second=2))
    assert fingerprint("charge", asked(second=2, image=1)) == first
    assert fingerprint("charge", asked(second=1, image=2)) != first
