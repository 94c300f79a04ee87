// SPDX-License-Identifier: MIT
#include <cerrno>
#include <csignal>
#include <fcntl.h>

#include "verdict.hpp"

namespace ipc {

Lease take_lease(int fd) noexcept {
    // SIGIO, which is sent otherwise to whom an opening process waits for, ends a process.
    if (fcntl(fd, F_SETSIG, SIGURG) != 0)
        return Lease::refused;
    if (fcntl(fd, F_SETLEASE, F_WRLCK) == 0)
        return Lease::granted;
    return errno == EAGAIN ? Lease::in_use : Lease::refused;
}

void release_lease(int fd) noexcept { fcntl(fd, F_SETLEASE, F_UNLCK); }

} // namespace ipc
