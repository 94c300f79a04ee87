// SPDX-License-Identifier: MIT
#include "base/parse.hpp"

#include <algorithm>
#include <charconv>

#include "base/error.hpp"
#include "base/text.hpp"

namespace ipc::parse {

namespace {

constexpr mode_t all_bits = 0777;

struct Unit {
    std::string_view name;
    std::int64_t factor;
};

constexpr Unit size_units[] = {
    {"", 1},
    {"K", 1LL << 10},
    {"M", 1LL << 20},
    {"G", 1LL << 30},
    {"KiB", 1LL << 10},
    {"MiB", 1LL << 20},
    {"GiB", 1LL << 30},
    {"KB", 1'000},
    {"MB", 1'000'000},
    {"GB", 1'000'000'000},
};

constexpr std::int64_t second = 1'000'000'000;

constexpr Unit duration_units[] = {
    {"", second},       {"ms", 1'000'000},    {"s", second},
    {"m", 60 * second}, {"h", 3600 * second}, {"d", 86400 * second},
};

template <std::size_t N>
const Unit* find_unit(const Unit (&units)[N], std::string_view name) noexcept {
    const auto* const found =
        std::find_if(units, units + N, [name](const Unit& unit) { return unit.name == name; });
    return found == units + N ? nullptr : found;
}

[[noreturn]] void reject(std::string_view text, std::string_view reason) {
    throw UsageError(ipc::text("'", printable(text), "' ", reason));
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Splits off the digits that `text` starts with.
std::string_view take_digits(std::string_view& text) noexcept {
    const auto length = static_cast<std::size_t>(
        std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
    const std::string_view digits = text.substr(0, length);
    text.remove_prefix(length);
    return digits;
}

/// 0.FRACTION times `factor`, rounded down.
std::int64_t part_of(std::string_view fraction, std::int64_t factor) noexcept {
    std::int64_t part = 0;
    for (; !fraction.empty(); fraction.remove_suffix(1))
        part = ((fraction.back() - '0') * factor + part) / 10;
    return part;
}

/// One clause of a symbolic mode: [ugoa]*([-+=]([rwx]*|[ugo]))+
class ModeClause {
  public:
    ModeClause(std::string_view clause, mode_t mode) : rest_(clause), mode_(mode) {}

    /// The resulting mode; nothing if the clause is malformed.
    std::optional<mode_t> apply() {
        const mode_t who = take_who();
        if (rest_.empty())
            return std::nullopt;
        while (!rest_.empty()) {
            const char operation = rest_.front();
            if (operation != '+' && operation != '-' && operation != '=')
                return std::nullopt;
            rest_.remove_prefix(1);
            const mode_t bits = take_bits() & who;
            if (operation == '+')
                mode_ |= bits;
            else if (operation == '-')
                mode_ &= ~bits;
            else
                mode_ = (mode_ & ~who) | bits;
        }
        return mode_;
    }

  private:
    static mode_t class_bits(char who) noexcept {
        switch (who) {
        case 'u':
            return 0700;
        case 'g':
            return 0070;
        case 'o':
            return 0007;
        case 'a':
            return all_bits;
        default:
            return 0;
        }
    }

    mode_t take_who() noexcept {
        mode_t who = 0;
        while (!rest_.empty() && class_bits(rest_.front()) != 0) {
            who |= class_bits(rest_.front());
            rest_.remove_prefix(1);
        }
        return who == 0 ? all_bits : who;
    }

    static mode_t permission_bits(char permission) noexcept {
        switch (permission) {
        case 'r':
            return 0444;
        case 'w':
            return 0222;
        case 'x':
            return 0111;
        default:
            return 0;
        }
    }

    /// Either the permissions that one class has now, for everybody, or any of r, w and x.
    mode_t take_bits() noexcept {
        if (!rest_.empty() && rest_.front() != 'a' && class_bits(rest_.front()) != 0) {
            const mode_t own = mode_ & class_bits(rest_.front());
            const mode_t one = (own | own >> 3U | own >> 6U) & 7U;
            rest_.remove_prefix(1);
            return one | one << 3U | one << 6U;
        }
        mode_t bits = 0;
        while (!rest_.empty() && permission_bits(rest_.front()) != 0) {
            bits |= permission_bits(rest_.front());
            rest_.remove_prefix(1);
        }
        return bits;
    }

    std::string_view rest_;
    mode_t mode_;
};

mode_t octal_mode(std::string_view text) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 8);
    if (error != std::errc() || end != text.data() + text.size() || value > all_bits)
        reject(text, "is not a mode; permission bits go from 0 to 0777");
    return value;
}

} // namespace

std::optional<std::int64_t> try_number(std::string_view text) noexcept {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

std::int64_t number(std::string_view text, std::int64_t low, std::int64_t high) {
    const auto value = try_number(text);
    if (value && *value >= low && *value <= high)
        return *value;
    const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
    if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit))
        reject(text, "is not a whole number");
    reject(text, ipc::text("is out of range (", low, " to ", high, ")"));
}

std::int64_t size(std::string_view text, std::int64_t high) {
    std::string_view rest = text;
    const std::string_view digits = take_digits(rest);
    const Unit* const unit = find_unit(size_units, rest);
    if (digits.empty() || unit == nullptr)
        reject(text, "is not a size (such as 4096, 8K, 8KiB or 8KB)");
    const auto value = try_number(digits);
    std::int64_t bytes = 0;
    if (!value || __builtin_mul_overflow(*value, unit->factor, &bytes) || bytes > high)
        reject(text, ipc::text("is too large; the most is ", high));
    return bytes;
}

std::chrono::nanoseconds duration(std::string_view text) {
    std::string_view rest = text;
    const std::string_view whole = take_digits(rest);
    std::string_view fraction;
    if (rest.starts_with('.')) {
        rest.remove_prefix(1);
        fraction = take_digits(rest);
    }
    const Unit* const unit = find_unit(duration_units, rest);
    if ((whole.empty() && fraction.empty()) || unit == nullptr)
        reject(text, "is not a duration (such as 5, 0.5, 100ms, 2m, 1h or 1d)");
    const auto value = whole.empty() ? 0 : try_number(whole);
    std::int64_t total = 0;
    if (!value || __builtin_mul_overflow(*value, unit->factor, &total) ||
        __builtin_add_overflow(total, part_of(fraction, unit->factor), &total))
        reject(text, "is too long");
    return std::chrono::nanoseconds(total);
}

mode_t mode(std::string_view text, mode_t base) {
    if (!text.empty() && is_digit(text.front()))
        return octal_mode(text);
    mode_t mode = base & all_bits;
    std::string_view rest = text;
    for (;;) {
        const std::size_t comma = rest.find(',');
        const auto changed = ModeClause(rest.substr(0, comma), mode).apply();
        if (!changed)
            reject(text, "is not a mode (such as 0640 or u=rw,g=r)");
        mode = *changed;
        if (comma == std::string_view::npos)
            return mode;
        rest.remove_prefix(comma + 1);
    }
}

} // namespace ipc::parse
