// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>

#include "base/futex.hpp"

namespace ipc {

/// The first page of an object with a ring, before the ring itself. All zero, as the kernel makes
/// memory, it is valid: nobody there, no stream. So there is no moment at which it is half made.
///
/// Each field has one writer: whoever holds the word of its side, RobustWords. Whatever is read
/// here may have been forged by a peer, and is checked before it is used.
struct RingHeader { // NOLINT: what each side writes is apart
    using Counter = std::atomic<std::uint64_t>;
    static constexpr std::size_t cache_line = 64;
    static constexpr std::uint64_t magic_value = 0x31'65'70'69'70'6d'68'73; // "shmpipe1"

    enum Ended : std::uint32_t { no = 0, end_of_input = 1, given_up = 2 };

    Counter magic;
    alignas(8) futex::Word remover; ///< who removes the object

    alignas(cache_line) futex::Word writer;
    Counter stream; ///< its number, odd while it is being prepared
    Counter size;   ///< of the ring
    std::atomic<std::uint32_t> lockstep;
    std::atomic<std::uint32_t> ended; ///< Ended
    alignas(cache_line) Counter head; ///< bytes that the writer has put in

    alignas(cache_line) futex::Word reader;
    Counter reading;                  ///< the stream that it reads or has read, or 0
    Counter joined;                   ///< the last one that was begun to be read
    Counter finished;                 ///< the last one that was read to its end
    alignas(cache_line) Counter tail; ///< bytes that the reader has taken out

    // The two semaphores of lockstep.
    alignas(cache_line) std::atomic<std::uint32_t> empty; ///< buffers to be filled: 1 or 0
    alignas(cache_line) std::atomic<std::uint32_t> full;  ///< buffers to be emptied: 0 or 1
};

static_assert(std::is_standard_layout_v<RingHeader> && sizeof(RingHeader) <= 4096);
static_assert(RingHeader::Counter::is_always_lock_free);

/// Bytes in a ring of `size` between the two counters; nothing if they cannot be true.
constexpr std::optional<std::size_t> ring_used(std::uint64_t head, std::uint64_t tail,
                                               std::size_t size) noexcept {
    const std::uint64_t used = head - tail; // they never wrap in practice, and may
    return used <= size ? std::optional<std::size_t>(used) : std::nullopt;
}

/// `length` bytes from that counter on, as far as they lie in one piece. The ring's size is a power
/// of two.
constexpr std::span<std::byte> ring_piece(std::span<std::byte> ring, std::uint64_t counter,
                                          std::size_t length) noexcept {
    const std::size_t begin = counter & (ring.size() - 1);
    const std::size_t left = ring.size() - begin;
    return ring.subspan(begin, length < left ? length : left);
}

} // namespace ipc
