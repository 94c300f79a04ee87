// SPDX-License-Identifier: MIT
#include "shm_files.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.hpp"

namespace ipc::shm_files {

const char* describe_type(mode_t mode) noexcept {
    switch (mode & S_IFMT) {
    case S_IFLNK:
        return "a symbolic link";
    case S_IFDIR:
        return "a directory";
    case S_IFIFO:
        return "a FIFO";
    case S_IFSOCK:
        return "a socket";
    default:
        return "a device";
    }
}

UniqueFd make_unnamed() noexcept {
    return UniqueFd(open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0));
}

/// The first way is for root, and since Linux 6.10 for us who opened it; the second needs /proc.
int try_publish(const UniqueFd& file, const std::string& path) {
    if (linkat(file.get(), "", AT_FDCWD, path.c_str(), AT_EMPTY_PATH) == 0)
        return 0;
    if (errno != ENOENT)
        return errno;
    const std::string ours = text("/proc/self/fd/", file.get());
    return linkat(AT_FDCWD, ours.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0 ? 0
                                                                                          : errno;
}

} // namespace ipc::shm_files
