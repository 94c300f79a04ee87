// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

#include "signal/event.hpp"
#include "tool/spawn.hpp"

namespace ipc {

/// A signal, and the command of sh(1) that it runs.
struct SignalRule {
    int signal;
    std::string command;
};

/// Runs the commands of signals, one at a time, in the order of the signals.
class SignalCommands {
  public:
    explicit SignalCommands(std::vector<SignalRule> rules) : rules_(std::move(rules)) {}

    /// Queues the commands of this signal, of which some may already wait.
    void queue(const SignalEvent& event);

    /// Whether more may be queued; what does not fit waits in the kernel.
    bool has_room() const noexcept { return waiting_.size() < most_waiting; }
    bool is_idle() const noexcept { return !running_ && waiting_.empty(); }

    /// Collects the one that has ended, and starts the next. What cannot be run is reported.
    void advance();

    /// Whether one could not be started.
    bool has_failed() const noexcept { return has_failed_; }

    /// Readable when advance() has something to do; -1: none is running.
    int fd() const noexcept { return running_ ? running_->fd() : -1; }

    /// Whether `pid` is the command that was started last.
    bool is_ours(std::optional<pid_t> pid) const noexcept { return pid && *pid == last_; }

    /// Forgets those that wait.
    void drop_waiting() noexcept { waiting_.clear(); }

    /// Sends the running one a signal.
    void pass_on(int signal) const noexcept;

  private:
    static constexpr std::size_t most_waiting = 4096;

    struct Waiting {
        std::size_t rule = 0;
        SignalEvent event;
    };

    void start(const Waiting& next);

    std::vector<SignalRule> rules_;
    std::deque<Waiting> waiting_;
    std::optional<RunningCommand> running_;
    pid_t last_ = 0;
    bool has_failed_ = false;
};

} // namespace ipc
