"""SyftBox's file with credentials, where the package is installed: encrypted, for its owner alone, found again."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.support.wheels import ROOT, environment

PROGRAM = """
import json, os, stat
from pathlib import Path
from syftbox import AccountingClient, AuthenticationError, Client

home = Path.home() / ".syftbox"
hub = AccountingClient("http://127.0.0.1:9/syftbox", {"email": "ada@example.org", "password": "correct horse"})
os.umask(0)
hub.save_credentials()
kept = json.loads((home / "accounting.json").read_text())
found = Client().accounting_client
told = {
    "keys": sorted(kept),
    "encrypted": kept["password"] != "correct horse" and "correct" not in (home / "accounting.json").read_text(),
    "modes": sorted(oct(stat.S_IMODE(path.stat().st_mode)) for path in home.iterdir()),
    "found": [found.accounting_url, found.get_email(), found._credentials.password],
}
other = Path.home() / "elsewhere.json"
hub.save_credentials(filepath=other)
hub.save_credentials(str(other))
told["elsewhere"] = AccountingClient.load_from_config(str(other)).get_email()
other.write_text(json.dumps({"service_url": "http://x", "email": "bob@example.org", "password": "plain"}))
told["published"] = AccountingClient.load_from_config(filepath=other)._credentials.password
told["errors"] = []

def refused(path):
    try:
        AccountingClient.load_from_config(path)
    except AuthenticationError as error:
        told["errors"].append(str(error))

refused("/nowhere/at/all.json")
for text in ("no JSON", "[]", "{}", json.dumps(kept | {"password": "x"}), json.dumps(kept | {"salt": 5})):
    other.write_text(text)
    refused(other)
os.environ["SYFTBOX_ACCOUNTING_PASSPHRASE"] = "a passphrase"
hub.save_credentials(other)
(home / "accounting.key").unlink()
told["by passphrase"] = AccountingClient.load_from_config(other)._credentials.password
os.environ["SYFTBOX_ACCOUNTING_PASSPHRASE"] = "another one"
refused(other)
print(json.dumps(told))
"""


@pytest.fixture
def python() -> Path:
    return environment("syftbox", ROOT, ROOT / "clients" / "syftbox")


def test_credentials_at_rest(python: Path, tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("SYFTBOX")}
    done = subprocess.run(
        [python, "-c", PROGRAM], env=env | {"HOME": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["keys"] == ["created_at", "email", "encryption", "password", "salt", "service_url"]
    assert told["encrypted"]
    assert told["modes"] == ["0o600", "0o600"]
    assert told["found"] == ["http://127.0.0.1:9/syftbox", "ada@example.org", "correct horse"]
    assert (told["elsewhere"], told["published"]) == ("ada@example.org", "plain")
    assert told["by passphrase"] == "correct horse"
    assert len(told["errors"]) == 7
    assert all(error.startswith("AUTHENTICATION_ERROR: ") for error in told["errors"])
    assert "No accounting config file" in told["errors"][0]
    assert not any("correct horse" in error for error in told["errors"])


def test_the_command_is_there(python: Path) -> None:
    done = subprocess.run([python.parent / "accounting", "user", "add"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--email" in done.stderr
