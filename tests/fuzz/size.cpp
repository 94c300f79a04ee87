// SPDX-License-Identifier: MIT
// Sizes: digits times unit, exactly; what does not fit is refused.

#include <algorithm>
#include <limits>

#include "base/parse.hpp"
#include "fuzz.hpp"

namespace {

struct Unit {
    std::string_view name;
    std::int64_t base;
    int power;
};

constexpr Unit units[] = {
    {"", 1, 0},       {"K", 1024, 1},   {"M", 1024, 2},  {"G", 1024, 3},  {"KiB", 1024, 1},
    {"MiB", 1024, 2}, {"GiB", 1024, 3}, {"KB", 1000, 1}, {"MB", 1000, 2}, {"GB", 1000, 3},
};

/// The size, or one that is over every limit; nothing if `text` is no size.
std::optional<__int128> value_of(std::string_view text) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto* const unit =
        std::find_if(std::begin(units), std::end(units),
                     [&](const Unit& known) { return known.name == text.substr(digits); });
    if (digits == 0 || unit == std::end(units))
        return std::nullopt;
    __int128 value = 0;
    for (const char digit : text.substr(0, digits))
        value = std::min(value * 10 + (digit - '0'), __int128{1} << 64U);
    for (int i = 0; i < unit->power; ++i)
        value *= unit->base;
    return value;
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view word = fuzz::Input(data, size).word();
    const auto value = value_of(word);
    for (const std::int64_t high :
         {std::numeric_limits<std::int64_t>::max(), std::int64_t{std::numeric_limits<int>::max()},
          std::int64_t{0}}) {
        const auto bytes = fuzz::accepted([&] { return ipc::parse::size(word, high); });
        fuzz::require(bytes.has_value() == (value && *value <= high),
                      "a size is accepted if it is not over the limit");
        if (!bytes)
            continue;
        fuzz::require(*bytes == *value, "a size is its digits times its unit");
        fuzz::require(ipc::parse::size(ipc::text(*bytes), high) == *bytes,
                      "a size printed and parsed again is the same");
    }
    return 0;
}
