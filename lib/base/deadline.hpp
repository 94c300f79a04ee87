// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <ctime>
#include <optional>

namespace ipc {

using std::chrono::nanoseconds;

timespec to_timespec(nanoseconds duration) noexcept;

/// A moment on the monotonic clock (clock_gettime(2)), or never: no step of the wall clock moves
/// it.
class Deadline {
  public:
    static Deadline never() noexcept { return {}; }
    static Deadline after(nanoseconds duration) noexcept;
    static Deadline after(std::optional<nanoseconds> duration) noexcept {
        return duration ? after(*duration) : never();
    }

    /// Then at the latest, or in `duration` if that is sooner.
    Deadline or_after(nanoseconds duration) const noexcept {
        return !is_never() && left() < duration ? *this : after(duration);
    }

    bool is_never() const noexcept { return !at_; }
    bool passed() const noexcept { return at_ && left() == nanoseconds::zero(); }

    /// Time until then, not below zero. Only when it is not never.
    nanoseconds left() const noexcept;
    /// It as CLOCK_MONOTONIC will show it. Only when it is not never.
    timespec on_clock() const noexcept { return to_timespec(*at_); }

  private:
    std::optional<nanoseconds> at_;
};

} // namespace ipc
