// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <string_view>

#include "base/fd.hpp"

namespace ipc {

/// Calls `visit(name)` with each name in an open directory, `.` and `..` apart, until that returns
/// false: readdir(3). Returns 0, or the errno value that stopped it. The offset of `directory`
/// itself stays.
template <class Visit> int for_each_name(const UniqueFd& directory, Visit visit) {
    struct Close {
        void operator()(DIR* entries) const noexcept { closedir(entries); }
    };
    UniqueFd own(openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!own.is_open())
        return errno;
    const std::unique_ptr<DIR, Close> entries(fdopendir(own.get()));
    if (!entries)
        return errno;
    own.release();
    errno = 0;
    while (const dirent* const entry = readdir(entries.get())) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != ".." && !visit(entry->d_name))
            return 0;
        errno = 0;
    }
    return errno;
}

} // namespace ipc
