"""`python -m farebox`: the same as the command."""

from farebox.cli import main

if __name__ == "__main__":
    main()
