// SPDX-License-Identifier: MIT
#pragma once

#include <csignal>
#include <cstddef>
#include <optional>
#include <span>
#include <sys/signalfd.h>

#include "base/fd.hpp"

namespace ipc {

/// The signals that are sent to this process itself, as they are queued: read from signalfd(2),
/// many at a time, so that no handler, and no race with one, can lose any. Instead of
/// signals::hold(), which keeps a real-time signal for itself.
class SignalWatch {
  public:
    /// Blocks both sets; from here on nothing is missed. `ending` are those that end us; they are
    /// told as well if they are in `watched`. One that was blocked or ignored at the start does
    /// not end us. Throws Error.
    SignalWatch(const sigset_t& watched, const sigset_t& ending);

    /// Up to so many that have come: those of lower numbers first, the same one in its order. Valid
    /// until the next call. Throws Error.
    std::span<const signalfd_siginfo> take(std::size_t most);

    bool is_watched(int signal) const noexcept { return sigismember(&watched_, signal) == 1; }
    bool is_ending(int signal) const noexcept { return sigismember(&ending_, signal) == 1; }

    /// Readable when there is something to take.
    int fd() const noexcept { return fd_.get(); }

    /// The next one that ends us and has not been taken.
    std::optional<signalfd_siginfo> take_ending();
    /// Readable when there is such a one.
    int ending_fd() const noexcept { return ending_fd_.get(); }

  private:
    sigset_t watched_;
    sigset_t ending_;
    UniqueFd fd_;
    UniqueFd ending_fd_;
    signalfd_siginfo taken_[64]{};
};

} // namespace ipc
