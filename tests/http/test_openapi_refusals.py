"""The document names the refusals of each operation: exactly those that its rules can give."""

import ast
import inspect

import pytest

from farebox.http.openapi.answers import OWN
from farebox.ledger import decide
from farebox.ledger.types import Refusal

RULES = {
    "charges.add": "decide_charge",
    "charges.refund": "decide_refund",
    "envelopes.record": "decide_record",
    "holds.add": "decide_hold",
    "holds.capture": "decide_capture",
    "holds.release": "decide_release",
    "people.credit": "decide_deposit",
    "transfers.add": "decide_transfer",
    "usage_records.add": "decide_usage",
    "wallets.deposit": "decide_deposit",
}
NEVER_SHOWN = {"price_changed"}
"""The server asks again by the new price."""
NOT_OVER_HTTP = {
    "usage_records.add": {"grant_unknown"},
    "holds.capture": {"wallet_unknown", "asset_mismatch", "amount_overflow"},
    "people.credit": {"wallet_unknown", "asset_mismatch"},
}
"""What no request can bring about: records name no grant, what a provider holds is for no other wallet, and people
have one, in USD."""
BEFORE = {
    "charges.add": {"asset_mismatch"},
    "holds.add": {"asset_mismatch"},
    "wallets.deposit": {"reference_reused"},
}
"""What is found before these rules are asked."""

TREE = {node.name: node for node in ast.parse(inspect.getsource(decide)).body if isinstance(node, ast.FunctionDef)}


def refusals_of(function: str, seen: frozenset[str] = frozenset()) -> set[str]:
    """The refusals that a rule can give, with those of the rules that it asks."""
    found: set[str] = set()
    for node in ast.walk(TREE[function]):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Refusal":
            found.add(Refusal[node.attr].value)
        elif isinstance(node, ast.Name) and node.id == "END_REFUSALS":
            found |= {refusal.value for refusal in decide.END_REFUSALS.values()}
        elif isinstance(node, ast.Name) and node.id in TREE.keys() - seen - {function}:
            found |= refusals_of(node.id, seen | {function})
    return found


@pytest.mark.parametrize("operation", sorted(RULES))
def test_the_refusals_of_an_operation_are_those_of_its_rules(operation: str) -> None:
    told = set(OWN[operation]) & {refusal.value for refusal in Refusal}
    given = refusals_of(RULES[operation]) - NEVER_SHOWN - NOT_OVER_HTTP.get(operation, set())
    assert told == given | BEFORE.get(operation, set())
