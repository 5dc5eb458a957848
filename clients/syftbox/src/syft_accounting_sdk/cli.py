"""The `accounting` command: `accounting user add --url … --email …`."""

import argparse
import os
import sys

from syft_accounting_sdk.core import UserClient
from syft_accounting_sdk.error import ServiceException


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; its exit status."""
    asked = parser().parse_args(arguments)
    url = asked.url or os.environ.get("ACCOUNTING_SERVICE_URL")
    if not url:
        return _failed("URL must be provided via --url or ACCOUNTING_SERVICE_URL environment variable")
    try:
        user, password = UserClient.create_user(
            url=url, email=asked.email, organization=asked.organization, password=asked.password
        )
    except ServiceException as error:
        return _failed(error.message)
    except ValueError as error:
        return _failed(str(error))
    print("Successfully added user:")  # noqa: T201
    print(f"  email:    {user.email}")  # noqa: T201
    print(f"  password: {password}  <- make sure you remember this, you can't see it later!")  # noqa: T201
    return 0


def parser() -> argparse.ArgumentParser:
    """What the command understands."""
    whole = argparse.ArgumentParser(prog="accounting", description="Accounts of an accounting service.")
    user = whole.add_subparsers(required=True, metavar="user").add_parser("user", help="people with accounts")
    add = user.add_subparsers(required=True, metavar="add").add_parser("add", help="makes an account")
    add.add_argument("--url", help="the service's address; else ACCOUNTING_SERVICE_URL of the environment")
    add.add_argument("--email", "-e", required=True, help="the person's e-mail address")
    add.add_argument("--password", "-p", help="a password; without one, one is made and shown")
    add.add_argument("--organization", "-o", help="the person's organization")
    return whole


def _failed(message: str) -> int:
    print(f"Error: {message}", file=sys.stderr)  # noqa: T201
    return 1


if __name__ == "__main__":
    sys.exit(main())
