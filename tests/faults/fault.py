# SPDX-License-Identifier: MIT
"""What can be done to a run. Each fault has a name, by which it can be done again:

    read#2=EIO      the second read(2) of a process fails so; read#2=EIO+: so does each after it
    read#2=SIGKILL  a signal as that call begins; SIGSTOP is followed by SIGCONT
    malloc#7        the seventh allocation fails; malloc#7+: so does each after it
    nofile=5        a limit, by the names of prlimit(1); fsize=5 makes a write end in the middle
"""

import dataclasses
import os
import re

import errnos
import injection

# WINCH is ignored, but where a process is traced, it interrupts the call all the same.
SIGNALS = ("SIGKILL", "SIGTERM", "SIGSTOP", "SIGWINCH", "SIGUSR1")

LIMITS = ("nofile", "as", "fsize")


@dataclasses.dataclass(frozen=True)
class Fault:
    what: str  # of a system call, "malloc", of a limit; nothing: none
    number: int  # which of the calls; the limit
    effect: str = ""  # an errno or a signal
    lasts: bool = False

    def __str__(self):
        if self.what in LIMITS:
            return f"{self.what}={self.number}"
        effect = f"={self.effect}" if self.effect else ""
        return f"{self.what}#{self.number}{effect}{'+' if self.lasts else ''}"

    @property
    def is_signal(self):
        return self.effect.startswith("SIG")

    @property
    def is_traced(self):
        return bool(self.effect) or self == NONE

    @property
    def kind(self):
        """What a sample has one of: for each tool."""
        if self.what in LIMITS or self.what == "malloc":
            return self.what
        return f"{self.what}={self.effect}{'+' if self.lasts else ''}"

    def command(self, argv, directory, log, is_tracer):
        """What runs `argv` with this fault, or to see its calls. COMMANDs are none of our business:
        they are let go when they begin; of one that traces them itself they are not followed."""
        if self.what in LIMITS:
            return ["prlimit", f"--{self.what}={self.number}", *argv]
        if self.effect:
            return [*injection.command(directory, self, log, is_tracer), *argv]
        if self == NONE:
            follow = [] if is_tracer else ["-f"]
            return ["strace", *follow, "-qq", "--detach-on=execve", "-o", log, *argv]
        return list(argv)

    def environment(self, tool, log):
        """The variables that tell fail_malloc.so, one directory above the tools, what to do."""
        if self.what != "malloc":
            return {}
        return {"LD_PRELOAD": f"{os.environ['IPCTOOLS_BIN']}/../fail_malloc.so",
                "FAIL_MALLOC": f"{self.number}{'+' if self.lasts else ''}",
                "FAIL_MALLOC_IN": tool,
                "FAIL_MALLOC_LOG": log}


NONE = Fault("", 0)


def parse(name):
    """None if it names no fault."""
    if limit := re.fullmatch(rf"({'|'.join(LIMITS)})=(\d+)", name):
        return Fault(limit[1], int(limit[2]))
    call = re.fullmatch(r"(\w+)#(\d+)(?:=([A-Z0-9]+))?(\+?)", name)
    if not call or (call[1] == "malloc") == bool(call[3]):
        return None
    return Fault(call[1], int(call[2]), call[3] or "", bool(call[4]))


def of_calls(lines, sanitized):
    """The faults to try on what strace wrote of a run, from the tool's own first call on. The
    sanitizers make calls of their own, and need their mappings."""
    counts = {}
    seen = {}  # in order
    begun = False
    for line in lines:
        call = re.match(r"(\d+) +(\w+)\((.*)", line)
        if not call:
            continue
        process, name, arguments = call.groups()
        begun = begun or (name == "fcntl" and arguments.startswith("0, F_GETFD"))
        counts[process, name] = counts.get((process, name), 0) + 1
        if begun:
            seen.setdefault((name, counts[process, name]), arguments)
    for (name, number), arguments in seen.items():
        theirs = sanitized and errnos.is_of_sanitizers(name, arguments)
        if name in errnos.INFALLIBLE or theirs:
            continue
        for error in errnos.plausible(name, arguments):
            yield Fault(name, number, error)
            if error not in errnos.PASSING and not (sanitized and name == "write"):
                yield Fault(name, number, error, lasts=True)
        if name != "execve":  # with which strace lets go
            for signal in SIGNALS:
                yield Fault(name, number, signal)
