# SPDX-License-Identifier: MIT
"""One run of a case with a fault, in a place that nothing else is in, and all that is to be known
about it afterwards."""

import contextlib
import ctypes
import dataclasses
import errno
import fnmatch
import functools
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import exemptions
import fault as faults
import injection
import memory
import queues
import semaphores

PATIENCE = float(os.environ.get("PATIENCE", 120))  # seconds, for what takes two at most
CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER = 0x00020000, 0x08000000, 0x10000000
PR_SET_CHILD_SUBREAPER = 36
libc = ctypes.CDLL(None, use_errno=True)


@dataclasses.dataclass
class Peer:
    """The other side of a stream, afterwards."""
    status: int = 0  # SIGTERM if it waited for a stream that it had not joined
    stdout: bytes = b""
    stderr: bytes = b""
    is_unaware: bool = False  # it still waited a second after the end of ours


@dataclasses.dataclass
class Run:
    """What came of it."""
    case: object
    fault: object
    work: object  # the directory that it runs in
    status: int = 0  # negative: the signal that ended it
    hung: bool = False
    hits: list = dataclasses.field(default_factory=list)  # the calls we spoiled, as strace shows them
    calls: list = dataclasses.field(default_factory=list)  # all of strace's; those; or fail_malloc's
    output: pathlib.Path = None  # the file that stdout is
    stdout: bytes = b""
    stderr: bytes = b""
    offset: int = 0  # of stdin, where that is a file
    files: dict = dataclasses.field(default_factory=dict)  # what COMMANDs wrote
    left: dict = dataclasses.field(default_factory=dict)  # queue: its messages, afterwards
    memory: dict = dataclasses.field(default_factory=dict)  # object: its content, afterwards
    values: dict = dataclasses.field(default_factory=dict)  # semaphore: its values, afterwards
    modes: dict = dataclasses.field(default_factory=dict)  # object: its permissions, afterwards
    added: list = dataclasses.field(default_factory=list)  # messages, or posts, while it ran
    taken: list = dataclasses.field(default_factory=list)  # the same
    peer: Peer = None
    victim: object = None  # how the process that it signalled has ended, if it has
    tool_pid: int = 0
    victim_pid: int = 0
    writers: dict = dataclasses.field(default_factory=dict)  # FIFO: our descriptor of it
    readers: dict = dataclasses.field(default_factory=dict)  # FIFO: our descriptor of it
    fifos: dict = dataclasses.field(default_factory=dict)  # FIFO: what came out of it
    fifos_left: list = dataclasses.field(default_factory=list)  # of those that it makes
    strangers: list = dataclasses.field(default_factory=list)  # what it should not have left

    def open_reader(self, name):
        """Reads from a FIFO to the end, if it is there and we do not yet."""
        path = self.work / name
        if name not in self.readers and path.exists():
            self.readers[name] = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def read_fifos(self):
        """What has come through them so far."""
        for name, fd in self.readers.items():
            with contextlib.suppress(BlockingIOError):
                self.fifos[name] = self.fifos.get(name, b"") + os.read(fd, 1 << 20)

    def open_writer(self, name, content):
        """Puts this into a FIFO, which holds it for as long as we have it open."""
        self.writers[name] = os.open(self.work / name, os.O_RDWR | os.O_NONBLOCK)
        os.write(self.writers[name], content)

    def close_writers(self):
        for fd in self.writers.values():
            os.close(fd)
        self.writers.clear()

    @property
    def is_reached(self):
        """Whether the call that was to be spoiled was made at all."""
        return bool(self.hits) or not self.fault.effect

    def send(self, number):
        """A signal to the tool itself."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.tool_pid, number)

    @property
    def hit_child(self):
        """Whether it was in the child that was to become COMMAND."""
        return any(line.split()[0] != self.calls[0].split()[0] for line in self.hits)


def isolate():
    """An IPC namespace, a /dev/mqueue and a /dev/shm for this process. False if that is not
    allowed."""
    user, group = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWNS | CLONE_NEWIPC) != 0:
        if libc.unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWIPC) != 0:
            return False
        pathlib.Path("/proc/self/setgroups").write_text("deny")
        pathlib.Path("/proc/self/gid_map").write_text(f"0 {group} 1")
        pathlib.Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    return all(subprocess.run(["mount", "-t", kind, "none", place]).returncode == 0
               for kind, place in (("mqueue", "/dev/mqueue"), ("tmpfs", "/dev/shm")))


def state_of(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(") ")[2][0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm") as name:
            return name.read().rstrip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def children_of(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as children:
            return [int(child) for child in children.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def continue_stopped(processes):
    """These and their children; not those that sleep, which it would wake again and again."""
    for parent in processes:
        for process in [parent, *children_of(parent)]:
            if state_of(process) in "tT":
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGCONT)


def is_expected(name, before, case):
    """Whether the object of this name was there, or may have been made."""
    return name in before or any(fnmatch.fnmatch(name, pattern) for pattern in case.creates)


def remove_memory():
    """What there was of shared memory and semaphores, of both families."""
    files = [f"/dev/shm/{name}" for name in os.listdir("/dev/shm")]
    for file in files:
        os.unlink(file)
    objects = []
    for kind in "shm", "sem":
        with open(f"/proc/sysvipc/{kind}") as rows:
            objects += [f"{kind} of System V, id {row.split()[1]}" for row in list(rows)[1:]]
    if objects:
        subprocess.run(["ipcrm", "-a"], check=True)
    return files + objects


def create_patiently(name, settings):
    """Other programs of this user may be using up RLIMIT_MSGQUEUE for a while."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return queues.create_queue(name, **settings)
        except OSError as error:
            if error.errno != errno.EMFILE or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def feed(pipe, data):
    with contextlib.suppress(BrokenPipeError), pipe:
        pipe.write(data)


