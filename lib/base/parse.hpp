// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <sys/types.h>

/// What users write on a command line. Each parser takes the whole text or throws UsageError that
/// quotes it; none of them skips blanks or stops early.
namespace ipc::parse {

/// A decimal number in [low, high]; the error names the range.
std::int64_t number(std::string_view text, std::int64_t low = 0,
                    std::int64_t high = std::numeric_limits<std::int64_t>::max());

/// One below zero as well.
inline std::int64_t any_number(std::string_view text) {
    return number(text, std::numeric_limits<std::int64_t>::min());
}

inline std::uint64_t count(std::string_view text) {
    return static_cast<std::uint64_t>(number(text));
}

inline int exit_status(std::string_view text) { return static_cast<int>(number(text, 0, 255)); }

/// The same where a failure is not the user's option: nothing if it is no number or overflows.
std::optional<std::int64_t> try_number(std::string_view text) noexcept;

/// Bytes: a decimal number and nothing, `K M G`, `KiB MiB GiB` (powers of 1024) or `KB MB GB`
/// (powers of 1000). At most `high`.
std::int64_t size(std::string_view text,
                  std::int64_t high = std::numeric_limits<std::int64_t>::max());

/// A decimal number, with a fraction or without, and `ms s m h d`; seconds by default. Rounded
/// down to nanoseconds.
std::chrono::nanoseconds duration(std::string_view text);

/// Permission bits: octal, or symbolic as in chmod(1) relative to `base`. Symbolic modes without
/// `ugoa` mean all, whatever the umask; only r, w and x exist here.
mode_t mode(std::string_view text, mode_t base);

} // namespace ipc::parse
