// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>

#include "base/deadline.hpp"
#include "object/family.hpp"
#include "object/name.hpp"

namespace ipc {

/// How an attempt that may have to wait came out.
enum class Outcome : std::uint8_t {
    done,
    not_now,   ///< it would have to wait
    timed_out, ///< the deadline passed
    removed,   ///< the queue was removed while we waited
    cut_off,   ///< the output that was watched meanwhile has no reader any more
    too_large, ///< the next message needs more room: receive_size() says how much
};

struct Received {
    Outcome outcome = Outcome::not_now;
    std::size_t size = 0;
    long priority = 0; ///< the type, on System V
};

/// Which messages of a System V queue are meant: msgrcv(2).
struct Selection {
    long type = 0;
    bool except = false; ///< all but those of `type`

    bool is_everything() const noexcept { return type == 0 && !except; }
    bool matches(long message_type) const noexcept;
};

/// Whether a wait ends when the process shall end (signals::Ended is thrown).
enum class Interruptible : std::uint8_t { no, yes };

/// An open message queue of either family. A message is passed with `Buffer::headroom` writable
/// bytes before it, which are left as they were. Functions throw Error, naming the queue, for what
/// their Outcome does not say.
class MessageQueue {
  public:
    virtual ~MessageQueue() = default;
    MessageQueue(const MessageQueue&) = delete;
    MessageQueue& operator=(const MessageQueue&) = delete;

    const Name& name() const noexcept { return name_; }
    virtual Family family() const noexcept = 0;
    /// Two open queues of a family are the same one exactly if this is equal.
    virtual std::uint64_t identity() const noexcept = 0;

    /// The first and last priority, and the one a message has unless told otherwise.
    virtual long lowest_priority() const noexcept = 0;
    virtual long highest_priority() const noexcept = 0;
    long default_priority() const noexcept { return lowest_priority(); }

    /// The largest message that can be sent, in bytes.
    virtual std::size_t message_limit() const noexcept = 0;
    /// What sets that limit, and how to raise it for a message of `size` bytes; empty where
    /// nothing can.
    virtual std::string explain_limit(std::size_t size) const = 0;
    /// Room to pass to a receive call.
    virtual std::size_t receive_size() const noexcept = 0;
    /// How many of the selected messages are queued now.
    virtual std::size_t count() = 0;
    /// Whether what was received can be sent back.
    virtual bool can_send() const noexcept = 0;

    /// Messages that the following receive calls take, and whether peek() is wanted. POSIX queues
    /// refuse both (UsageError).
    virtual void select(Selection selection, bool peeks) = 0;

    /// done or not_now.
    virtual Outcome try_send(std::span<char> message, long priority) = 0;
    /// Waits for room if there is none: done, timed_out or removed.
    virtual Outcome send(std::span<char> message, long priority, Deadline deadline,
                         Interruptible interruptible) = 0;

    /// done, not_now, removed or too_large.
    virtual Received try_receive(std::span<char> room) = 0;
    /// Waits for a message: done, timed_out, removed, too_large, or cut_off, for `output_fd` is
    /// watched meanwhile (-1: nothing is).
    virtual Received receive(std::span<char> room, Deadline deadline, int output_fd) = 0;
    /// A copy of the message at `index`, which stays queued (MSG_COPY): done, not_now (no such
    /// index), removed or too_large. System V alone.
    virtual Received peek(std::span<char> room, std::size_t index) = 0;

    /// Whether its name is gone while we hold it open. False for queues that never had one.
    virtual bool is_removed() const noexcept = 0;

  protected:
    explicit MessageQueue(Name name) : name_(std::move(name)) {}

    [[noreturn]] void fail(std::string_view action, int error, std::string_view detail = {}) const;

  private:
    Name name_;
};

enum class Access : std::uint8_t { send, receive };

/// The kernel has an int for msg_qbytes, and takes more for less.
constexpr long most_max_bytes = std::numeric_limits<int>::max();

/// What a new queue shall be; what is not given is the kernel's default.
struct QueueSettings {
    mode_t mode = 0600;               ///< exact, whatever the umask
    std::optional<long> max_messages; ///< POSIX: mq_maxmsg
    std::optional<long> message_size; ///< POSIX: mq_msgsize, bytes
    std::optional<long> max_bytes;    ///< System V: msg_qbytes, up to most_max_bytes
};

/// For receiving, a POSIX queue is opened read-write so that messages can go back, else read-only.
/// `existing` says whose will do where one was to be created: check_owner().
std::unique_ptr<MessageQueue> open_queue(const Name& name, Access access,
                                         Existing existing = Existing::any);

struct Created {
    Name name;                           ///< it can be found by
    std::unique_ptr<MessageQueue> queue; ///< open, whatever its mode, if we made it
};

/// Makes the queue, or finds that it is there. Limits that are in the way are named in the Error.
Created create_queue(const Name& name, const QueueSettings& settings, Existing existing);

/// Removes it: mq_unlink(3), msgctl(2). Returns false if nothing is there.
bool remove_queue(const Name& name);

} // namespace ipc
