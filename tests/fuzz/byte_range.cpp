// SPDX-License-Identifier: MIT
// The part of an object that --offset and --length stand for lies within it, whatever they are.
// Input: offset, length and size, in 8 bytes each.

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/byte_range.hpp"
#include "fuzz.hpp"

namespace {

constexpr std::size_t width = sizeof(std::int64_t);

/// Not below zero, as sizes are that were parsed or come from the kernel.
std::int64_t number_at(const std::uint8_t* data) {
    std::int64_t number = 0;
    std::memcpy(&number, data, width);
    return number & std::numeric_limits<std::int64_t>::max();
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 3 * width)
        return 0;
    const std::int64_t wanted = number_at(data + width);
    const std::int64_t there = number_at(data + 2 * width);
    const ipc::ByteRange whole = {.offset = number_at(data)};
    const ipc::ByteRange part = {.offset = whole.offset, .length = wanted};
    const std::int64_t end = part.end_in(there);
    fuzz::require(end >= part.offset, "a range does not end before it begins");
    fuzz::require(end <= std::max(there, part.offset), "nor beyond the object");
    fuzz::require(end <= whole.end_in(there), "a length does not make it longer");
    fuzz::require(end - part.offset + part.missing_in(there) == wanted,
                  "what is there and what is missing are all that was asked for");
    fuzz::require(whole.missing_in(there) == 0, "nothing is missing of all there is");
    fuzz::require(ipc::bounded_sum(whole.offset, wanted) >= std::max(whole.offset, wanted),
                  "a sum is not smaller than its parts");
    return 0;
}
