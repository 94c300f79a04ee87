// SPDX-License-Identifier: MIT
// Whole numbers: exactly those in range are accepted, with the value that their digits have.

#include <algorithm>
#include <limits>

#include "base/parse.hpp"
#include "fuzz.hpp"

namespace {

using Limits = std::numeric_limits<std::int64_t>;

struct Range {
    std::int64_t low;
    std::int64_t high;
};

/// The value, or one that is out of every range; nothing if `text` is no number.
std::optional<__int128> value_of(std::string_view text) {
    const bool negative = text.starts_with('-');
    text.remove_prefix(negative ? 1 : 0);
    if (text.empty())
        return std::nullopt;
    __int128 value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9')
            return std::nullopt;
        value = std::min(value * 10 + (c - '0'), __int128{1} << 64U);
    }
    return negative ? -value : value;
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view word = fuzz::Input(data, size).word();
    const auto value = value_of(word);
    constexpr Range ranges[] = {
        {Limits::min(), Limits::max()}, {0, Limits::max()}, {1, Limits::max()}, {0, 255}, {-20, 19},
    };
    for (const Range& range : ranges) {
        const auto number =
            fuzz::accepted([&] { return ipc::parse::number(word, range.low, range.high); });
        const bool is_in_range = value && *value >= range.low && *value <= range.high;
        fuzz::require(number.has_value() == is_in_range, "a number is accepted if it is in range");
        fuzz::require(!number || *number == *value, "a number has the value of its digits");
    }
    const auto tried = ipc::parse::try_number(word);
    const auto any = fuzz::accepted([&] { return ipc::parse::any_number(word); });
    fuzz::require(tried == any, "the two ways to parse a number agree");
    fuzz::require(!any || ipc::parse::any_number(ipc::text(*any)) == *any,
                  "a number printed and parsed again is the same");
    return 0;
}
