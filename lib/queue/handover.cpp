// SPDX-License-Identifier: MIT
#include "queue/handover.hpp"

#include <cerrno>
#include <string>

#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "queue/put_back.hpp"
#include "tool/spawn.hpp"
#include "tool/tool.hpp"

namespace ipc {

Handover::Handover(MessageQueue& queue, Operands command, const HandoverPolicy& policy)
    : queue_(queue), command_(command), policy_(policy) {
    if (policy.dead_letter != nullptr)
        open_dead_letter(policy.dead_letter);
}

void Handover::open_dead_letter(const char* name) {
    const Name parsed = parse_name(Kind::queue, name);
    dead_letter_ = open_queue(parsed, Access::send);
    if (dead_letter_->family() != queue_.family())
        throw Error(parsed.text, "cannot be the dead-letter queue: it is of the other family");
    if (dead_letter_->identity() == queue_.identity())
        throw Error(parsed.text, "cannot be the dead-letter queue: it is the queue itself");
    if (dead_letter_->message_limit() < queue_.message_limit())
        throw Error(parsed.text,
                    text("cannot be the dead-letter queue: it takes messages of ",
                         dead_letter_->message_limit(), " bytes, ", printable(queue_.name().text),
                         " of ", queue_.message_limit()));
}

std::span<char> Handover::room(std::size_t message_size) {
    message_.clear();
    return message_.room(message_size).first(message_size);
}

int Handover::accept(std::size_t size, long priority) {
    message_.commit(size);
    const auto message = message_.span(0, size);
    int status = 0;
    try {
        set_environment("MQ_QUEUE", queue_.name().text);
        set_environment("MQ_PRIORITY", text(priority));
        set_environment("MQ_SIZE", text(size));
        status = offer(message);
    } catch (...) {
        if (!put_back(message, priority))
            report(lost());
        throw;
    }
    const bool buried = status != 0 && !cannot_start(status) && bury(message, priority);
    const bool returned = status == 0 || buried || put_back(message, priority);
    signals::check();
    if (!returned)
        throw lost();
    return buried ? 0 : status;
}

bool Handover::put_back(std::span<char> message, long priority) noexcept {
    return ipc::put_back(queue_, message, priority, Deadline::after(put_back_patience));
}

LostError Handover::lost() const {
    return {queue_.name().text, "the message could not be put back; it is on stderr"};
}

/// The status of the last run. After a signal that ends us no further one is started.
int Handover::offer(std::span<char> message) {
    for (std::uint64_t retries = policy_.retries;; --retries) {
        const int status = run_command(command_, std::string_view(message.data(), message.size()));
        if (status == 0 || cannot_start(status) || retries == 0 || signals::ended() != 0)
            return status;
    }
}

/// To the dead-letter queue, if there is one with room.
bool Handover::bury(std::span<char> message, long priority) {
    if (!dead_letter_)
        return false;
    try {
        if (dead_letter_->is_removed())
            throw Error(dead_letter_->name().text, "cannot send", EIDRM);
        if (dead_letter_->try_send(message, priority) == Outcome::done)
            return true;
        report(text(printable(dead_letter_->name().text), ": the dead-letter queue is full"));
    } catch (const Error& error) {
        report(error);
    }
    return false;
}

} // namespace ipc
