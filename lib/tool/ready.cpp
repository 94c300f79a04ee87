// SPDX-License-Identifier: MIT
#include "tool/ready.hpp"

#include <fcntl.h>
#include <limits>
#include <unistd.h>

#include "base/error.hpp"
#include "base/io.hpp"
#include "base/parse.hpp"
#include "base/text.hpp"

namespace ipc {

int parse_ready_fd(const char* argument) {
    const auto fd = static_cast<int>(parse::number(argument, 0, std::numeric_limits<int>::max()));
    const int flags = fcntl(fd, F_GETFL);
    if (flags == -1 || (flags & O_ACCMODE) == O_RDONLY || (flags & O_PATH) != 0)
        throw UsageError(text("descriptor ", fd, " is not open for writing"));
    if (fd > STDERR_FILENO)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
}

void say_ready(int fd) {
    if (fd == -1)
        return;
    write_all(fd, "\n", text("descriptor ", fd));
}

} // namespace ipc