def read_what_is_there(fd):
    """All of a non-blocking pipe, which is closed."""
    data = b""
    with open(fd, "rb", buffering=0) as pipe:
        while block := pipe.read(65536):
            data += block
    return data


def whole_calls(lines):
    """strace's lines, each call in one of them: it parts those that another process got between."""
    calls, parts = [], {}
    for line in lines:
        process = line.partition(" ")[0]
        end = re.match(r"\d+ +<\.\.\. \w+ resumed>(.*)", line)
        if end and process in parts:
            calls[parts.pop(process)] += end[1]
            continue
        if line.endswith(" <unfinished ...>"):
            parts[process] = len(calls)
            line = line.removesuffix(" <unfinished ...>")
        calls.append(line)
    return calls


def start_victim(behaviour):
    """Sleeps already. Who traces one that is still in execve(2) has to wait for that, and seems to
    sleep while it does not trace it yet."""
    ignore = functools.partial(signal.signal, signal.SIGTERM, signal.SIG_IGN)
    victim = subprocess.Popen(["sleep", "1000"], start_new_session=True,
                              preexec_fn=ignore if behaviour == "ignores" else None)
    while victim.poll() is None and (name_of(victim.pid), state_of(victim.pid)) != ("sleep", "S"):
        time.sleep(0.0005)
    return victim


