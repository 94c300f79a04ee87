// SPDX-License-Identifier: MIT
#include "tool/progress.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <new>
#include <optional>
#include <unistd.h>

#include "base/io.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"

namespace ipc {

namespace {

using namespace std::chrono_literals;

const Progress* current = nullptr;

std::int64_t monotonic_ms() noexcept {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

/// As 1.5MiB, one digit behind the point.
std::string size_text(std::uint64_t bytes) {
    constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    std::uint64_t tenths = bytes * 10;
    std::size_t unit = 0;
    while (tenths >= 10240 && unit + 1 < std::size(units)) {
        tenths /= 1024;
        ++unit;
    }
    return unit == 0 ? text(bytes, units[0]) : text(tenths / 10, '.', tenths % 10, units[unit]);
}

} // namespace

Progress::Progress(const char* tool, Periodic periodic, Unit unit)
    : tool_(tool), periodic_(periodic == Periodic::yes), unit_(unit), start_(monotonic_ms()) {
    current = this;
    signals::on_report_request([] { current->say(current->in_place() ? "" : "\n"); },
                               periodic_ ? std::optional<nanoseconds>(1s) : std::nullopt);
}

Progress::~Progress() {
    if (periodic_)
        say("\n");
    signals::on_report_request(nullptr, std::nullopt);
}

/// Whether each line overwrites the one before.
bool Progress::in_place() const noexcept { return periodic_ && isatty(STDERR_FILENO) == 1; }

void Progress::say(const char* end) const noexcept try {
    const auto elapsed =
        static_cast<std::uint64_t>(std::max<std::int64_t>(monotonic_ms() - start_, 1));
    const bool has_records = unit_ == Unit::records;
    write_stderr(text(in_place() ? "\r\033[K" : "", tool_, ": ",
                      has_records ? text(records_, " records, ") : std::string(), size_text(bytes_),
                      ", ", elapsed / 1000, '.', elapsed / 100 % 10, " s, ",
                      has_records ? text(records_ * 1000 / elapsed, " records/s, ") : std::string(),
                      size_text(bytes_ * 1000 / elapsed), "/s", end));
} catch (const std::bad_alloc&) {
    // A report is not worth failing for.
}

} // namespace ipc
