# SPDX-License-Identifier: MIT
"""Which errors a system call may plausibly give, by its manual page. A call that the sweep meets
and that has no row here is an error of the sweep."""

import re

# They pass: as states that last they would be other programs' fault, and going on is right.
PASSING = {"E2BIG", "EAGAIN", "EINTR", "ENOMSG", "ETIMEDOUT"}

DESCRIPTORS = ("EMFILE", "ENFILE", "ENOMEM")
MEMORY = ("ENOMEM",)

ERRNOS = {
    # memory
    "mmap": MEMORY,
    "mremap": MEMORY,
    "mprotect": MEMORY,
    # files
    "access": ("ENOENT", "EACCES", "ENOMEM"),
    "chdir": ("EACCES", "EIO", "ENOMEM"),
    "close": ("EIO", "ENOSPC", "EINTR"),
    "close_range": ("EMFILE", "ENOMEM", "ENOSYS"),
    "dup2": ("EMFILE", "EINTR", "EBUSY"),
    "dup3": ("EMFILE", "EINTR", "EBUSY"),
    "fcntl": ("EBADF", "EMFILE", "EPERM"),
    "ioctl": ("ENOTTY", "EIO"),
    "lseek": ("ESPIPE", "EINVAL"),
    "memfd_create": (*DESCRIPTORS, "ENOSYS", "EINVAL", "EACCES"),
    "newfstatat": ("ENOENT", "EACCES", "ENOMEM"),
    "openat": ("ENOENT", "EACCES", "ELOOP", *DESCRIPTORS),
    "pipe2": ("EMFILE", "ENFILE"),
    "pread64": ("EIO", "EINTR"),
    "read": ("EIO", "EINTR", "EAGAIN", "EISDIR"),
    "write": ("EIO", "ENOSPC", "EPIPE", "EFBIG", "EDQUOT", "EINTR", "EAGAIN"),
    # FIFOs
    "mknodat": ("EACCES", "EEXIST", "ENOSPC", "EPERM", "ENOMEM"),
    "mknod": ("EACCES", "EEXIST", "ENOSPC", "EPERM", "ENOMEM"),
    "readlink": ("EACCES", "ENOENT", "ENOMEM"),
    "readlinkat": ("EACCES", "ENOENT", "ENOMEM"),
    "tee": ("EAGAIN", "EINTR", "EINVAL", "ENOMEM"),
    # waiting
    "clock_nanosleep": ("EINTR",),
    "epoll_create1": DESCRIPTORS,
    "epoll_ctl": ("ENOMEM", "ENOSPC", "EPERM"),
    "epoll_wait": ("EINTR",),
    "inotify_add_watch": ("ENOSPC", "ENOMEM", "ENOENT", "EACCES"),
    "inotify_init1": DESCRIPTORS,
    "poll": ("EINTR", "ENOMEM"),
    "ppoll": ("EINTR", "ENOMEM"),
    "signalfd4": (*DESCRIPTORS, "ENODEV"),
    "timer_create": ("EAGAIN", "ENOMEM"),
    # message queues
    "mq_notify": ("EBUSY", "ENOMEM"),
    "mq_open": ("ENOENT", "EACCES", "EEXIST", "ENOSPC", "EINVAL", *DESCRIPTORS),
    "mq_timedreceive": ("EAGAIN", "EINTR", "ETIMEDOUT", "EBADF", "EMSGSIZE", "ENOMEM"),
    "mq_timedsend": ("EAGAIN", "EINTR", "ETIMEDOUT", "EBADF", "EMSGSIZE", "ENOMEM"),
    "mq_unlink": ("ENOENT", "EACCES"),
    "msgctl": ("EACCES", "EPERM", "EIDRM", "EINVAL"),
    "msgget": ("EACCES", "EEXIST", "ENOENT", "ENOMEM", "ENOSPC"),
    "msgrcv": ("E2BIG", "EACCES", "EIDRM", "EINTR", "EINVAL", "ENOMSG"),
    "msgrcv MSG_COPY": ("ENOSYS",),
    "msgsnd": ("EACCES", "EAGAIN", "EIDRM", "EINTR", "EINVAL", "ENOMEM"),
    # shared memory
    "fallocate": ("ENOSPC", "EFBIG", "EINTR", "EIO", "ENODEV", "EOPNOTSUPP", "EPERM", "ENOMEM"),
    "ftruncate": ("EINTR", "EFBIG", "EIO", "EPERM"),
    "linkat": ("ENOENT", "EACCES", "ENOSPC", "EPERM", "ENOMEM"),
    "pwrite64": ("EIO", "ENOSPC", "EFBIG", "EPERM", "EINTR", "ENOMEM"),
    "sendfile": ("EAGAIN", "EINTR", "EINVAL", "EIO", "ENOMEM", "ENOSYS"),
    "shmat": ("EACCES", "EIDRM", "EINVAL", "ENOMEM"),
    "shmctl": ("EACCES", "EPERM", "EIDRM", "EINVAL", "ENOMEM"),
    "shmget": ("EACCES", "EEXIST", "EINVAL", "ENFILE", "ENOENT", "ENOMEM", "ENOSPC"),
    "renameat2": ("EACCES", "EEXIST", "EINVAL", "ENOENT", "EPERM", "ENOMEM"),
    "splice": ("EAGAIN", "EINTR", "EINVAL", "ENOMEM"),
    "statx": ("ENOENT", "EACCES", "ENOMEM"),
    "unlinkat": ("EACCES", "ENOENT", "EPERM", "ENOMEM"),
    "unlink": ("EACCES", "ENOENT", "EPERM", "ENOMEM"),
    # namespaces and mounts
    "fsconfig": ("EPERM", "EINVAL", "ENOMEM"),
    "fsmount": ("EPERM", *DESCRIPTORS),
    "fsopen": ("EPERM", "ENODEV", "ENOSYS", *DESCRIPTORS),
    "setns": ("EPERM", "EINVAL", "ENOMEM"),
    "statfs": ("ENOENT", "EACCES", "ENOSYS"),
    # semaphores
    "semctl": ("EACCES", "EPERM", "EIDRM", "EINVAL", "ENOMEM"),
    "semget": ("EACCES", "EEXIST", "EINVAL", "ENOENT", "ENOMEM", "ENOSPC"),
    "semop": ("EACCES", "EAGAIN", "EIDRM", "EINTR", "EINVAL", "ENOMEM", "ENOSPC", "ERANGE"),
    "semtimedop": ("EACCES", "EAGAIN", "EIDRM", "EINTR", "EINVAL", "ENOMEM", "ENOSPC", "ERANGE"),
    # owners and modes
    "chmod": ("EPERM", "ENOENT", "EROFS"),
    "chown": ("EPERM", "ENOENT", "EROFS"),
    "fchmod": ("EPERM", "EROFS"),
    "fchownat": ("EPERM", "EROFS"),
    "fchown": ("EPERM", "EROFS"),
    # processes
    "clone3": ("EAGAIN", "ENOMEM", "ENOSYS"),
    "clone": ("EAGAIN", "ENOMEM"),
    "execve": ("EACCES", "E2BIG", "ENOMEM", "ENOENT"),
    "pidfd_open": (*DESCRIPTORS, "EINVAL", "ENODEV", "ENOSYS", "EPERM", "ESRCH"),
    "kill": ("EPERM", "ESRCH"),
    "ptrace": ("ESRCH",),
    "ptrace PTRACE_SEIZE": ("EPERM",),
    "pidfd_send_signal": ("EAGAIN", "EINVAL", "EPERM", "ESRCH"),
    "sched_setscheduler": ("EPERM",),
    "setsid": ("EPERM",),
    "wait4": ("EINTR", "ECHILD"),
    "waitid": ("EINTR", "ECHILD"),
    # sockets, and name services
    "connect": ("ENOENT", "ECONNREFUSED"),
    "fstatfs": ("ENOSYS",),
    "getdents64": ("EIO",),
    "recvfrom": ("EINTR", "ENOMEM"),
    "sendto": ("ENOBUFS", "ENOMEM", "EPIPE"),
    "socketpair": ("EAFNOSUPPORT", *DESCRIPTORS),
    "socket": ("EAFNOSUPPORT", *DESCRIPTORS),
}

