// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ipc {

enum class TimeFormat : std::uint8_t {
    stamp, ///< seconds since the epoch
    brief, ///< today the hour, this year the day, else the year
    full,  ///< as ctime(3) without the day of the week
    iso,   ///< 2026-03-01T12:00:00+01:00
};

/// `short`, `full`, `iso` or `timestamp`. Throws UsageError.
TimeFormat parse_time_format(std::string_view name);

/// A time in seconds since the epoch, local but for `stamp`: strftime(3).
std::string format_time(std::int64_t seconds, TimeFormat format);

} // namespace ipc
