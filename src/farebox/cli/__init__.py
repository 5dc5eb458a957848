"""The command line: one file a noun."""


def main() -> None:
    """Entry point of `farebox`."""
    try:
        from farebox.cli.root import run
    except ModuleNotFoundError as error:
        raise SystemExit(
            f"farebox: {error.name} is missing. The command needs the server's parts: pip install 'farebox[server]'"
        ) from None
    run()
