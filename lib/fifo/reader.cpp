// SPDX-License-Identifier: MIT
#include "fifo/reader.hpp"

#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "base/error.hpp"
#include "base/io.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"

namespace ipc {

namespace {

bool has_input(int fd) noexcept {
    pollfd poll_fd{.fd = fd, .events = POLLIN, .revents = 0};
    return poll(&poll_fd, 1, 0) > 0 && (poll_fd.revents & POLLIN) != 0;
}

} // namespace

FifoReader::FifoReader(Fifo fifo) : fifo_(std::move(fifo)) {
    end_ = fifo_.try_open(O_RDONLY);
    if (!end_.is_open())
        throw Error(fifo_.name().text, "cannot open", errno, explain_error(errno));
    enlarge_pipe(end_.get());
}

std::size_t FifoReader::read(std::span<char> into, bool& at_end) {
    for (;;) {
        const ssize_t count = ::read(end_.get(), into.data(), into.size());
        at_end = count == 0;
        if (count >= 0)
            return static_cast<std::size_t>(count);
        if (errno == EAGAIN)
            return 0;
        if (errno != EINTR)
            throw Error(fifo_.name().text, "cannot read", errno);
    }
}

/// The old end is open until the new one is: what a writer sends meanwhile is kept. That this one
/// has left before the new end was there, only the old one tells.
void FifoReader::reopen() {
    if (fifo_.is_anonymous()) {
        close();
        return;
    }
    UniqueFd again = fifo_.try_open(O_RDONLY);
    if (!again.is_open() && errno != ENOENT)
        throw Error(fifo_.name().text, "cannot open it again", errno, explain_error(errno));
    if (!has_input(end_.get()))
        end_ = std::move(again);
}

/// An end that is opened and closed again is a writer that has left: if it was the only one,
/// poll(2) says so.
void FifoReader::look() noexcept {
    struct stat status {};
    if (!may_be_removed() || fstat(end_.get(), &status) != 0 || status.st_nlink > 0)
        return;
    is_removed_ = true;
    const std::string self = text("/proc/self/fd/", end_.get());
    if (!UniqueFd(open(self.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)).is_open())
        close();
}

} // namespace ipc
