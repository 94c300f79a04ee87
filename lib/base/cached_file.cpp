// SPDX-License-Identifier: MIT
#include "base/cached_file.hpp"

#include <cstdint>
#include <cstdio>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.hpp"

namespace ipc {

namespace {

/// struct open_how of linux/openat2.h, which older headers lack.
struct How {
    std::uint64_t flags;
    std::uint64_t mode;
    std::uint64_t resolve;
};

constexpr std::uint64_t resolve_in_root = 0x10;
constexpr std::uint64_t resolve_cached = 0x20;

std::optional<struct stat> stat_path(int directory, const char* path,
                                     std::uint64_t resolve) noexcept {
    const How how = {
        .flags = O_PATH | O_CLOEXEC | O_NOFOLLOW, .mode = 0, .resolve = resolve_cached | resolve};
    const UniqueFd file(static_cast<int>(syscall(SYS_openat2, directory, path, &how, sizeof how)));
    return file.is_open() ? try_stat_open(file.get()) : std::nullopt;
}

} // namespace

std::optional<struct stat> try_stat_open(int fd) noexcept {
    struct statx from = {};
    // Not fstatat(2), of which some kernels make fstat(2) here, flags or not.
    if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &from) != 0)
        return std::nullopt;
    struct stat status {};
    status.st_dev = makedev(from.stx_dev_major, from.stx_dev_minor);
    status.st_ino = from.stx_ino;
    status.st_mode = from.stx_mode;
    status.st_nlink = from.stx_nlink;
    status.st_uid = from.stx_uid;
    status.st_gid = from.stx_gid;
    status.st_size = static_cast<off_t>(from.stx_size);
    status.st_blocks = static_cast<blkcnt_t>(from.stx_blocks);
    return status;
}

std::optional<struct stat> try_cached_stat(const char* path) noexcept {
    return stat_path(AT_FDCWD, path, 0);
}

std::optional<struct stat> try_cached_stat(pid_t pid, const char* path) noexcept {
    char root[32];
    std::snprintf(root, sizeof root, "/proc/%d/root", pid);
    const UniqueFd directory(open(root, O_PATH | O_DIRECTORY | O_CLOEXEC));
    return directory.is_open() ? stat_path(directory.get(), path, resolve_in_root) : std::nullopt;
}

} // namespace ipc
