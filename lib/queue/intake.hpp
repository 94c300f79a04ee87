// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/deadline.hpp"
#include "queue/message_queue.hpp"
#include "record/sink.hpp"

namespace ipc {

/// Which messages are wanted, how many, and how long each may be waited for.
struct Demand {
    std::uint64_t count = 1;
    bool all = false;      ///< what is queued at the start, without waiting
    bool follow = false;   ///< for ever
    bool nonblock = false; ///< none that has to be waited for
    bool peek = false;     ///< copies, System V alone; never waits
    std::optional<nanoseconds> timeout;
    Selection selection;

    bool may_wait() const noexcept { return !nonblock && !all && !peek; }
};

/// Takes messages from a queue into a sink, as a Demand says.
class Intake {
  public:
    /// Throws UsageError if the queue's family cannot serve the demand.
    Intake(MessageQueue& queue, const Demand& demand);

    bool wants_more() const noexcept { return taken_ < wanted_; }
    std::uint64_t taken() const noexcept { return taken_; }

    struct Moved {
        Outcome outcome = Outcome::done; ///< or not_now, timed_out, removed, cut_off
        int status = 0;                  ///< to end with, says the sink; 0: go on
    };

    /// Moves the next message into `sink`, which delivers what it holds before a wait. Throws what
    /// queue and sink throw.
    Moved move_one(Sink& sink);

  private:
    Received receive(Sink& sink);
    Received peek(std::span<char> room);

    MessageQueue& queue_;
    const Demand& demand_;
    std::uint64_t wanted_ = 0;
    std::uint64_t taken_ = 0;
    std::size_t index_ = 0; ///< of the next message to peek at
};

} // namespace ipc
