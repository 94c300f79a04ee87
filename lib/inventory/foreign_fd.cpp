// SPDX-License-Identifier: MIT
#include "inventory/foreign_fd.hpp"

#include <climits>
#include <fcntl.h>
#include <unistd.h>

#include "base/text.hpp"
#include "inventory/describe.hpp"
#include "process/procfs.hpp"

namespace ipc::foreign_fd {

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

} // namespace ipc::foreign_fd
