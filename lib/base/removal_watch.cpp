// SPDX-License-Identifier: MIT
#include "base/removal_watch.hpp"

#include <cerrno>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "base/text.hpp"

namespace ipc {

namespace {

bool has_name(int fd) noexcept {
    struct stat status {};
    return fstat(fd, &status) != 0 || status.st_nlink > 0;
}

} // namespace

RemovalWatch::RemovalWatch(int fd) noexcept : fd_(fd), had_name_(has_name(fd)) {}

bool RemovalWatch::is_removed() const noexcept { return had_name_ && !has_name(fd_); }

bool RemovalWatch::notices_removal() noexcept {
    const bool may_be = std::exchange(has_news_, false) || !inotify_.is_open();
    return may_be && is_removed();
}

void RemovalWatch::start() noexcept {
    if (started_)
        return;
    started_ = true;
    has_news_ = true;
    UniqueFd inotify(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!inotify.is_open())
        return;
    char path[32] = "/proc/self/fd/";
    *std::to_chars(path + 14, path + sizeof path - 1, fd_).ptr = '\0';
    if (inotify_add_watch(inotify.get(), path, IN_ATTRIB) != -1)
        inotify_ = std::move(inotify);
}

void RemovalWatch::drain() noexcept {
    alignas(inotify_event) char events[4096];
    if (!inotify_.is_open())
        return;
    // Once: others may make new ones without pause.
    if (read(inotify_.get(), events, sizeof events) > 0)
        has_news_ = true;
    else if (errno != EAGAIN && errno != EINTR)
        inotify_ = UniqueFd(); // we look each second then
}

Deadline RemovalWatch::next_look(Deadline deadline) noexcept {
    constexpr nanoseconds long_wait = std::chrono::milliseconds(64);
    if (!had_name_ || inotify_.is_open())
        return deadline;
    nanoseconds interval = interval_;
    if (interval_ < long_wait) {
        interval_ *= 2;
    } else {
        // A removal just before is seen by another look at once.
        interval = started_ ? nanoseconds(std::chrono::seconds(1)) : nanoseconds::zero();
        start();
    }
    return deadline.or_after(interval);
}

} // namespace ipc
