// SPDX-License-Identifier: MIT
#include "base/format_time.hpp"

#include <ctime>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"

namespace ipc {

TimeFormat parse_time_format(std::string_view name) {
    constexpr std::pair<std::string_view, TimeFormat> formats[] = {
        {"short", TimeFormat::brief},
        {"full", TimeFormat::full},
        {"iso", TimeFormat::iso},
        {"timestamp", TimeFormat::stamp}};
    for (const auto& [known, format] : formats)
        if (name == known)
            return format;
    throw UsageError(text("'", printable(name), "' is none of short, full, iso and timestamp"));
}

std::string format_time(std::int64_t seconds, TimeFormat format) {
    if (format == TimeFormat::stamp)
        return text(seconds);
    const std::time_t then = seconds;
    const std::time_t now = std::time(nullptr);
    std::tm at{};
    std::tm today{};
    if (localtime_r(&then, &at) == nullptr || localtime_r(&now, &today) == nullptr)
        return text(seconds);
    char line[64];
    if (format == TimeFormat::iso) {
        std::string out(line, std::strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S%z", &at));
        out.insert(out.size() - 2, ":"); // the zone, as ISO 8601 has it beside a time with colons
        return out;
    }
    const std::size_t length =
        format == TimeFormat::full    ? std::strftime(line, sizeof line, "%b %e %H:%M:%S %Y", &at)
        : at.tm_year != today.tm_year ? std::strftime(line, sizeof line, "%Y-%b%d", &at)
        : at.tm_yday != today.tm_yday ? std::strftime(line, sizeof line, "%b%d", &at)
                                      : std::strftime(line, sizeof line, "%H:%M", &at);
    return {line, length};
}

} // namespace ipc
