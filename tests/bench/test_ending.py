"""A benchmark that is ended in the middle."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
from bench.ending import ENDED

ROOT = Path(__file__).resolve().parents[2]


def test_one_that_is_told_to_end_leaves_nothing_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench", "--only", "operations", "--wallets", "100", "--rounds", "50"]
    with subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"TMPDIR": str(tmp_path)}, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            if "warming up" in line:  # servers answer, and the load is on its way
                break
        started = psutil.Process(running.pid).children(recursive=True)
        assert started
        running.terminate()
        running.stdout.read()
        assert running.wait(timeout=60) == ENDED
    give_up = time.monotonic() + 20
    while any(process.is_running() for process in started) and time.monotonic() < give_up:
        time.sleep(0.05)
    assert [process.pid for process in started if process.is_running()] == []
    assert list(tmp_path.glob("farebox-bench-*")) == []
