"""What contracts between people take as given: two of them, and a token of the sender's."""

import base64
from typing import Any

from tests.support.live import ADMIN_KEY, Live
from tests.support.people import Somebody, credit


def arranged_people(live: Live, given: dict[str, Any]) -> dict[str, str]:
    """Makes them; the values of their placeholders."""
    known = {"admin_key": ADMIN_KEY}
    people = {}
    for side, dollars in given["people"].items():
        people[side] = Somebody(live)
        known[side] = people[side].email
        known[f"{side}_auth"] = base64.b64encode(f"{people[side].email}:{people[side].password}".encode()).decode()
        if dollars != "0":
            credit(live, people[side].email, dollars)
    if "token" in given:
        known["token"] = people["sender"].token(people["recipient"], **given["token"])
    return known
