# SPDX-License-Identifier: MIT
"""Message queues as the kernel shows them, without our tools, and the sum of what was in them.
The records of mqreceive -P are what the sums are made of."""

import base64
import collections
import ctypes
import errno
import json
import os
import re
import sys

libc = ctypes.CDLL(None, use_errno=True)
mq = libc if hasattr(libc, "mq_open") else ctypes.CDLL("librt.so.1", use_errno=True)
libc.msgrcv.restype = mq.mq_receive.restype = ctypes.c_ssize_t


def checked(result):
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


class Attributes(ctypes.Structure):
    _fields_ = [(n, ctypes.c_long) for n in ("flags", "maxmsg", "msgsize", "curmsgs")]
    _fields_ += [("reserved", ctypes.c_long * 4)]


class PosixQueue:
    def __init__(self, name):
        self.fd = checked(mq.mq_open(name.encode(), os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC))

    def __del__(self):
        if hasattr(self, "fd"):
            os.close(self.fd)

    def attributes(self):
        attributes = Attributes()
        checked(mq.mq_getattr(self.fd, ctypes.byref(attributes)))
        return attributes

    def count(self):
        return self.attributes().curmsgs

    def mode(self):
        return os.fstat(self.fd).st_mode & 0o777

    def send(self, priority, message):
        checked(mq.mq_send(self.fd, message, ctypes.c_size_t(len(message)), priority))

    def receive(self):
        room = ctypes.create_string_buffer(self.attributes().msgsize)
        priority = ctypes.c_uint()
        size = checked(mq.mq_receive(self.fd, room, ctypes.c_size_t(len(room)),
                                     ctypes.byref(priority)))
        return priority.value, room.raw[:size]


class SysvQueue:
    NOWAIT = 0o4000
    WORD = ctypes.sizeof(ctypes.c_long)

    def __init__(self, name):
        self.id = int(name[3:]) if name.startswith("id:") else \
            checked(libc.msgget(self.key(name), 0))

    @staticmethod
    def key(name):
        return ctypes.c_int(int(name[len("key:"):], 0))

    def count(self):
        return int(self.row()[4])

    def mode(self):
        return int(self.row()[2], 8)

    def row(self):
        """KEY ID MODE BYTES MESSAGES ..."""
        with open("/proc/sysvipc/msg") as rows:
            return next(fields for fields in map(str.split, rows) if fields[1] == str(self.id))

    def send(self, priority, message):
        data = priority.to_bytes(self.WORD, sys.byteorder) + message
        checked(libc.msgsnd(self.id, data, ctypes.c_size_t(len(message)), self.NOWAIT))

    def receive(self):
        room = ctypes.create_string_buffer(self.WORD + 65536)
        size = checked(libc.msgrcv(self.id, room, ctypes.c_size_t(65536), ctypes.c_long(0),
                                   self.NOWAIT))
        return (int.from_bytes(room.raw[:self.WORD], sys.byteorder),
                room.raw[self.WORD:self.WORD + size])


def is_posix(name):
    return name.startswith("/")


def open_queue(name):
    return PosixQueue(name) if is_posix(name) else SysvQueue(name)


def create_queue(name, maxmsg=10, msgsize=128):
    """A new one; `maxmsg` and `msgsize` are for POSIX."""
    if is_posix(name):
        os.close(checked(mq.mq_open(name.encode(), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600,
                                    ctypes.byref(Attributes(0, maxmsg, msgsize)))))
    else:
        checked(libc.msgget(SysvQueue.key(name), 0o3600))  # IPC_CREAT | IPC_EXCL | 0600


def remove_queue(name):
    if is_posix(name):
        checked(mq.mq_unlink(name.encode()))
    else:
        checked(libc.msgctl(SysvQueue(name).id, 0, None))


def list_queues():
    """The names of all in this IPC namespace; those of System V as key:0x%08x, or id:N."""
    names = ["/" + name for name in os.listdir("/dev/mqueue")]
    with open("/proc/sysvipc/msg") as rows:
        for row in list(rows)[1:]:
            key, number = map(int, row.split()[:2])
            names.append(f"key:{key & 0xffffffff:#010x}" if key else f"id:{number}")
    return names


def drain(queue):
    messages = []
    try:
        while True:
            messages.append(queue.receive())
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.ENOMSG):
            raise
    return messages


def fill(queue, messages):
    """As many as there is room for."""
    sent = []
    try:
        for priority, message in messages:
            queue.send(priority, message)
            sent.append((priority, message))
    except OSError as error:
        if error.errno != errno.EAGAIN:
            raise
    return sent


def make(count, size, word="message"):
    """No two alike; some priorities are."""
    return [(i * 7 % 5 + 1, f"{word}-{i}-".encode().ljust(size, b"x")) for i in range(count)]


def record(message):
    return b"%d\t%s" % message


def parse(line):
    priority, message = line.split(b"\t", 1)
    return int(priority), message


def carried(stderr):
    """The messages on stderr."""
    messages = []
    for line in stderr.splitlines():
        if line.startswith(b"{"):
            item = json.loads(line)
            data = item["data"].encode() if "data" in item else base64.b64decode(item["base64"])
            if item["size"] != len(data):
                sys.exit(f"wrong size: {line[:80]}")
            messages.append((item["priority"], data))
    return messages


def discrepancies(sent, accepted, kept, stderr):
    """Of: sent = what stdout accepted + what is in queues + what is on stderr. Empty if none."""
    problems = []
    *lines, rest = accepted.split(b"\n")
    on_stderr = carried(stderr)
    found = collections.Counter([parse(line) for line in lines] + kept + on_stderr)
    wanted = collections.Counter(sent)
    for word, difference in ("lost", wanted - found), ("too much", found - wanted):
        for (priority, message), times in difference.items():
            problems.append(f"{word}: {priority} {message[:20]} {times} times")
    cut = re.search(rb"\bcut after (\d+) bytes", stderr)
    if rest and not (cut and int(cut[1]) == len(rest)):
        problems.append(f"{len(rest)} bytes of a record were written, and stderr does not say so")
    if rest and not any(record(m).startswith(rest) for m in kept + on_stderr):
        problems.append("the cut record is no message that was returned")
    if cut and not rest:
        problems.append("stderr tells of a cut that is none")
    if problems:
        problems.append(f"sent {len(sent)}, written {len(lines)} and {len(rest)} bytes, "
                        f"kept {len(kept)}, on stderr {len(on_stderr)}")
    return problems
