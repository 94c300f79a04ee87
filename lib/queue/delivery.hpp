// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include "base/buffer.hpp"
#include "queue/message_queue.hpp"
#include "record/framing.hpp"
#include "record/sink.hpp"

namespace ipc {

/// Whether what stdout does not accept returns to the queue; what was only peeked at never left.
enum class PutBack : std::uint8_t { no, yes };

/// Carries messages from a queue to stdout, and back if stdout does not take them. A message is
/// delivered when write(2) has accepted its record's last byte. At most 64 KiB, or one message,
/// is held undelivered.
class Delivery final : public Sink {
  public:
    Delivery(MessageQueue& queue, Framing framing, PutBack put_back);
    Delivery(const Delivery&) = delete;
    Delivery& operator=(const Delivery&) = delete;
    ~Delivery() override;

    /// Delivers first if this and what is held would be too much. Throws Error if stdout has lost
    /// its reader, and as deliver() does.
    std::span<char> room(std::size_t message_size) override;

    int accept(std::size_t size, long priority) override;

    /// Writes all that is held to stdout. If stdout fails, or is stuck for a second when the
    /// process shall end, every message that was not delivered goes back; throws Error that says
    /// so, LostError if one could not go back, or signals::Ended.
    void deliver() override;

    int output_fd() const noexcept override { return STDOUT_FILENO; }

    /// Returns to the queue what is held, without a word of it on stdout. False if this message or
    /// an earlier one could not go back: it is on stderr. Needs no memory.
    bool give_back() noexcept;

    /// The message accepted last.
    std::string_view last() noexcept;

  private:
    struct Held {
        std::size_t offset; ///< into messages_
        std::size_t size;
        long priority;
        std::size_t record_end; ///< into records()
    };

    Buffer& records() noexcept { return framing_.is_plain() ? messages_ : framed_; }
    void clear() noexcept;

    struct Fate {
        std::size_t returned = 0;
        std::size_t cut_at = 0; ///< bytes of a record that stdout took in part
    };
    Fate take_back(std::size_t written) noexcept;
    [[noreturn]] void fail(std::size_t written, int error);

    MessageQueue& queue_;
    Framing framing_;
    PutBack put_back_;
    bool has_reader_;
    Buffer messages_; ///< with delimiters, if those make them records
    Buffer framed_;   ///< the records, if they are not
    std::vector<Held> held_;
    std::size_t lost_ = 0; ///< messages that are on stderr alone
};

} // namespace ipc
