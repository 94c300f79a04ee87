// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <sys/types.h>

#include "object/family.hpp"
#include "object/name.hpp"
#include "ring/header.hpp"

namespace ipc {

enum class RingSide : std::uint8_t { writer, reader };

/// The shared memory that a ring lies in: an object of either family, or an inherited descriptor.
/// Its size is what the kernel says, never what is written in it. Functions throw Error.
class RingMemory {
  public:
    /// Opens and maps what is there; null if there is nothing yet. For a reader, that goes for
    /// memory that has no header yet, too. What holds anything else than a ring is refused, and
    /// neither mapped for writing nor changed; so is another user's, as `existing` says:
    /// check_owner().
    static std::unique_ptr<RingMemory> try_open(const Name& name, RingSide side, Existing existing);

    /// New memory for a ring of `size`, of that mode; null if there is something already. Nobody
    /// finds it before it is published, unless it is of System V.
    static std::unique_ptr<RingMemory> try_create(const Name& name, std::size_t size, mode_t mode);

    RingMemory() = default;
    RingMemory(const RingMemory&) = delete;
    RingMemory& operator=(const RingMemory&) = delete;
    virtual ~RingMemory() = default;

    /// Gives what is new its name; false if that was taken meanwhile.
    virtual bool try_publish() { return true; }

    /// The page before the ring: mapped as long as this lives.
    virtual std::span<std::byte> header_page() const noexcept = 0;
    RingHeader& header() const noexcept;

    /// Makes room for a ring of `size`, so that storing into it cannot fail; if nothing is asked
    /// for, for what the object holds, or else for `usual`.
    virtual void prepare(std::optional<std::size_t> size, std::size_t usual) = 0;

    /// Maps the ring: the largest power of two that fits behind the header; empty if none does.
    virtual std::span<std::byte> map_ring() = 0;

    /// Whether its name is gone, so that nobody can come any more.
    virtual bool is_removed() const = 0;
    /// Removes this very object, if it has a name.
    virtual void remove() const = 0;
};

/// Bytes before the ring: a page.
std::size_t ring_offset() noexcept;

/// The size of the ring in an object of that size; 0 if it is too small for any.
std::size_t ring_size_in(std::size_t object_size) noexcept;

} // namespace ipc
