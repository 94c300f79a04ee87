// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/buffer.hpp"
#include "queue/message_queue.hpp"
#include "queue/put_back.hpp"
#include "record/sink.hpp"
#include "tool/options.hpp"

namespace ipc {

/// What becomes of a message on which COMMAND fails.
struct HandoverPolicy {
    std::uint64_t retries = 0;
    const char* dead_letter = nullptr; ///< the name of a queue; null: back to its own
};

/// Hands each message to a run of COMMAND, which takes it by ending with 0: its stdin is the
/// message, its environment has MQ_QUEUE, MQ_PRIORITY and MQ_SIZE.
class Handover final : public Sink {
  public:
    /// Throws Error if the dead-letter queue cannot take what `queue` holds.
    Handover(MessageQueue& queue, Operands command, const HandoverPolicy& policy);

    std::span<char> room(std::size_t message_size) override;

    /// 0 if COMMAND took the message or it went to the dead-letter queue; COMMAND's status if it
    /// was put back. Throws LostError if that failed too, and signals::Ended after a signal.
    int accept(std::size_t size, long priority) override;

    void deliver() override {}
    int output_fd() const noexcept override { return -1; }

    /// The message accepted last.
    std::string_view last() noexcept { return {message_.begin(), message_.size()}; }

  private:
    bool put_back(std::span<char> message, long priority) noexcept;
    LostError lost() const;
    int offer(std::span<char> message);
    bool bury(std::span<char> message, long priority);
    void open_dead_letter(const char* name);

    MessageQueue& queue_;
    Operands command_;
    HandoverPolicy policy_;
    std::unique_ptr<MessageQueue> dead_letter_;
    Buffer message_;
};

} // namespace ipc
