// SPDX-License-Identifier: MIT
#pragma once

#include <csignal>
#include <cstdint>
#include <optional>

#include "base/deadline.hpp"
#include "signal/commands.hpp"
#include "signal/event.hpp"
#include "signal/log.hpp"
#include "signal/watch.hpp"

namespace ipc {

/// Tells on stdout of the signals that are sent to this process, and runs commands for them.
class OwnSignals {
  public:
    struct Settings {
        std::optional<std::uint64_t> count; ///< end after so many
        std::optional<nanoseconds> timeout; ///< end when none comes for so long
        LogAs log_as;
    };

    /// From here on no signal is missed. What `watched` and `ending` are: SignalWatch.
    OwnSignals(const Settings& settings, const sigset_t& watched, const sigset_t& ending,
               SignalCommands commands);

    /// Returns the exit status when the count is reached or the time has run out, and the commands
    /// have run. Throws Error, and signals::Ended.
    int run();

  private:
    bool take();
    bool write();
    bool wait_to_write();
    void handle(const signalfd_siginfo& info);
    void wait(Deadline deadline, int signals_fd, int output_fd);
    void take_ending();
    void finish_commands();
    [[noreturn]] void end();

    Settings settings_;
    SignalCommands commands_;
    SignalWatch watch_;
    SignalLog log_;
    std::uint64_t left_;
    std::optional<SignalEvent> ended_;      ///< what ends us
    Deadline patience_ = Deadline::never(); ///< how long the output may take then
};

} // namespace ipc
