// SPDX-License-Identifier: MIT
#include "inventory/lease.hpp"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

namespace ipc {

namespace {

/// Elsewhere a file may be open by ways that this one knows nothing of: overlayfs, for one, maps
/// the file below.
bool knows_all_users(int fd) noexcept {
    constexpr std::uint32_t mqueue_magic = 0x19800202; // the kernel's ipc/mqueue.c
    struct statfs system {};
    if (fstatfs(fd, &system) != 0)
        return false;
    const auto type = static_cast<std::uint32_t>(system.f_type);
    return type == TMPFS_MAGIC || type == mqueue_magic || type == RAMFS_MAGIC;
}

} // namespace

Lease take_lease(int fd) noexcept {
    // SIGIO, which is sent otherwise to whom an opening process waits for, ends a process.
    if (fcntl(fd, F_SETSIG, SIGURG) != 0)
        return Lease::refused;
    if (fcntl(fd, F_SETLEASE, F_WRLCK) != 0)
        return errno == EAGAIN ? Lease::in_use : Lease::refused;
    if (knows_all_users(fd))
        return Lease::granted;
    release_lease(fd);
    return Lease::refused;
}

void release_lease(int fd) noexcept { fcntl(fd, F_SETLEASE, F_UNLCK); }

} // namespace ipc
