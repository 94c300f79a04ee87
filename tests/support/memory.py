# SPDX-License-Identifier: MIT
"""Shared memory objects as the kernel has them, without our tools. Names are those of the tools:
/NAME, key:N, id:N."""

import ctypes
import os

import queues

IPC_RMID, IPC_CREAT, IPC_EXCL, SHM_RDONLY = 0, 0o1000, 0o2000, 0o10000
libc = queues.libc
libc.shmat.restype = ctypes.c_void_p
libc.shmat.argtypes = ctypes.c_int, ctypes.c_void_p, ctypes.c_int
libc.shmdt.argtypes = (ctypes.c_void_p,)
libc.shmget.argtypes = ctypes.c_int, ctypes.c_size_t, ctypes.c_int


def path(name):
    return "/dev/shm" + name


def rows():
    """KEY ID MODE SIZE ... of each segment."""
    with open("/proc/sysvipc/shm") as table:
        return [line.split() for line in list(table)[1:]]


def row(name):
    if name.startswith("id:"):
        number = name[len("id:"):]
    else:
        number = str(queues.checked(libc.shmget(key(name), 0, 0)))
    return next(fields for fields in rows() if fields[1] == number)


def key(name):
    return ctypes.c_int(int(name[len("key:"):], 0)).value


class Attached:
    """A segment, while one is in its `with`: its address and size."""

    def __init__(self, name, flags=0):
        fields = row(name)
        self.id, self.size, self.flags = int(fields[1]), int(fields[3]), flags

    def __enter__(self):
        self.address = libc.shmat(self.id, None, self.flags)
        queues.checked(-1 if self.address == ctypes.c_void_p(-1).value else 0)
        return self.address, self.size

    def __exit__(self, *_):
        libc.shmdt(self.address)


def create(name, content):
    if queues.is_posix(name):
        fd = os.open(path(name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.close(fd)
    else:
        queues.checked(libc.shmget(key(name), len(content), IPC_CREAT | IPC_EXCL | 0o600))
    write(name, content)


def write(name, content):
    """From its beginning on; what is there and not written to stays."""
    if queues.is_posix(name):
        with open(path(name), "r+b") as file:
            file.write(content)
        return
    with Attached(name) as (address, size):
        assert len(content) <= size
        ctypes.memmove(address, content, len(content))


def read(name):
    if queues.is_posix(name):
        with open(path(name), "rb") as file:
            return file.read()
    with Attached(name, SHM_RDONLY) as (address, size):
        return ctypes.string_at(address, size)


def mode(name):
    if queues.is_posix(name):
        return os.stat(path(name)).st_mode & 0o777
    return int(row(name)[2], 8)


def remove(name):
    if queues.is_posix(name):
        os.unlink(path(name))
    else:
        queues.checked(libc.shmctl(int(row(name)[1]), IPC_RMID, None))


def names():
    """All of this namespace; those of System V as key:0x%08x, or id:N. No semaphores."""
    found = ["/" + name for name in os.listdir("/dev/shm") if not name.startswith("sem.")]
    for fields in rows():
        number = int(fields[0]) & 0xffffffff
        found.append(f"key:{number:#010x}" if number else f"id:{fields[1]}")
    return found


def is_joined():
    """Whether there is a ring of shmpipe whose stream has had a reader."""
    for name in names():
        try:
            header = read(name)[:4096]
        except (OSError, StopIteration):  # it went
            continue
        stream, joined = header[72:80], header[208:216]
        if header.startswith(b"shmpipe1") and stream == joined != bytes(8):
            return True
    return False
