# SPDX-License-Identifier: MIT
"""What putback.bats asks: `ledger.py FUNCTION ARGUMENT...`."""

import collections
import fcntl
import os
import select
import signal
import subprocess
import sys
import termios
import time

from queues import carried, discrepancies, drain, fill, make, open_queue, parse, record

PATIENCE = float(os.environ["PATIENCE"])


def account(sent, accepted, kept, stderr, what=""):
    problems = discrepancies(sent, accepted, kept, stderr)
    if problems:
        sys.exit("\n".join([what, *problems[-11:], stderr.decode(errors="replace")[-500:]]))


def expect(condition, what, process=None):
    if not condition:
        sys.exit(f"{what}; stderr: {process.said()[-500:]}" if process else what)


def until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        expect(time.monotonic() < deadline, f"in vain: {what}")
        time.sleep(0.0005)


class Receiver:
    """mqreceive, with a small pipe as its stdout that we read or do not read."""

    def __init__(self, *arguments, nonblocking=False):
        self.reader, writer = os.pipe()
        fcntl.fcntl(writer, 1031, 4096)  # F_SETPIPE_SZ
        os.set_blocking(self.reader, False)
        os.set_blocking(writer, not nonblocking)
        self.errors = os.memfd_create("stderr")
        self.accepted = b""
        self.process = subprocess.Popen(["env", "--default-signal", "mqreceive", *arguments],
                                        stdin=subprocess.DEVNULL, stdout=writer,
                                        stderr=self.errors)
        os.close(writer)

    def waiting_bytes(self):
        size = bytearray(4)
        fcntl.ioctl(self.reader, termios.FIONREAD, size)
        return int.from_bytes(size, sys.byteorder)

    def read(self, most=1 << 20):
        """What is there, up to `most` bytes; False at the end."""
        while most > 0:
            try:
                data = os.read(self.reader, min(most, 65536))
            except BlockingIOError:
                return True
            if not data:
                return False
            self.accepted += data
            most -= len(data)
        return True

    def read_until(self, size):
        """At least this much, if it comes at all."""
        def enough():
            return not self.read(size - len(self.accepted)) or len(self.accepted) >= size
        until(enough, f"{size} bytes")

    def read_to_end(self):
        while self.read():
            select.select([self.reader], [], [], PATIENCE)

    def is_stuck(self):
        """It sleeps although it had something to write."""
        return self.process.poll() is not None or \
            (self.waiting_bytes() > 0 and self.state() == "S")

    def get_stuck(self):
        until(self.is_stuck, "a full pipe")

    def state(self):
        try:
            with open(f"/proc/{self.process.pid}/stat") as stat:
                return stat.read().rpartition(") ")[2][0]
        except FileNotFoundError:
            return "X"

    def leave(self):
        """Closes the pipe, knowing all that went into it."""
        self.process.send_signal(signal.SIGSTOP)
        until(lambda: self.state() in "TZX", "stopped")
        self.read()
        os.close(self.reader)
        self.reader = -1
        self.process.send_signal(signal.SIGCONT)

    def wait(self):
        status = self.process.wait(PATIENCE)
        if self.reader != -1:
            self.read()
            os.close(self.reader)
        return status

    def said(self):
        return os.pread(self.errors, 1 << 20, 0)


# ---- Commands for the tests in bash ----


def fill_queue(name, count, size):
    """Prints the records of what it sent."""
    for message in fill(open_queue(name), make(int(count), int(size))):
        sys.stdout.buffer.write(record(message) + b"\n")


def account_files(sent, accepted, stderr, *queues):
    def content(path):
        with open(path, "rb") as file:
            return file.read()
    kept = [message for name in queues for message in drain(open_queue(name))]
    account([parse(line) for line in content(sent).splitlines()], content(accepted), kept,
            content(stderr))


# ---- Whole tests ----


def reader_leaves(name, *options):
    queue = open_queue(name)
    for size in 0, 1, 100, 1400, 1402, 4096, 5000, 12000:
        sent = fill(queue, make(10, 1400))
        receiver = Receiver(*options, "-P", name)
        receiver.read_until(size)
        receiver.get_stuck()
        receiver.leave()
        status = receiver.wait()
        if status != 0 or size < 9000:
            expect(status == 2, f"status {status} after {size} bytes", receiver)
            expect(b"stdout: cannot write: Broken pipe" in receiver.said(), "no reason", receiver)
            expect(receiver.said().count(b"\n") == 1, "not one line", receiver)
        account(sent, receiver.accepted, drain(queue), receiver.said(), f"left after {size} bytes")


def slow_reader(name, *options):
    """A pipe that others made non-blocking loses nothing either."""
    queue = open_queue(name)
    sent = fill(queue, make(10, 1400))
    receiver = Receiver(*options, "-P", name, nonblocking=True)
    for size in range(1000, 14000, 1000):
        receiver.read_until(size)
        receiver.get_stuck()
    receiver.read_to_end()
    status = receiver.wait()
    expect(status == 0, f"status {status}", receiver)
    expect(receiver.accepted.count(b"\n") == 10, "not all was written", receiver)
    account(sent, receiver.accepted, drain(queue), receiver.said())


