#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""Signals with values, for the tests: what Python's own signal module leaves out.

Usage: signals.py receive COUNT SIGNAL...   prints "NUMBER CODE PID UID VALUE" for each, once it has
                                            written a newline to descriptor 9
       signals.py queue PID SIGNAL FIRST LAST   queues the values in this order; waits where the
                                            receiver's queue is full
"""

import ctypes
import errno
import os
import signal
import struct
import sys
import time

libc = ctypes.CDLL(None, use_errno=True)


def number_of(name):
    base, plus, more = name.partition("+")
    return int(getattr(signal, f"SIG{base}")) + (int(more) if plus else 0)


def receive(count, *names):
    numbers = {number_of(name) for name in names}
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    os.write(9, b"\n")
    mask = ctypes.create_string_buffer(struct.pack("=Q", sum(1 << n - 1 for n in numbers)), 128)
    info = ctypes.create_string_buffer(128)
    for _ in range(int(count)):
        while libc.sigwaitinfo(mask, info) < 0:
            pass
        number, _, code, _, pid, uid, value = struct.unpack_from("iiiiiIi", info)
        print(number, code, pid, uid, value, flush=True)


def queue(pid, name, first, last):
    for value in range(int(first), int(last) + 1):
        while libc.sigqueue(int(pid), number_of(name), ctypes.c_void_p(value)) != 0:
            if ctypes.get_errno() != errno.EAGAIN:
                sys.exit(os.strerror(ctypes.get_errno()))
            time.sleep(0.001)


if __name__ == "__main__":
    {"receive": receive, "queue": queue}[sys.argv[1]](*sys.argv[2:])
