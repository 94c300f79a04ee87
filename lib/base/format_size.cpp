// SPDX-License-Identifier: MIT
#include "base/format_size.hpp"

#include <string_view>

#include "base/text.hpp"

namespace ipc {

std::string short_size(std::int64_t bytes) {
    constexpr std::string_view units = "KMGTPE";
    constexpr std::int64_t step = 1024;
    if (bytes < step)
        return text(bytes);
    std::size_t unit = 0;
    std::int64_t one = step;
    while (unit + 1 < units.size() && bytes / one >= step) {
        one *= step;
        ++unit;
    }
    // In tenths, without overflow: `one` divides evenly by 1024.
    std::int64_t whole = bytes / one;
    std::int64_t tenths = ((bytes % one) / (one / step) * 10 + step / 2) / step;
    if (tenths == 10) {
        ++whole;
        tenths = 0;
    }
    if (whole == step && unit + 1 < units.size())
        return text("1", units[unit + 1]);
    constexpr std::int64_t two_digits = 100;
    if (tenths == 0 || whole >= two_digits)
        return text(whole, units[unit]);
    return text(whole, '.', tenths, units[unit]);
}

} // namespace ipc