# They cannot fail with what we give them; or, as brk, not by an errno, and the limits do that.
INFALLIBLE = {
    "brk", "capget", "clock_gettime", "exit_group", "futex", "getegid", "geteuid", "getgid", "getpid",
    "getrandom", "gettid", "getuid", "madvise", "mq_getsetattr", "munmap", "prlimit64", "rt_sigaction",
    "rt_sigprocmask", "rt_sigreturn", "sched_getscheduler", "set_robust_list", "shmdt", "tgkill",
    "timer_settime", "umask",
}

# What the arguments must match for errors of a call, or for one error of any call. A descriptor
# that is open can be looked at; close(2) closes whatever it says, so that only stdout matters.
REQUIRES = {
    "close": r"^1\)",
    "newfstatat": r'^\w+, "[^"]',
    "EBADF": r"^\d+, F_GETFD\)|^(?!\d+, F_)",
    "EEXIST": r"^(?!IPC_PRIVATE).*EXCL",
    "EINTR": r"^(?!.*IPC_NOWAIT)",
    "EMFILE": r"^(?!\d+, F_)|F_DUPFD",
    "ENOENT": r"^(?!.*_CREAT)",
    "ENOMEM": r"^(?!.*events=POLLIN\}\], 1, (-1|0)\b)",  # one descriptor needs no memory
    "EPERM": r"^(?!\d+, F_)|F_ADD_SEALS",
}

# A call as strace shows it that may fail once, and the tool goes on as if it had not.
INVISIBLE = r" = -1 EINTR |(read\(0|write\([12]),.* EAGAIN |memfd_create.* EINVAL |(inotify|sched)_"

# One that may not be ignored: what was written may be gone.
UNIGNORABLE = r" close\(1\).* (EIO|ENOSPC) "


def plausible(call, arguments):
    """The errors of a call as strace shows it."""
    if re.search(REQUIRES.get(call, ""), arguments):
        more = [error for request in ("MSG_COPY", "PTRACE_SEIZE") if request in arguments
                for error in ERRNOS[f"{call} {request}"]]
        for error in (*ERRNOS[call], *more):
            if re.search(REQUIRES.get(error, ""), arguments):
                yield error


def is_of_sanitizers(call, arguments):
    """They also write to pipes of their own, to see whether an address can be read."""
    return call in {"mmap", "mprotect", "mremap", "pipe2", "sigaltstack"} or \
        (call == "write" and not re.match(r"[12], ", arguments))
