# SPDX-License-Identifier: MIT
"""The limits to run a tool under: too low for anything, and step by step up to enough."""

import functools
import resource
import shutil
import subprocess

import fault as faults

DESCRIPTORS = range(0, 12)
STEP, STEPS = 16384, 40  # bytes of address space


def starts(tool, size):
    return subprocess.run(
        [tool, "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (size, size))).returncode == 0


@functools.cache
def is_sanitized(tool):
    with open(shutil.which(tool), "rb") as file:
        return b"__asan_init" in file.read()


@functools.cache
def least_memory(tool):
    """The address space, in bytes, with which it can say its version."""
    low, high = 0, 1 << 30
    while high - low > STEP:
        middle = (low + high) // 2
        low, high = (low, middle) if starts(tool, middle) else (middle, high)
    return high


def of(tool):
    if is_sanitized(tool):  # which needs descriptors and memory of its own
        return
    for number in DESCRIPTORS:
        yield faults.Fault("nofile", number)
    for step in range(STEPS):
        yield faults.Fault("as", least_memory(tool) + step * STEP)
