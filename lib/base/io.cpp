// SPDX-License-Identifier: MIT
#include "base/io.hpp"

#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/deadline.hpp"
#include "base/error.hpp"
#include "base/signals.hpp"

namespace ipc {

namespace {

/// How long an output may be stuck before a process that shall end gives it up.
constexpr nanoseconds ending_patience = std::chrono::seconds(1);

} // namespace

void wait_until_possible(int fd, short events) noexcept {
    pollfd poll_fd{.fd = fd, .events = events, .revents = 0};
    poll(&poll_fd, 1, -1);
}

std::size_t read_some(int fd, std::span<char> into, std::string_view object) {
    for (;;) {
        signals::check();
        const ssize_t count = read(fd, into.data(), into.size());
        if (count >= 0)
            return static_cast<std::size_t>(count);
        if (errno == EAGAIN)
            wait_until_possible(fd, POLLIN);
        else if (errno != EINTR)
            throw Error(object, "cannot read", errno);
    }
}

std::size_t write_some(int fd, std::string_view bytes, std::string_view object) {
    for (;;) {
        signals::check();
        const ssize_t count = write(fd, bytes.data(), bytes.size());
        if (count >= 0)
            return static_cast<std::size_t>(count);
        if (errno == EAGAIN)
            wait_until_possible(fd, POLLOUT);
        else if (errno != EINTR)
            throw Error(object, "cannot write", errno);
    }
}

void write_all(int fd, std::string_view bytes, std::string_view object) {
    while (!bytes.empty())
        bytes.remove_prefix(write_some(fd, bytes, object));
}

int write_patiently(int fd, std::string_view bytes, std::size_t& written) {
    Deadline patience = Deadline::never();
    while (!bytes.empty()) {
        const ssize_t count = write(fd, bytes.data(), bytes.size());
        if (count >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(count));
            written += static_cast<std::size_t>(count);
        } else if (errno == EAGAIN) {
            wait_until_possible(fd, POLLOUT);
        } else if (errno != EINTR) {
            return errno;
        }
        signals::serve_report_request();
        if (signals::ended() == 0)
            continue;
        if (patience.is_never())
            patience = Deadline::after(ending_patience);
        else if (patience.passed())
            return EINTR;
    }
    return 0;
}

void write_stderr(std::string_view bytes) noexcept {
    const Deadline patience = Deadline::after(ending_patience);
    while (!bytes.empty()) {
        const ssize_t count = write(STDERR_FILENO, bytes.data(), bytes.size());
        if (count >= 0)
            bytes.remove_prefix(static_cast<std::size_t>(count));
        else if (errno == EAGAIN)
            wait_until_possible(STDERR_FILENO, POLLOUT);
        else if (errno != EINTR)
            return;
        if (signals::ended() != 0 && patience.passed())
            return;
    }
}

void enlarge_pipe(int fd) noexcept {
    constexpr int size = 1 << 20; // /proc/sys/fs/pipe-max-size, unless it was changed: pipe(7)
    fcntl(fd, F_SETPIPE_SZ, size);
}

bool has_reader(int fd) noexcept {
    struct stat status {};
    return fstat(fd, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

bool is_writer_cut_off(int fd) noexcept {
    pollfd poll_fd{.fd = fd, .events = 0, .revents = 0};
    return poll(&poll_fd, 1, 0) > 0 && (poll_fd.revents & (POLLERR | POLLHUP)) != 0;
}

} // namespace ipc
