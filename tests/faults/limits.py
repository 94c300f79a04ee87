# SPDX-License-Identifier: MIT
"""The limits to run a tool under, step by step up to enough. Only what the tool itself does is of
interest: they begin where it can say its version."""

import functools
import shutil
import subprocess

import fault as faults

MOST_DESCRIPTORS = 12
MOST_MEMORY = 1 << 30
STEP, STEPS = 16384, 40  # bytes of address space


@functools.cache
def is_sanitized(tool):
    with open(shutil.which(tool), "rb") as file:
        return b"__asan_init" in file.read()


def starts(tool, fault):
    return subprocess.run(fault.command([tool, "--version"], "", "", False), stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode == 0


@functools.cache
def least(tool, what, step, most):
    """The least multiple of `step` with which it starts."""
    low, high = 0, most // step
    while low < high:
        middle = (low + high) // 2
        if starts(tool, faults.Fault(what, middle * step)):
            high = middle
        else:
            low = middle + 1
    return high * step


def of(case, output):
    """For a case that prints `output`."""
    tool = case.tool
    if is_sanitized(tool):  # which needs descriptors and memory of its own
        return
    for number in range(least(tool, "nofile", 1, MOST_DESCRIPTORS), MOST_DESCRIPTORS):
        yield faults.Fault("nofile", number)
    memory = least(tool, "as", STEP, MOST_MEMORY)
    for step in range(STEPS):
        yield faults.Fault("as", memory + step * STEP)
    if not case.command:  # whose own output it would be
        for size in range(len(output)):
            yield faults.Fault("fsize", size)
