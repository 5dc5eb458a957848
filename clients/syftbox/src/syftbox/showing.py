"""What `show()` shows: a widget in a notebook, text elsewhere. Never the password."""

import sys
from html import escape
from typing import Any

from msgspec import Struct

OPERATIONS = (
    ("client.connect_accounting(url, email, password)", "Connect with credentials"),
    ("client.register_accounting(email)", "Register a new account"),
    ("client.get_account_balance()", "Check the balance"),
)

STYLE = """
<style>
.farebox-accounting {font: 13px/1.6 system-ui, sans-serif; padding: 12px 0}
.farebox-accounting dl {display: grid; grid-template-columns: 7em auto; margin: 8px 0}
.farebox-accounting dt {opacity: .7}
.farebox-accounting dd {margin: 0; font-family: monospace}
.farebox-accounting code {background: rgba(128, 128, 128, .15); padding: 1px 4px; border-radius: 2px}
</style>
"""


class Status(Struct, frozen=True):
    """What is shown."""

    configured: bool
    service: str
    email: str | None
    balance: str
    """Dollars, or why there are none to show."""

    def rows(self) -> list[tuple[str, str]]:
        """Label and value."""
        return [
            ("Service", self.service),
            ("User", self.email or "Not configured"),
            ("Password", "••••••••" if self.configured else "Not set"),
            ("Balance", self.balance),
        ]


def title(status: Status) -> str:
    """The first line."""
    return f"AccountingClient [{'Configured' if status.configured else 'Not Configured'}]"


def as_text(status: Status) -> str:
    """For a terminal."""
    lines = [title(status), "", *(f"{label + ':':<12} {value}" for label, value in status.rows()), ""]
    return "\n".join([*lines, "Common operations:", *(f"  {call:<48} — {what}" for call, what in OPERATIONS)])


def as_html(status: Status) -> str:
    """For a notebook."""
    rows = "".join(f"<dt>{label}</dt><dd>{escape(value)}</dd>" for label, value in status.rows())
    calls = "".join(f"<div><code>{escape(call)}</code> — {what}</div>" for call, what in OPERATIONS)
    return f'{STYLE}<div class="farebox-accounting"><b>{escape(title(status))}</b><dl>{rows}</dl>{calls}</div>'


def display(status: Status) -> None:
    """Shows it where the program runs."""
    if _in_notebook():
        from IPython.display import HTML, display

        display(HTML(as_html(status)))
    else:
        print(as_text(status))  # noqa: T201


def _in_notebook() -> bool:
    # Only a running IPython knows; to import it would not tell.
    ipython: Any = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and hasattr(shell, "kernel")
