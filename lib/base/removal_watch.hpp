// SPDX-License-Identifier: MIT
#pragma once

#include "base/deadline.hpp"
#include "base/fd.hpp"

namespace ipc {

/// Notices that the last name of an open file, such as a POSIX queue, is gone. In a wait it looks
/// after 1 ms, 2 ms, 4 ms and so on, and lets inotify(7) tell only when the wait gets long: giving
/// an inotify descriptor back costs the kernel some 10 ms. Where that or /proc cannot be had, it
/// looks each second.
class RemovalWatch {
  public:
    /// `fd` stays the caller's. What has no name to begin with is never removed.
    explicit RemovalWatch(int fd) noexcept;

    bool is_removed() const noexcept;

    /// The same for a caller that waits: asks the kernel only if something may have happened.
    bool notices_removal() noexcept;

    /// A new wait begins.
    void restart() noexcept { interval_ = first_interval; }
    /// To be polled for input; -1 if there is none, which poll(2) ignores.
    int poll_fd() const noexcept { return inotify_.get(); }
    /// Takes the events that made it readable.
    void drain() noexcept;
    /// How long to poll before notices_removal() has to be asked again: `deadline` at most.
    Deadline next_look(Deadline deadline) noexcept;

  private:
    static constexpr nanoseconds first_interval = std::chrono::milliseconds(1);

    void start() noexcept;

    int fd_;
    bool had_name_;
    bool started_ = false;
    bool has_news_ = true; ///< since the last look
    nanoseconds interval_ = first_interval;
    UniqueFd inotify_;
};

} // namespace ipc
