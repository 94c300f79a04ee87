# SPDX-License-Identifier: MIT
"""Failures that are as they should be: each with a name, a reason, and what it holds for."""

import collections
import re

import fault as faults

Exemption = collections.namedtuple("Exemption", "name reason holds")


def spoils(run, pattern):
    """Whether one of the calls that failed is such a one."""
    return any(re.search(pattern, line) for line in run.hits)


def differs(problem):
    return problem.startswith("the output differs")


EXEMPTIONS = [
    Exemption("stderr", "what cannot be written to stderr is not there to be found",
              lambda run, problem: spoils(run, r"write\(2,") and not re.search(
                  r"^(too much|killed|it hangs|queued|status \d+$)|is left$", problem)),
    Exemption("pool", "without the C++ library's pool for that, no exception can be thrown",
              lambda run, problem: str(run.fault) == "malloc#1+"
              and b"terminate called" in run.stderr),
    Exemption("nss", "glibc's name service does not bear being without memory",
              lambda run, problem: run.fault.what == "malloc" and run.status in (-6, -11)
              and "libc.so" in run.calls[0]
              and {"show", "set", "--limits", "--openmetrics"} & {*run.case.argv}),
    Exemption("unremovable", "where the kernel does not let it remove what it made, that stays",
              lambda run, problem: spoils(run, r"shmctl\(\d+, IPC_RMID")
              and problem.startswith("it says None")),
    Exemption("early", "without memory to read the command line, that it has a COMMAND is unknown",
              lambda run, problem: problem == "status 2" and run.fault.what == "malloc"
              and bool(run.case.command) and run.fault.number < 10),
    Exemption("empty", "where the kernel says that the queue is empty, --all has come to its end",
              lambda run, problem: run.status in (0, 1) and not problem.startswith(("lost", "too"))
              and spoils(run, r"(msgrcv|mq_timedreceive)\(.*(ENOMSG|EAGAIN|ETIMEDOUT)")),
    Exemption("removed", "where the kernel says that the queue is removed, --follow has",
              lambda run, problem: differs(problem) and "-fP" in run.case.argv
              and spoils(run, r"msgrcv\(.*EIDRM")),
    Exemption("details", "show leaves out what the kernel does not tell of a queue",
              lambda run, problem: differs(problem) and run.case.tool == "mqctl"
              and spoils(run, r"pread64\(\d+, \w+, 256, 0\)|mq_open\(.*EACCES")),
    Exemption("fate", "where COMMAND's status cannot be had, its message goes back, taken or not",
              lambda run, problem: problem.startswith(("too much", "sent"))
              and spoils(run, r"waitid\(.*ECHILD")),
    Exemption("limited", "a limit is COMMAND's as well, which ends as it likes",
              lambda run, problem: run.fault.what in faults.LIMITS
              and (bool(run.case.command) or "-x" in run.case.argv)
              and problem.startswith(("status", "no diagnostic", "what ran wrote"))),
    Exemption("lookup", "glibc's name service reads files, which nothing interrupts",
              lambda run, problem: problem.startswith("status") and run.fault.effect == "EINTR"
              and b"cannot look up the name" in run.stderr),
    Exemption("staying", "where nothing can be removed, what was made stays",
              lambda run, problem: problem.endswith("was made, and nobody is told")
              and spoils(run, r"(msgctl\(\d+|semctl\(\d+, 0), IPC_RMID")),
    Exemption("values", "show leaves out the values that may not be read",
              lambda run, problem: differs(problem) and run.case.argv[:2] == ("semctl", "show")
              and spoils(run, r"semctl\(\d+, 0, GETVAL.*EACCES")),
    Exemption("closing", "when stdout cannot be closed, what was asked for has been done",
              lambda run, problem: " is [" in problem and spoils(run, r"close\(1\)")),
    Exemption("part", "what is killed while it has a part of what it waits for takes that along",
              lambda run, problem: " is [" in problem and run.fault.effect == "SIGKILL"
              and run.case.argv[:2] == ("semctl", "wait") and not run.hit_child),
    Exemption("guard", "when the guard itself is killed, nobody gives back",
              lambda run, problem: " is [" in problem and run.fault.effect == "SIGKILL"
              and "run" in run.case.argv and run.hit_child),
    Exemption("gone", "of a process that the kernel says is gone, sigwatch waits to hear how",
              lambda run, problem: (problem == "it hangs" or differs(problem))
              and spoils(run, r"ptrace\(.*ESRCH|waitid\(P_PID.*ECHILD")),
    Exemption("departed", "where the kernel says that a FIFO's reader is gone, it gets no more",
              lambda run, problem: " got " in problem and spoils(run, r"write\([^12].*EPIPE")),
    Exemption("full", "where the kernel says that a FIFO is full, records are dropped, and counted",
              lambda run, problem: "--slow=drop" in run.case.argv and b"too slow" in run.stderr
              and spoils(run, r"write\([^12].*EAGAIN")),
    Exemption("unlinked", "where the kernel says that a FIFO is gone, there is nothing to remove",
              lambda run, problem: problem == "made is left"
              and spoils(run, r"(openat|unlinkat|renameat2|newfstatat)\(.*ENOENT")),
    Exemption("hidden", "what is killed while it removes a file by its identity leaves it renamed",
              lambda run, problem: run.fault.effect == "SIGKILL"
              and re.search(r"(^|/)\.ipctools-\d+ is left$", problem)),
    Exemption("unclosed", "what close(2) fails for is closed all the same, but strace leaves it open",
              lambda run, problem: spoils(run, r" close\((?!1\))")
              and not re.search(r"^killed|^it hangs| is left$", problem)),
    Exemption("unheard", "a child that cannot say why it did not become COMMAND",
              lambda run, problem: problem in ("no diagnostic", "status 125 after EINTR")
              and spoils(run, r"(read|write)\(\d+, .*, 4\)")),
]


def may_hang(run):
    """Whether that would be "gone": a hang that is right need not be waited out."""
    return run.case.tool == "sigwatch" and run.fault.effect in ("ESRCH", "ECHILD")


def find(run, problem):
    for exemption in EXEMPTIONS:
        if exemption.holds(run, problem):
            return exemption
    return None
