// SPDX-License-Identifier: MIT
#include "base/file_watch.hpp"

#include <unistd.h>

namespace ipc {

namespace {

using namespace std::chrono_literals;

} // namespace

std::size_t FileWatch::add(const std::string& path) {
    files_.push_back({path});
    return files_.size() - 1;
}

void FileWatch::restart() noexcept { interval_ = first_interval; }

void FileWatch::start() noexcept {
    if (started_)
        return;
    started_ = true;
    inotify_ = UniqueFd(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    is_complete_ = inotify_.is_open();
    for (File& file : files_) {
        file.descriptor = inotify_add_watch(inotify_.get(), file.path.c_str(), events_);
        is_complete_ = is_complete_ && file.descriptor != -1;
    }
}

Deadline FileWatch::next_look() noexcept {
    if (is_complete_)
        return Deadline::never();
    if (started_)
        return Deadline::after(look_interval);
    if (interval_ <= 64ms) {
        const nanoseconds interval = interval_;
        interval_ *= 2;
        return Deadline::after(interval);
    }
    start();
    return Deadline::after(nanoseconds(0)); // what was just before is seen by another look at once
}

/// How many bytes of the buffer they fill; 0 if there are none.
std::size_t FileWatch::read_events() noexcept {
    const ssize_t count = inotify_.is_open() ? read(inotify_.get(), buffer_, sizeof buffer_) : 0;
    return count > 0 ? static_cast<std::size_t>(count) : 0;
}

} // namespace ipc
