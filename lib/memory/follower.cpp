// SPDX-License-Identifier: MIT
#include "memory/follower.hpp"

#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <string_view>
#include <unistd.h>

#include "base/error.hpp"
#include "base/escape.hpp"
#include "base/io.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "tool/tool.hpp"

namespace ipc {

namespace {

constexpr std::size_t buffer_size = std::size_t{256} << 10U;
constexpr nanoseconds ending_patience = std::chrono::milliseconds(500);

} // namespace

MemoryFollower::MemoryFollower(MemorySource& source, ByteRange range, nanoseconds interval,
                               bool escapes, Output output)
    : source_(source), range_(range), interval_(interval), escapes_(escapes), output_(output),
      watched_output_(has_reader(STDOUT_FILENO) ? STDOUT_FILENO : -1), buffer_(buffer_size) {}

void MemoryFollower::run() {
    Digest printed = print();
    for (;;) {
        const Woken woken = wait();
        if (woken == Woken::cut_off)
            throw Error("stdout", "cannot write", EPIPE);
        if (woken == Woken::ended && output_ == Output::terminal)
            signals::check();
        if (look() != printed)
            printed = print();
        if (woken == Woken::removed)
            return;
        signals::check();
    }
}

MemoryFollower::Woken MemoryFollower::wait() {
    const Deadline deadline = Deadline::after(interval_);
    for (;;) {
        signals::serve_report_request();
        if (signals::ended() != 0)
            return Woken::ended;
        if (source_.is_removed())
            return Woken::removed;
        if (deadline.passed())
            return Woken::interval;
        pollfd poll_fds[] = {{.fd = source_.poll_fd(), .events = POLLIN, .revents = 0},
                             {.fd = watched_output_, .events = 0, .revents = 0}};
        const timespec left = to_timespec(source_.next_look(deadline).left());
        const int count = ppoll(poll_fds, std::size(poll_fds), &left, nullptr);
        if (count < 0 && errno != EINTR)
            throw Error(source_.name().text, "cannot wait", errno);
        if (count <= 0)
            continue;
        if (poll_fds[0].revents != 0)
            source_.drain();
        if ((poll_fds[1].revents & (POLLERR | POLLHUP)) != 0)
            return Woken::cut_off;
    }
}

/// Hands each piece of the range, as it is now, to `use`, and returns what it was.
template <class Use> Digest MemoryFollower::pass(Holes holes, Use use) {
    Digest digest;
    const std::int64_t end = range_.end_in(source_.size());
    for (std::int64_t at = range_.offset; at < end;) {
        check_patience();
        if (holes == Holes::skipped) {
            const std::int64_t data = std::min(source_.data_from(at), end);
            digest.add_zeros(static_cast<std::uint64_t>(data - at));
            if ((at = data) == end)
                break;
        }
        const auto wanted = std::min(static_cast<std::size_t>(end - at), buffer_.size());
        const std::size_t count = source_.read(std::span(buffer_).first(wanted), at);
        if (count == 0)
            break;
        const std::string_view piece(buffer_.data(), count);
        digest.add(piece);
        use(piece);
        at += static_cast<std::int64_t>(count);
    }
    return digest;
}

Digest MemoryFollower::look() {
    return pass(Holes::skipped, [](std::string_view) {});
}

/// The digest is of what was printed, whatever is stored meanwhile.
Digest MemoryFollower::print() {
    Escaper escaper;
    const Digest digest = pass(
        Holes::read, [&](std::string_view piece) { write(escapes_ ? escaper.add(piece) : piece); });
    write(escaper.finish());
    return digest;
}

/// What is followed may be larger than what can be read in anybody's lifetime.
void MemoryFollower::check_patience() {
    if (signals::ended() == 0)
        return;
    if (patience_.is_never())
        patience_ = Deadline::after(ending_patience);
    if (!patience_.passed())
        return;
    report(text(printable(source_.name().text),
                ": ended by a signal before its last state was printed whole"));
    signals::check();
}

void MemoryFollower::write(std::string_view bytes) const {
    if (output_ == Output::terminal) {
        write_stdout(bytes);
        return;
    }
    std::size_t written = 0;
    const int error = write_patiently(STDOUT_FILENO, bytes, written);
    if (error == EINTR) {
        report("stdout: stuck when a signal came; the last state is cut");
        signals::check();
    }
    if (error != 0)
        throw Error("stdout", "cannot write", error);
}

} // namespace ipc
