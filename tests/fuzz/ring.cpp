// SPDX-License-Identifier: MIT
// What a hostile peer writes into the header of a ring: no side gets a piece that is not in the
// ring, and what two honest sides do to a ring arrives as it was sent.

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "fuzz.hpp"
#include "ring/header.hpp"

namespace {

using ipc::ring_piece;
using ipc::ring_used;

bool is_within(std::span<std::byte> piece, std::span<std::byte> ring) {
    return piece.data() >= ring.data() && piece.size() <= ring.size() &&
           piece.data() + piece.size() <= ring.data() + ring.size();
}

std::uint64_t take_counter(fuzz::Input& input) {
    std::uint64_t counter = 0;
    const std::string_view bytes = input.take(sizeof counter);
    std::memcpy(&counter, bytes.data(), bytes.size());
    return counter;
}

/// Each side has a counter of its own that is true, and one that may be anything.
void check_forged(std::span<std::byte> ring, std::uint64_t ours, std::uint64_t forged) {
    if (const auto used = ring_used(forged, ours, ring.size())) {
        fuzz::require(is_within(ring_piece(ring, ours, *used), ring),
                      "what is read is in the ring");
        fuzz::require(*used == 0 || !ring_piece(ring, ours, *used).empty(), "and there is some");
    }
    if (const auto used = ring_used(ours, forged, ring.size()))
        fuzz::require(is_within(ring_piece(ring, ours, ring.size() - *used), ring),
                      "what is written goes into the ring");
}

/// The input goes through the ring in pieces as large as its bytes say.
void check_stream(std::span<std::byte> ring, std::uint64_t start, std::string_view sent) {
    std::uint64_t head = start;
    std::uint64_t tail = start;
    std::string received;
    for (std::size_t at = 0; received.size() < sent.size();) {
        const std::size_t step =
            at < sent.size() ? 1 + static_cast<unsigned char>(sent[at]) % 17 : 1;
        const auto room = ring_piece(ring, head, ring.size() - *ring_used(head, tail, ring.size()));
        const std::size_t put = std::min({room.size(), step, sent.size() - at});
        std::memcpy(room.data(), sent.data() + at, put);
        head += put;
        at += put;
        const auto full = ring_piece(ring, tail, *ring_used(head, tail, ring.size()));
        const std::size_t taken = std::min(full.size(), 1 + step / 2);
        received.append(reinterpret_cast<const char*>(full.data()), taken);
        tail += taken;
        fuzz::require(taken > 0, "something arrives");
    }
    fuzz::require(received == sent, "what arrives is what was sent");
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    std::vector<std::byte> memory(std::size_t{1} << input.choice(10));
    const std::uint64_t ours = take_counter(input);
    const std::uint64_t forged = take_counter(input);
    check_forged(memory, ours, forged);
    check_forged(memory, ours, ours + forged % (2 * memory.size()));
    check_stream(memory, ours, input.rest());
    return 0;
}
