// SPDX-License-Identifier: MIT
#include "base/file_type.hpp"

namespace ipc {

const char* describe_type(mode_t mode) noexcept {
    switch (mode & S_IFMT) {
    case S_IFREG:
        return "a regular file";
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

} // namespace ipc
