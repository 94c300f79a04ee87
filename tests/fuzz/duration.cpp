// SPDX-License-Identifier: MIT
// Durations: digits times unit, rounded down to nanoseconds; what does not fit is refused.

#include <algorithm>
#include <limits>

#include "base/parse.hpp"
#include "fuzz.hpp"

namespace {

using Wide = unsigned __int128;

struct Unit {
    std::string_view name;
    unsigned milliseconds;
};

constexpr Unit units[] = {
    {"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000},
};

/// So many digits times the longest unit fit into a Wide.
constexpr std::size_t most_digits = 22;

/// Between which two durations, in nanoseconds, the text's lies; they differ if it has more digits
/// than can be reckoned with here.
struct Bounds {
    Wide low;
    Wide high;
};

std::string_view take_digits(std::string_view& text) {
    const std::string_view digits = text.substr(0, text.find_first_not_of("0123456789"));
    text.remove_prefix(digits.size());
    return digits;
}

/// Nothing if `text` is no duration.
std::optional<Bounds> bounds_of(std::string_view text) {
    std::string_view whole = take_digits(text);
    std::string_view fraction;
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        fraction = take_digits(text);
    }
    const auto* const unit = std::find_if(std::begin(units), std::end(units),
                                          [&](const Unit& known) { return known.name == text; });
    if ((whole.empty() && fraction.empty()) || unit == std::end(units))
        return std::nullopt;
    const Wide factor = Wide{unit->milliseconds} * 1'000'000;
    whole.remove_prefix(std::min(whole.find_first_not_of('0'), whole.size()));
    // So long a number of nanoseconds is too long already.
    if (whole.size() >= most_digits)
        return Bounds{Wide{1} << 64U, Wide{1} << 64U};
    Wide value = 0;
    for (const char digit : whole)
        value = value * 10 + static_cast<Wide>(digit - '0');
    Wide part = 0;
    Wide scale = 1;
    for (const char digit : fraction.substr(0, most_digits)) {
        part = part * 10 + static_cast<Wide>(digit - '0');
        scale *= 10;
    }
    const Wide low = value * factor + part * factor / scale;
    return Bounds{low, fraction.size() > most_digits ? low + 1 : low};
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr Wide longest = std::numeric_limits<std::int64_t>::max();
    const std::string_view word = fuzz::Input(data, size).word();
    const auto bounds = bounds_of(word);
    const auto duration = fuzz::accepted([&] { return ipc::parse::duration(word); });
    if (!duration) {
        fuzz::require(!bounds || bounds->high > longest, "a duration that fits is accepted");
        return 0;
    }
    fuzz::require(duration->count() >= 0, "no duration is negative");
    const auto nanoseconds = static_cast<Wide>(duration->count());
    fuzz::require(bounds && nanoseconds >= bounds->low && nanoseconds <= bounds->high,
                  "a duration is its digits times its unit, rounded down");
    return 0;
}
