// SPDX-License-Identifier: MIT
#include "object/inherited.hpp"

#include <cerrno>
#include <fcntl.h>
#include <set>
#include <unistd.h>

#include "base/error.hpp"
#include "base/limits.hpp"

namespace ipc {

UniqueFd take_descriptor(const Name& name) {
    // Those that close on exec are our own, unless we took and marked them.
    static std::set<int> taken;
    const int flags = fcntl(name.number, F_GETFD);
    if (flags == -1 || ((flags & FD_CLOEXEC) != 0 && !taken.contains(name.number)))
        throw Error(name.text, "cannot use the descriptor", EBADF);
    taken.insert(name.number);
    fcntl(name.number, F_SETFD, FD_CLOEXEC);
    UniqueFd fd(fcntl(name.number, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    if (!fd.is_open())
        throw Error(name.text, "cannot use the descriptor", errno, explain_error(errno));
    return fd;
}

} // namespace ipc
