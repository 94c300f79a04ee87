#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""Signals with values, for the tests: what Python's own signal module leaves out.

Usage: signals.py receive COUNT SIGNAL...   prints "NUMBER CODE PID UID VALUE" for each, once it has
                                            written a newline to descriptor 9
       signals.py queue PID SIGNAL FIRST LAST   queues the values in this order; waits where the
                                            receiver's queue is full
       signals.py thread PID TID SIGNAL     sends it to one thread
       signals.py poll PID [SIGNAL]         has input on a pipe told to that process
       signals.py stream PID SIGNAL         has what becomes of a socket told to that process
       signals.py info PID SIGNAL VALUE CODE...   sends it as the kernel or the C library would
       signals.py timer VALUE               a timer of its own sends it USR1, with this value
       signals.py message QUEUE VALUE       registers for the POSIX queue, with USR1 and this value
"""

import ctypes
import errno
import fcntl
import os
import select
import signal
import socket
import struct
import sys
import time

F_SETSIG = 10
SYS_RT_SIGQUEUEINFO = {"x86_64": 129, "aarch64": 138, "riscv64": 138}
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


def thread(pid, tid, name):
    if libc.tgkill(int(pid), int(tid), number_of(name)) != 0:
        sys.exit(os.strerror(ctypes.get_errno()))


def notify(fd, pid, name):
    fcntl.fcntl(fd, fcntl.F_SETOWN, int(pid))
    fcntl.fcntl(fd, F_SETSIG, number_of(name))
    fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | os.O_ASYNC)


def poll(pid, name="IO"):
    reader, writer = os.pipe()
    notify(reader, pid, name)
    os.write(writer, b"x")


def stream(pid, name):
    reader, writer = socket.socketpair()
    notify(reader, pid, name)
    writer.send(b"x")
    writer.close()


def info(pid, name, value, *codes):
    for code in codes:
        told = struct.pack("=iiiiiIq", number_of(name), 0, int(code), 0, os.getpid(), os.getuid(),
                           int(value))
        if libc.syscall(SYS_RT_SIGQUEUEINFO[os.uname().machine], int(pid), number_of(name),
                        ctypes.create_string_buffer(told, 128)) != 0:
            sys.exit(os.strerror(ctypes.get_errno()))


def sigevent(value):
    """SIGEV_SIGNAL, with USR1."""
    return ctypes.create_string_buffer(struct.pack("=Qii", value, signal.SIGUSR1, 0), 64)


def await_usr1():
    signal.signal(signal.SIGUSR1, lambda *_: sys.exit(0))
    # A pause(2) would not see one that came just before it.
    has_come, end = os.pipe2(os.O_NONBLOCK)
    signal.set_wakeup_fd(end)
    select.select([has_come], [], [])


def timer(value):
    timer_id = ctypes.c_void_p()
    librt = ctypes.CDLL("librt.so.1", use_errno=True)
    signal.signal(signal.SIGUSR1, lambda *_: sys.exit(0))
    librt.timer_create(time.CLOCK_MONOTONIC, sigevent(int(value)), ctypes.byref(timer_id))
    once = ctypes.create_string_buffer(struct.pack("=qqqq", 0, 0, 0, 1000000), 32)
    librt.timer_settime(timer_id, 0, once, None)
    await_usr1()


def message(name, value):
    librt = ctypes.CDLL("librt.so.1", use_errno=True)
    signal.signal(signal.SIGUSR1, lambda *_: sys.exit(0))
    queue_fd = librt.mq_open(name.encode(), os.O_RDONLY)
    if queue_fd < 0 or librt.mq_notify(queue_fd, sigevent(int(value))) != 0:
        sys.exit(os.strerror(ctypes.get_errno()))
    print("registered", flush=True)
    await_usr1()


if __name__ == "__main__":
    commands = {command.__name__: command
                for command in (receive, queue, thread, poll, stream, info, timer, message)}
    commands[sys.argv[1]](*sys.argv[2:])
