// SPDX-License-Identifier: MIT
#include "foreign_fd.hpp"

#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "describe.hpp"
#include "error.hpp"
#include "limits.hpp"
#include "procfs.hpp"
#include "text.hpp"

namespace ipc::foreign_fd {

namespace {

/// Owns what a call returned. Throws Error if that failed for want of descriptors.
UniqueFd take(long fd, const std::string& of) {
    if (fd < 0 && (errno == EMFILE || errno == ENFILE)) {
        const int error = errno;
        throw Error(of, "cannot look into", error, explain_error(error));
    }
    return UniqueFd(static_cast<int>(fd));
}

} // namespace

std::string path(pid_t pid, int fd) { return text("/proc/", pid, "/fd/", fd); }

std::optional<struct stat> try_stat(pid_t pid, int fd, const FileId& file) {
    struct stat status {};
    if (fstatat(AT_FDCWD, path(pid, fd).c_str(), &status, AT_STATX_DONT_SYNC) < 0 ||
        file_id(status) != file)
        return std::nullopt;
    return status;
}

std::string link(pid_t pid, int fd) {
    char target[PATH_MAX];
    const ssize_t length = readlink(path(pid, fd).c_str(), target, sizeof target);
    return length < 0 ? std::string() : std::string(target, static_cast<std::size_t>(length));
}

std::string info(pid_t pid, int fd) { return procfs::read(text("/proc/", pid, "/fdinfo/", fd)); }

UniqueFd try_duplicate(pid_t pid, int fd, const FileId& file) {
    const UniqueFd process = take(syscall(SYS_pidfd_open, pid, 0), path(pid, fd));
    if (!process.is_open())
        return {};
    UniqueFd duplicate = take(syscall(SYS_pidfd_getfd, process.get(), fd, 0), path(pid, fd));
    struct stat status {};
    if (!duplicate.is_open() || fstat(duplicate.get(), &status) < 0 || file_id(status) != file)
        return {};
    return duplicate;
}

} // namespace ipc::foreign_fd
