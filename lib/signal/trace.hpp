// SPDX-License-Identifier: MIT
#pragma once

#include <csignal>
#include <cstdint>
#include <optional>
#include <sys/types.h>

#include "base/deadline.hpp"

namespace ipc {

/// Whether the children of a process are followed as well.
enum class FollowChildren : std::uint8_t { no, yes };

/// The signals that are delivered to other processes, which get them unchanged: ptrace(2). After
/// signals::hold(). It needs no end: when we end, in whatever way, the kernel lets the processes
/// go, and delivers what we were about to see.
class SignalTrace {
  public:
    explicit SignalTrace(FollowChildren children) noexcept : children_(children) {}

    /// Follows a process with all of its threads, and the children that it has. Throws Error that
    /// explains why we may not.
    void attach(pid_t pid);

    struct Event {
        enum class What : std::uint8_t { signal, end, other };
        What what;      ///< `other`: nothing to tell
        pid_t receiver; ///< the thread that it is delivered to; the process that has ended
        siginfo_t info;
    };

    /// What happened; nothing if there is nothing now. There may always be more: look at the time
    /// between calls. A process that has ended can be looked at until the next call.
    std::optional<Event> take();

    /// Until there may be something, or the deadline has passed, or a signal has come for us.
    /// Throws Error.
    void wait(Deadline deadline);

    /// Whether all that were followed have ended.
    bool is_over() const noexcept { return is_over_; }

  private:
    void attach_threads(pid_t pid);
    Event handle(const siginfo_t& stop);
    Event handle_end(const siginfo_t& stop);
    Event handle_signal(pid_t thread, int signal);
    void collect_told() noexcept;
    void handle_group_stop(pid_t thread);
    void handle_new_or_continued(pid_t thread);
    bool is_followed_process(pid_t pid) const;

    FollowChildren children_;
    pid_t target_ = 0;
    pid_t told_ = 0; ///< has ended, and is not collected yet
    bool is_over_ = false;
};

} // namespace ipc
