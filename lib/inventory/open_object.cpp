// SPDX-License-Identifier: MIT
#include "inventory/open_object.hpp"

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <fcntl.h>
#include <mqueue.h>
#include <sys/stat.h>
#include <utility>

#include "base/error.hpp"
#include "base/limits.hpp"

namespace ipc {

namespace {

bool is_file_of(const UniqueFd& fd, const Object& object) noexcept {
    struct stat status = {};
    return fd.is_open() && object.file && fstat(fd.get(), &status) == 0 &&
           S_ISREG(status.st_mode) && status.st_dev == object.file->device &&
           status.st_ino == object.file->inode;
}

/// For reading, or for writing where only that is permitted.
template <class Open> UniqueFd open_either(Open&& open_with) noexcept {
    constexpr int flags = O_NONBLOCK | O_CLOEXEC;
    UniqueFd fd(open_with(O_RDONLY | flags));
    if (!fd.is_open() && errno == EACCES)
        fd = UniqueFd(open_with(O_WRONLY | flags));
    return fd;
}

/// What open_either() or its like returned just now.
OpenedObject opened(UniqueFd fd, const Object& object) {
    const int error = fd.is_open() ? 0 : errno;
    if (is_shortage(error))
        throw Error(object.full_name(), "cannot open", error, explain_error(error));
    return {.fd = std::move(fd), .is_leased = error == EWOULDBLOCK};
}

} // namespace

OpenedObject open_object(const Object& object, const UniqueFd& shm_directory) {
    if (object.kind == ObjectKind::mq) {
        OpenedObject queue = opened(
            open_either([&](int flags) { return mq_open(object.name.c_str(), flags); }), object);
        if (!is_file_of(queue.fd, object))
            queue.fd = UniqueFd();
        return queue;
    }
    std::array<char, NAME_MAX + 32> path{};
    const int length = std::snprintf(path.data(), path.size(), "%s%s",
                                     object.kind == ObjectKind::sem ? "sem." : "",
                                     object.name.c_str() + (object.name.starts_with('/') ? 1 : 0));
    if (length < 0 || static_cast<std::size_t>(length) >= path.size())
        return {};
    const OpenedObject place =
        opened(UniqueFd(openat(shm_directory.get(), path.data(), O_PATH | O_NOFOLLOW | O_CLOEXEC)),
               object);
    if (!is_file_of(place.fd, object))
        return {};
    std::snprintf(path.data(), path.size(), "/proc/self/fd/%d", place.fd.get());
    return opened(open_either([&](int flags) { return open(path.data(), flags); }), object);
}

} // namespace ipc
