# SPDX-License-Identifier: MIT
"""inject.c from here: how it is built and called, and what it tells, in the words of strace."""

import errno
import functools
import os
import pathlib
import re
import signal
import subprocess

HERE = pathlib.Path(__file__).parent

# How many arguments these have. What they read is not there when they fail.
ARITIES = {"close": 1, "pread64": 4, "read": 3, "write": 3}
# Which argument of these is a command, and those that are told apart.
COMMANDS = {"msgctl": 1, "semctl": 2, "shmctl": 1}
COMMAND_NAMES = {"0": "IPC_RMID", "1": "IPC_SET", "2": "IPC_STAT", "12": "GETVAL"}


def build(directory):
    """Static where there is a library for that: it starts sooner."""
    command = ["cc", "-O1", "-o", f"{directory}/inject", HERE / "inject.c"]
    if subprocess.run([*command, "-static"], stderr=subprocess.DEVNULL).returncode != 0:
        subprocess.run(command, check=True)


@functools.cache
def numbers():
    """The system calls of this machine."""
    macros = subprocess.run(["cc", "-E", "-dM", "-include", "asm/unistd.h", "-x", "c", "/dev/null"],
                            check=True, capture_output=True, text=True).stdout
    return numbers_in(macros)


def numbers_in(macros):
    """On some machines a call has its number from another macro."""
    found = dict(re.findall(r"#define __NR(\w+) (?:__NR)?(\w+)", macros))
    return {name[1:]: int(found.get(value, value)) for name, value in found.items()
            if name.startswith("_") and found.get(value, value).isdigit()}


def command(directory, fault, log, alone):
    """What runs the command behind it with this fault; if `alone`, without its children."""
    kind = "signal" if fault.is_signal else "error"
    value = getattr(signal if fault.is_signal else errno, fault.effect)
    return [f"{directory}/inject", *(["-1"] if alone else []), log, str(numbers()[fault.what]),
            f"{fault.number}{'+' if fault.lasts else ''}", kind, str(int(value))]


def arguments(calls):
    """Of the calls of a run that strace shows, by whether a child made them, name and number."""
    found, counts = {}, {}
    for line in calls:
        call = re.match(r"(\d+) +(\w+)\((.*)\) += ", line)
        if call:
            process, name, shown = call.groups()
            counts[process, name] = counts.get((process, name), 0) + 1
            is_child = process != calls[0].split()[0]
            found.setdefault((is_child, name, counts[process, name]), shown)
    return found


def show(call, values):
    """Arguments that are numbers, as far as a name matters."""
    place = COMMANDS.get(call)
    if place is not None:
        values[place] = COMMAND_NAMES.get(values[place], values[place])
    return ", ".join(values[:ARITIES.get(call)])


def hits(lines, fault, known):
    """The calls that were spoiled, as strace would show them, behind a line on the first process.
    `known`: the arguments of the same calls without the fault, from which on it is another run."""
    if not lines:
        return []
    first = lines[0].split()[1]
    found = [f"{first} +++ began +++"]
    for word, process, *values in map(str.split, lines):
        if word != "spoiled":
            continue
        number, *values = values
        same = (process != first, fault.what, fault.number)
        shown = known[same] if int(number) == fault.number and same in known and \
            fault.what not in ARITIES else show(fault.what, values)
        what = f"--- {fault.effect} ---" if fault.is_signal else \
            f"= -1 {fault.effect} ({os.strerror(getattr(errno, fault.effect))}) (INJECTED)"
        found.append(f"{process} {fault.what}({shown}) {what}")
    return found
