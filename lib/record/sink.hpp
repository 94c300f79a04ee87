// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>

namespace ipc {

/// Where received messages go. A sink never loses one: what it cannot deliver it returns to the
/// queue, or writes to stderr.
class Sink {
  public:
    virtual ~Sink() = default;
    Sink() = default;
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;

    /// Where the next message is to be received: `message_size` bytes, with Buffer::headroom
    /// before them. Throws before anything is taken from the queue if it could not be delivered.
    virtual std::span<char> room(std::size_t message_size) = 0;

    /// The message of `size` bytes in the room given last is the sink's now. Returns 0, or the
    /// status to end with.
    virtual int accept(std::size_t size, long priority) = 0;

    /// Delivers all that it holds.
    virtual void deliver() = 0;

    /// The descriptor without whose reader waiting for messages is pointless; -1: none.
    virtual int output_fd() const noexcept = 0;
};

} // namespace ipc
