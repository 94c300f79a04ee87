// SPDX-License-Identifier: MIT
#include "base/deadline.hpp"

#include <algorithm>

namespace ipc {

namespace {

nanoseconds now() noexcept {
    timespec ts{};
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return std::chrono::seconds(ts.tv_sec) + nanoseconds(ts.tv_nsec);
}

} // namespace

timespec to_timespec(nanoseconds duration) noexcept {
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(duration);
    return {.tv_sec = static_cast<time_t>(whole.count()),
            .tv_nsec = static_cast<long>((duration - whole).count())};
}

Deadline Deadline::after(nanoseconds duration) noexcept {
    const nanoseconds start = now();
    Deadline deadline;
    deadline.at_ = duration > nanoseconds::max() - start ? nanoseconds::max() : start + duration;
    return deadline;
}

nanoseconds Deadline::left() const noexcept { return std::max(*at_ - now(), nanoseconds::zero()); }

} // namespace ipc
