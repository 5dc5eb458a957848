"""What ends a program in order."""

import signal


def endings() -> list[signal.Signals]:
    """Ctrl-C, SIGTERM, and the end of its terminal, unless `nohup` keeps that away."""
    gone = [signal.SIGHUP] if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN else []
    return [signal.SIGINT, signal.SIGTERM, *gone]
