// SPDX-License-Identifier: MIT
#pragma once

namespace ipc {

/// What a tool's exit status means: the same in every tool. The values above 123 are those of
/// timeout(1), env(1) and flock(1).
enum ExitStatus : int {
    exit_done = 0,
    exit_not_now = 1,       ///< -n and it would have waited, or nothing is there
    exit_trouble = 2,       ///< bad usage, or the system refused
    exit_lost = 3,          ///< a message could be neither delivered nor put back
    exit_timed_out = 124,   ///< the time given by -w ran out
    exit_wrapper = 125,     ///< a tool that runs a COMMAND failed itself
    exit_cannot_run = 126,  ///< COMMAND exists but cannot be run
    exit_not_found = 127,   ///< COMMAND was not found
    exit_signal_base = 128, ///< plus N: COMMAND was ended by signal N
};

/// Whether a wrapper's status says that COMMAND never ran.
constexpr bool cannot_start(int status) noexcept {
    return status == exit_cannot_run || status == exit_not_found;
}

} // namespace ipc
