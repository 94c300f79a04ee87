# SPDX-License-Identifier: MIT
"""Semaphores as the kernel and the C library have them, without our tools. All are lists of values:
of the members of a System V set, or of the one that a POSIX semaphore is."""

import ctypes
import os
import pathlib

libc = ctypes.CDLL(None, use_errno=True)
posix = libc if hasattr(libc, "sem_open") else ctypes.CDLL("libpthread.so.0", use_errno=True)
posix.sem_open.restype = ctypes.c_void_p
IPC_RMID, GETVAL, SETVAL = 0, 12, 16
CREATE_NEW = 0o3000  # IPC_CREAT | IPC_EXCL


def checked(result):
    if result in (-1, None):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def is_posix(name):
    return name.startswith("/")


def file_of(name):
    return pathlib.Path(f"/dev/shm/sem.{name[1:]}")


def open_posix(name, *creating):
    return ctypes.c_void_p(checked(posix.sem_open(name.encode(), *creating)))


def set_id(name):
    if name.startswith("id:"):
        return int(name[3:])
    return checked(libc.semget(ctypes.c_int(int(name[len("key:"):], 0)), 0, 0))


def row(name):
    """KEY ID MODE MEMBERS ..."""
    number = str(set_id(name))
    with open("/proc/sysvipc/sem") as rows:
        return next(fields for fields in map(str.split, rows) if fields[1] == number)


def create(name, values):
    """A new one of mode 0600."""
    if is_posix(name):
        posix.sem_close(open_posix(name, os.O_CREAT | os.O_EXCL, 0o600, values[0]))
        return
    key = ctypes.c_int(int(name[len("key:"):], 0))
    number = checked(libc.semget(key, len(values), CREATE_NEW | 0o600))
    for index, value in enumerate(values):
        checked(libc.semctl(number, index, SETVAL, value))


def read(name):
    if not is_posix(name):
        number = set_id(name)
        return [checked(libc.semctl(number, index, GETVAL)) for index in range(int(row(name)[3]))]
    semaphore, value = open_posix(name, 0), ctypes.c_int()
    checked(posix.sem_getvalue(semaphore, ctypes.byref(value)))
    posix.sem_close(semaphore)
    return [value.value]


def post(name):
    """Adds one to the first."""
    if is_posix(name):
        semaphore = open_posix(name, 0)
        checked(posix.sem_post(semaphore))
        posix.sem_close(semaphore)
    else:
        operation = (ctypes.c_short * 3)(0, 1, 0)
        checked(libc.semop(set_id(name), operation, ctypes.c_size_t(1)))


def mode(name):
    return file_of(name).stat().st_mode & 0o777 if is_posix(name) else int(row(name)[2], 8)


def remove(name):
    if is_posix(name):
        file_of(name).unlink()
    else:
        checked(libc.semctl(set_id(name), 0, IPC_RMID))


def list_all():
    """The names of all that can be seen; those of System V as key:0x%08x, or id:N."""
    names = ["/" + file.name[len("sem."):] for file in pathlib.Path("/dev/shm").glob("sem.*")]
    with open("/proc/sysvipc/sem") as rows:
        for fields in list(rows)[1:]:
            key, number = map(int, fields.split()[:2])
            names.append(f"key:{key & 0xffffffff:#010x}" if key else f"id:{number}")
    return names
