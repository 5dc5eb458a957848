"""What the blocks of the page of `x402tools` need to run. Blocks go on with what earlier ones have made."""

from tests.clients.pages import Case

DOCUMENTED = """
import os
import x402tools
_made = x402tools.X402Client.__init__
_record, _read = x402tools.X402Client.record_usage, x402tools.X402Client.get_usage
def _documented(self, *args, **given):
    _made(self, os.environ["KEY"], os.environ["URL"])
def _id(envelope_id):
    return os.environ["ENVELOPE"] if envelope_id == "your_envelope_id" else envelope_id
x402tools.X402Client.__init__ = _documented
x402tools.X402Client.record_usage = lambda self, envelope_id, *a, **k: _record(self, _id(envelope_id), *a, **k)
x402tools.X402Client.get_usage = lambda self, envelope_id=None: _read(self, _id(envelope_id))
"""
"""The page's key, address and envelope are examples: they become those of this run."""

CLIENT = (
    DOCUMENTED
    + """
from x402tools import X402Client
client = X402Client(api_key="your_api_key")
envelope = client.create_envelope(name="Mine", limit=10000, period="MONTHLY")
"""
)
"""The client and the envelope that earlier blocks of the page have made."""

TYPES = """
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Dict, Literal, Optional
"""

CASES = [
    Case("the quick start", DOCUMENTED),
    Case("makes an envelope", DOCUMENTED, "print(envelope.limit, envelope.period, envelope.reset_day)"),
    Case("a call, with the client and the envelope made before", CLIENT, "print(usage.amount, usage.metadata)"),
    Case("a call, with the client made before", CLIENT),
    Case("a call, with the client made before", CLIENT),
    Case("a call, with the client made before", CLIENT, "print([record.amount for record in envelope_usage])"),
    Case("a call, with the client and the envelope made before", CLIENT),
    Case("a call, with the client and the envelope made before", CLIENT, "print(len(client.get_envelopes()))"),
    Case("calls, with the client made before", CLIENT, "print(len(client.get_api_keys()))"),
    Case("handlers; no envelope has the id of the example", DOCUMENTED),
    Case("a constructor's signature: no program", program=False),
    Case(
        "the fields of a type, without the imports of what they are", TYPES, "print(sorted(Envelope.__annotations__))"
    ),
    Case("the fields of a type, without the imports of what they are", TYPES, "print(sorted(Usage.__annotations__))"),
]