def end_victim(victim, is_awaited):
    """How it has ended; nothing if it has not."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        victim.wait(2 if is_awaited else 0)
    status = victim.poll()
    victim.kill()
    victim.wait()
    return status


class Place:
    """Where runs are made, one after the other; it has a directory in `home`."""

    def __init__(self, home):
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.home = pathlib.Path(tempfile.mkdtemp(dir=home))
        self.log = str(self.home / "strace")
        self.environment = {**os.environb, b"ASAN_OPTIONS": b"detect_leaks=0",  # it bears no tracer
                            b"PATH": os.environb[b"IPCTOOLS_BIN"] + b":/usr/bin:/bin"}

    def count_allocations(self, case):
        return int(self.run(case, faults.Fault("malloc", 0)).calls[0])

    def run(self, case, fault=faults.NONE, known=None):
        """`known`: injection.arguments() of a run without a fault."""
        work = self.home / "work"
        run = Run(case, fault, work)
        work.mkdir()
        for name in case.readers:
            os.mkfifo(work / name)
            run.open_reader(name)
        for name, content in case.fifos.items():
            os.mkfifo(work / name)
            run.open_writer(name, content)
        held = [self.make_queue(name, *how) for name, how in case.queues.items()]
        if not case.is_held:
            held.clear()
        for name, content in case.memory.items():
            memory.create(name, content)
        for name, values in case.semaphores.items():
            semaphores.create(name, values)
        victim = start_victim(case.victim) if case.victim else None
        try:
            self.execute(run, work, victim)
            self.read_log(run, known or {})
        finally:
            if victim:
                run.victim = end_victim(victim, run.status == case.status and case.victim != "stays")
            self.collect(run, work)
        return run

    def make_queue(self, name, messages, settings):
        """Open."""
        create_patiently(name, settings)
        queue = queues.open_queue(name)
        assert queues.fill(queue, messages) == messages
        return queue

    def execute(self, run, work, victim):
        case = run.case
        run.victim_pid = victim.pid if victim else 0
        argv = [str(victim.pid) if word == "PID" else word for word in case.argv]
        stderr, stderr_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)  # which no limit is for
        os.set_blocking(stderr_end, True)
        with open(self.home / "stdin", "w+b") as stdin, \
                open(self.home / "stdout", "w+b") as stdout:
            run.output = pathlib.Path(stdout.name)
            stdin.write(case.stdin)
            stdin.seek(0)
            process = subprocess.Popen(
                run.fault.command(argv, self.home.parent, self.log, case.is_tracer), cwd=work,
                stdout=stdout, stderr=stderr_end,
                stdin=subprocess.PIPE if case.stdin_is_pipe else stdin,
                env={**self.environment, **run.fault.environment(case.tool, self.log)},
                start_new_session=True)
            os.close(stderr_end)
            peer = self.start_peer(case) if case.peer else None
            if case.stdin_is_pipe:  # which may be full while the tool is stopped
                feeder = threading.Thread(target=feed, args=(process.stdin, case.stdin))
                feeder.start()
            self.attend(run, process)
            if case.stdin_is_pipe:
                feeder.join()
            if peer:
                run.peer = self.finish_peer(peer)
            run.offset = os.lseek(stdin.fileno(), 0, os.SEEK_CUR)
            run.status = process.returncode
            run.stdout = run.output.read_bytes()
        run.stderr = read_what_is_there(stderr)

    def start_peer(self, case):
        with open(self.home / "peer.stdin", "w+b") as stdin:
            stdin.write(case.stdin)
            stdin.seek(0)
            return subprocess.Popen(case.peer, stdin=stdin, stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE)

    def finish_peer(self, process):
        """It ends, too, unless it has not joined the stream: then it waits for another."""
        peer = Peer()
        begun = time.monotonic()
        patience = 0.02
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                peer.stdout, peer.stderr = process.communicate(timeout=patience)
                peer.status = process.returncode
                return peer
            waited = time.monotonic() - begun
            peer.is_unaware = waited > 1
            if peer.is_unaware or (waited > 0.1 and not memory.is_joined()):
                process.terminate()
                patience = None

    def read_log(self, run, known):
        if not os.path.exists(self.log):
            return
        lines = pathlib.Path(self.log).read_text(errors="replace").splitlines()
        os.remove(self.log)
        if run.fault.effect:
            run.calls = injection.hits(lines, run.fault, known)
            run.hits = run.calls[1:]
        else:
            run.calls = whole_calls(lines)
            if run.case.is_tracer and run.fault.is_traced:  # strace names no process then
                run.calls = [f"0 {line}" for line in run.calls]

    def attend(self, run, process):
        """Waits for the end; wakes what sleeps or has stopped."""
        patience = min(PATIENCE, 5) if exemptions.may_hang(run) else PATIENCE
        deadline = time.monotonic() + patience
        stops = run.fault.effect == "SIGSTOP"
        acted = 0
        pause = 0.5 if stops or run.case.asleep else 1000 * patience  # milliseconds
        end = select.poll()
        pidfd = os.pidfd_open(process.pid)
        end.register(pidfd, select.POLLIN)
        while not end.poll(pause):
            if time.monotonic() >= deadline:
                run.hung = True
                os.killpg(process.pid, signal.SIGKILL)
                break
            pause = min(2 * pause, 5)
            children = [child for child in children_of(process.pid)
                        if name_of(child) == run.case.tool] if run.fault.is_traced else [process.pid]
            if stops and self.has_stopped():
                # What has been orphaned is ours.
                continue_stopped([*children, *children_of(os.getpid())])
            if run.case.asleep and children and state_of(children[0]) == "S":
                run.tool_pid = children[0]
                run.case.asleep(run, acted)
                acted += 1
        process.wait()
        os.close(pidfd)

    def has_stopped(self):
        try:
            return "stopped " in pathlib.Path(self.log).read_text(errors="replace")
        except FileNotFoundError:
            return False

    def collect(self, run, work):
        """The census: what is there that should not be. Everything is removed."""
        self.end_children(run)
        for name in queues.list_queues():
            if is_expected(name, run.case.queues, run.case):
                queue = queues.open_queue(name)
                run.left[name] = queues.drain(queue)
                run.modes[name] = queue.mode()
            else:
                run.strangers.append(name)
            queues.remove_queue(name)
        for name in memory.names():
            if is_expected(name, run.case.memory, run.case):
                run.memory[name] = memory.read(name)
                run.modes[name] = memory.mode(name)
                memory.remove(name)
        for name in semaphores.list_all():
            if is_expected(name, run.case.semaphores, run.case):
                run.left[name] = []
                run.values[name] = semaphores.read(name)
                run.modes[name] = semaphores.mode(name)
                semaphores.remove(name)
        run.close_writers()
        for name, reader in run.readers.items():
            run.fifos[name] = run.fifos.get(name, b"") + read_what_is_there(reader)
        for path in work.iterdir():
            if path.name in run.case.makes:
                run.fifos_left.append(path.name)
            elif path.name in run.case.readers or path.name in run.case.fifos:
                pass
            elif path.name in run.case.writes:
                run.files[path.name] = path.read_bytes()
            else:
                run.strangers.append(path.name)
        shutil.rmtree(work)
        run.strangers += remove_memory()

    def end_children(self, run):
        """Its children are ours when it is dead. Those that are about to end get a moment."""
        deadline = time.monotonic() + 2
        while True:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid != 0:
                continue
            if time.monotonic() > deadline:
                for child in children_of(os.getpid()):
                    command = pathlib.Path(f"/proc/{child}/cmdline").read_text()
                    run.strangers.append(f"process {command.replace(chr(0), ' ')}")
                    os.kill(child, signal.SIGKILL)
                deadline += PATIENCE
            time.sleep(0.001)
