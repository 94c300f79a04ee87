// SPDX-License-Identifier: MIT
#include "queue/intake.hpp"

#include <limits>

namespace ipc {

Intake::Intake(MessageQueue& queue, const Demand& demand) : queue_(queue), demand_(demand) {
    queue.select(demand.selection, demand.peek);
    wanted_ = demand.follow ? std::numeric_limits<std::uint64_t>::max()
              : demand.all  ? queue.count()
                            : demand.count;
}

Intake::Moved Intake::move_one(Sink& sink) {
    const Received received = receive(sink);
    if (received.outcome != Outcome::done)
        return {.outcome = received.outcome};
    ++taken_;
    return {.status = sink.accept(received.size, received.priority)};
}

Received Intake::receive(Sink& sink) {
    for (bool waiting = false;;) {
        const auto room = sink.room(queue_.receive_size());
        const Received received =
            waiting ? queue_.receive(room, Deadline::after(demand_.timeout), sink.output_fd())
            : demand_.peek ? peek(room)
                           : queue_.try_receive(room);
        if (received.outcome == Outcome::not_now && demand_.may_wait()) {
            sink.deliver();
            waiting = true;
        } else if (received.outcome != Outcome::too_large) {
            return received;
        }
    }
}

/// MSG_COPY knows no types, so the selection is made here.
Received Intake::peek(std::span<char> room) {
    for (;;) {
        const Received received = queue_.peek(room, index_);
        if (received.outcome != Outcome::done)
            return received;
        ++index_;
        if (demand_.selection.matches(received.priority))
            return received;
    }
}

} // namespace ipc
