// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

namespace ipc {

/// Bytes of an object that were asked for by --offset and --length, neither of them negative.
struct ByteRange {
    std::int64_t offset = 0;
    std::optional<std::int64_t> length = {}; ///< none: up to the end

    /// Where it ends in an object of `size` bytes; never below `offset`, and not beyond the end
    /// unless `offset` is.
    std::int64_t end_in(std::int64_t size) const noexcept {
        const std::int64_t left = size > offset ? size - offset : 0;
        return offset + (length && *length < left ? *length : left);
    }

    /// How many of the bytes that were asked for by --length are not there.
    std::int64_t missing_in(std::int64_t size) const noexcept {
        return length ? *length - (end_in(size) - offset) : 0;
    }
};

/// The sum of two numbers that are not negative; the largest one if it is beyond all.
inline std::int64_t bounded_sum(std::int64_t a, std::int64_t b) noexcept {
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    return a > most - b ? most : a + b;
}

} // namespace ipc