def signal_while_writing(name, signal_name, *options):
    """At many moments, with a reader that reads on, leaves, or reads no more."""
    number = getattr(signal, signal_name)
    queue = open_queue(name)
    kinds = ["early"] * 12 + ["reading"] * 12 + ["leaving"] * 12 + ["stuck"]
    for i, kind in enumerate(kinds):
        sent = fill(queue, make(10, 1400))
        receiver = Receiver("-f", *options, "-P", name)
        if kind == "early":
            moment = time.monotonic() + i * 0.0004
            while time.monotonic() < moment:
                receiver.read()
        else:
            receiver.read_until(i * 997 % 10000)
        if kind == "stuck":
            receiver.get_stuck()
        receiver.process.send_signal(number)
        if kind in ("early", "reading"):
            receiver.read_to_end()
        elif kind == "leaving":
            receiver.leave()
        status = receiver.wait()
        what = f"round {i}, {kind}"
        expect(status == -number, f"{what}: status {status}", receiver)
        account(sent, receiver.accepted, drain(queue), receiver.said(), what)


def signal_with_command(name, signal_name):
    """COMMAND has written its message if and only if it ends with 0."""
    number = getattr(signal, signal_name)
    queue = open_queue(name)
    command = 'trap "" INT TERM; printf "%s\\t" "$MQ_PRIORITY"; cat; echo'
    for i in range(16):
        sent = fill(queue, make(6, 500))
        receiver = Receiver("-f", name, "--", "sh", "-c", command)
        if i % 2:
            receiver.read_until(i * 97 % 1200)
        else:
            moment = time.monotonic() + i * 0.001
            while time.monotonic() < moment:
                receiver.read()
        receiver.process.send_signal(number)
        receiver.read_to_end()
        status = receiver.wait()
        expect(status == -number, f"round {i}: status {status}", receiver)
        account(sent, receiver.accepted, drain(queue), receiver.said(), f"round {i}")


def end_with_loss(receiver, how):
    """By its reader's leaving or a signal, when not all it holds can go back."""
    if how == "close":
        receiver.leave()
    else:
        receiver.process.send_signal(signal.SIGTERM)
    status = receiver.wait()
    expected = 3 if how == "close" else -signal.SIGTERM
    expect(status == expected, f"status {status}, expected {expected}", receiver)


def refilled(name, how, room, spare):
    """Producers fill the queue, but for `room` messages, while the output is stuck."""
    queue = open_queue(name)
    sent = fill(queue, make(10, 1400))
    receiver = Receiver("-fP", name)
    receiver.get_stuck()
    expect(queue.count() == 0, "it did not take all before it wrote", receiver)
    refill = fill(queue, make(40, 1400, "refill"))
    sent += refill
    for _ in range(int(room)):
        sent.remove(queue.receive())
    end_with_loss(receiver, how)
    kept = drain(queue)
    expect(len(kept) == len(refill), f"{len(kept)} queued", receiver)
    account(sent, receiver.accepted, kept, receiver.said())
    # What is on stderr can be sent again.
    lines = b"".join(l for l in receiver.said().splitlines(True) if l.startswith(b"{"))
    expect(lines.count(b"\n") > 0, "nothing on stderr", receiver)
    subprocess.run(["mqsend", "-J", spare], input=lines, check=True, timeout=PATIENCE)
    again = collections.Counter(drain(open_queue(spare)))
    expect(again == collections.Counter(carried(receiver.said())), "json came back changed")


def room_in_time(name):
    """Within its second a consumer makes room: all goes back, piece by piece."""
    queue = open_queue(name)
    sent = fill(queue, make(10, 1400))
    receiver = Receiver("-fP", name)
    receiver.get_stuck()
    sent += fill(queue, make(10, 1400, "refill"))
    moments = [time.monotonic()]
    receiver.leave()
    until(lambda: receiver.state() == "S" or receiver.process.poll() is not None, "waiting")
    consumed = []
    while receiver.process.poll() is None:
        consumed += drain(queue)
        moments.append(time.monotonic())
    status = receiver.wait()
    if carried(receiver.said()) and any(b - a > 0.9 for a, b in zip(moments, moments[1:])):
        drain(queue)
        room_in_time(name) # we were too late, not the receiver too early
        return
    expect(status == 2, f"status {status}", receiver)
    expect(not carried(receiver.said()), "it did not wait", receiver)
    account(sent, receiver.accepted, consumed + drain(queue), receiver.said())


def removed(name, how):
    """The queue is removed while the output is stuck."""
    queue = open_queue(name)
    sent = fill(queue, make(10, 1400))
    receiver = Receiver("-fP", name)
    receiver.get_stuck()
    subprocess.run(["mqctl", "rm", name], check=True)
    end_with_loss(receiver, how)
    account(sent, receiver.accepted, [], receiver.said())


globals()[sys.argv[1]](*sys.argv[2:])
