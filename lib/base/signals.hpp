// SPDX-License-Identifier: MIT
#pragma once

#include <csignal>
#include <cstdint>
#include <optional>

#include "base/deadline.hpp"

/// Signals in a tool that waits. A signal that would end the process only raises a flag, so that
/// what is in hand can be delivered or put back first; then the tool ends by that very signal.
/// A flag raised between a check and a blocking call cannot hang the call: the handler also starts
/// a timer whose ticks interrupt it (signal-safety(7), timer_settime(2)). So every blocking call
/// goes: check, call, and on EINTR again.
namespace ipc::signals {

/// Thrown where a blocking operation is given up because the process shall end.
struct Ended {
    int signal;
};

/// Installs the handlers: for every signal whose default is to end the process, as far as it was
/// not ignored at start. Once per process, before the first blocking call.
void hold();

/// The first signal that asked the process to end, or 0.
int ended() noexcept;

/// Throws Ended if the process shall end; serves reports.
void check();

/// From here on no signal is handled until the end, for what was done shall stand, but for SIGBUS:
/// see TruncationGuard. Returns the one that was in time, or 0.
int hold_off() noexcept;

/// Signals that came since the last call, as a bit mask (signal 1 is bit 0), for handing on to a
/// child. Those that the terminal sent to the whole foreground group are left out: the child has
/// them. The ticks stop until the next signal.
std::uint64_t take_for_child() noexcept;

/// Calls `function` from the next check(), outside of any handler, after each SIGUSR1 and each
/// `interval` if there is one. Once, before the first blocking call.
void on_report_request(void (*function)(), std::optional<nanoseconds> interval);

/// What check() does about reports, where the process may not end yet.
void serve_report_request();

/// Restores the default action and raises the signal, unblocked.
void end_by(int signal) noexcept;

/// While one lives, blocking calls of this thread return EINTR from the deadline on, again and
/// again, and never because of it before. After hold(); one at a time. Throws Error.
class Alarm {
  public:
    explicit Alarm(Deadline deadline);
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;
    ~Alarm();

  private:
    bool armed_ = false;
};

/// SIGPIPE and SIGXFSZ are ignored so that the write(2) itself tells, and SIGCHLD is not, so that
/// children can be waited for. Called first in tool_main().
void prepare_process() noexcept;

/// While one lives, no signal is handled but SIGBUS; those that come wait.
class Blocked {
  public:
    Blocked() noexcept;
    Blocked(const Blocked&) = delete;
    Blocked& operator=(const Blocked&) = delete;
    ~Blocked();

  private:
    sigset_t saved_{};
};

/// In a child, before its execve(2): the dispositions and the mask that we were started with.
void restore_inherited() noexcept;

/// The same, with the default for each signal, and none blocked.
void restore_defaults() noexcept;

} // namespace ipc::signals
