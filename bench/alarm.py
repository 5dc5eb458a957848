"""A timer of the kernel's that is exact to microseconds; an event loop's own are to a millisecond."""

import contextlib
import ctypes
import os
from ctypes import Structure, byref, c_long
from types import TracebackType

_CLOCK_MONOTONIC = 1
"""The clock of `time.monotonic`, from timerfd_create(2)."""
_AT_THAT_MOMENT = 1
"""TFD_TIMER_ABSTIME: the moment is given, not how long it is until then."""


class _Moment(Structure):
    _fields_ = (("s", c_long), ("ns", c_long))


class _Setting(Structure):
    _fields_ = (("every", _Moment), ("at", _Moment))


class Alarm:
    """Rings by making its `fd` readable, at one moment after another. Linux only."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self._libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")

    def __enter__(self) -> "Alarm":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.fd)

    def set(self, moment: float) -> None:
        """Rings once at that moment of `time.monotonic`, in seconds; at once if it has passed."""
        ns = max(1, round(moment * 1e9))
        setting = _Setting(_Moment(0, 0), _Moment(*divmod(ns, 10**9)))
        if self._libc.timerfd_settime(self.fd, _AT_THAT_MOMENT, byref(setting), None):
            raise OSError(ctypes.get_errno(), "timerfd_settime")

    def heard(self) -> None:
        """Makes `fd` silent again."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.fd, 8)
