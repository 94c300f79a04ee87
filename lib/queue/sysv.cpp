// SPDX-License-Identifier: MIT
#include "queue/sysv.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <sys/ipc.h>
#include <unistd.h>

#include "base/buffer.hpp"
#include "base/error.hpp"
#include "base/io.hpp"
#include "base/limits.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "object/foreign.hpp"
#include "object/system_v.hpp"

namespace ipc {

namespace {

constexpr std::size_t type_size = sizeof(long);
constexpr int msg_copy = 040000; // MSG_COPY of linux/msg.h, since Linux 3.8
static_assert(type_size <= Buffer::headroom);

/// msgop(2) wants the type right before the text. It is put there, or left there by the kernel,
/// for the length of one call; the bytes that were there come back.
class TypeSlot {
  public:
    explicit TypeSlot(std::span<char> message, long type = 0) noexcept
        : at_(message.data() - type_size) {
        std::memcpy(saved_, at_, type_size);
        std::memcpy(at_, &type, type_size);
    }
    TypeSlot(const TypeSlot&) = delete;
    TypeSlot& operator=(const TypeSlot&) = delete;
    ~TypeSlot() { std::memcpy(at_, saved_, type_size); }

    char* msgbuf() const noexcept { return at_; }
    long type() const noexcept {
        long type = 0;
        std::memcpy(&type, at_, type_size);
        return type;
    }

  private:
    char* at_;
    char saved_[type_size] = {};
};

int try_status(int id, msqid_ds& status) noexcept {
    constexpr int msg_stat_any = 13; // linux/msg.h
    if (msgctl(id, IPC_STAT, &status) == 0)
        return 0;
    const int error = errno;
    const bool found = error == EACCES && try_stat_any(id, [&](int index) {
                           return msgctl(index, msg_stat_any, &status);
                       });
    return found ? 0 : error;
}

class SysvQueue final : public MessageQueue {
  public:
    SysvQueue(const Name& name, int id) : MessageQueue(name), id_(id), receive_size_(msgmax()) {
        limit_ = std::min(msgmax(), queue_bytes());
    }

    Family family() const noexcept override { return Family::system_v; }
    std::uint64_t identity() const noexcept override { return static_cast<std::uint64_t>(id_); }
    long lowest_priority() const noexcept override { return 1; }
    long highest_priority() const noexcept override { return std::numeric_limits<long>::max(); }
    std::size_t message_limit() const noexcept override { return limit_; }
    std::size_t receive_size() const noexcept override { return receive_size_; }
    /// Known for a queue with a key; a private one may be read-only all the same.
    bool can_send() const noexcept override {
        constexpr int write_permission = 0222;
        msqid_ds status{};
        const bool is_private =
            try_status(id_, status) != 0 || status.msg_perm.__key == IPC_PRIVATE;
        return is_private || msgget(status.msg_perm.__key, write_permission) != -1 ||
               errno != EACCES;
    }
    std::size_t count() override;
    void select(Selection selection, bool) override { selection_ = selection; }

    std::string explain_limit(std::size_t size) const override {
        if (msgmax() <= queue_bytes())
            return describe_limit("kernel.msgmax", static_cast<long>(size));
        return text("maxbytes = ", queue_bytes(), "; raise it with: mqctl set --maxbytes=", size,
                    ' ', name().text);
    }

    bool is_removed() const noexcept override {
        msqid_ds status{};
        return is_gone(try_status(id_, status));
    }

    Outcome try_send(std::span<char> message, long priority) override {
        return send_once(message, priority, IPC_NOWAIT);
    }
    Outcome send(std::span<char> message, long priority, Deadline deadline,
                 Interruptible interruptible) override;
    Received try_receive(std::span<char> room) override {
        return receive_once(room, selection_.type, flags() | IPC_NOWAIT);
    }
    Received receive(std::span<char> room, Deadline deadline, int output_fd) override;
    Received peek(std::span<char> room, std::size_t index) override;

  private:
    static std::size_t msgmax() {
        return static_cast<std::size_t>(kernel_limit("kernel.msgmax").value_or(8192));
    }
    std::size_t queue_bytes() const {
        msqid_ds status{};
        return try_status(id_, status) == 0 ? status.msg_qbytes : msgmax();
    }
    int flags() const noexcept { return selection_.except ? MSG_EXCEPT : 0; }

    Outcome send_once(std::span<char> message, long priority, int flags);
    Received receive_once(std::span<char> room, long type, int flags);
    void learn_receive_size();

    int id_;
    std::size_t limit_ = 0;
    std::size_t receive_size_;
    Selection selection_;
};

/// By looking at each message where a type is selected; all are counted if the kernel cannot copy
/// messages (CONFIG_CHECKPOINT_RESTORE).
std::size_t SysvQueue::count() {
    const std::size_t queued = sysv_queue_status(name(), id_).msg_qnum;
    if (selection_.is_everything())
        return queued;
    Buffer copy;
    std::size_t matching = 0;
    for (std::size_t index = 0; index < queued;) {
        Received received;
        try {
            received = peek(copy.room(receive_size_), index);
        } catch (const Error&) {
            return queued;
        }
        if (received.outcome == Outcome::too_large)
            continue;
        if (received.outcome == Outcome::removed)
            fail("cannot receive", EIDRM);
        if (received.outcome != Outcome::done)
            break;
        if (selection_.matches(received.priority))
            ++matching;
        ++index;
    }
    return matching;
}

Outcome SysvQueue::send_once(std::span<char> message, long priority, int flags) {
    const TypeSlot slot(message, priority);
    if (msgsnd(id_, slot.msgbuf(), message.size(), flags) == 0)
        return Outcome::done;
    if (errno == EAGAIN || errno == EINTR)
        return Outcome::not_now;
    if (errno == EIDRM || (errno == EINVAL && is_removed()))
        return Outcome::removed;
    if (errno == EINVAL)
        fail("cannot send", EINVAL,
             text(message.size(), " bytes, ",
                  describe_limit("kernel.msgmax", static_cast<long>(message.size()))));
    fail("cannot send", errno);
}

Outcome SysvQueue::send(std::span<char> message, long priority, Deadline deadline,
                        Interruptible interruptible) {
    if (!deadline.is_never()) // a timer is dear, or cannot be had
        if (const Outcome outcome = try_send(message, priority); outcome != Outcome::not_now)
            return outcome;
    const signals::Alarm alarm(deadline);
    for (;;) {
        if (interruptible == Interruptible::yes)
            signals::check();
        if (deadline.passed()) {
            const Outcome outcome = try_send(message, priority);
            return outcome == Outcome::not_now ? Outcome::timed_out : outcome;
        }
        const Outcome outcome = send_once(message, priority, 0);
        if (outcome != Outcome::not_now)
            return outcome;
    }
}

Received SysvQueue::receive_once(std::span<char> room, long type, int flags) {
    const TypeSlot slot(room);
    const ssize_t size = msgrcv(id_, slot.msgbuf(), room.size(), type, flags);
    if (size >= 0)
        return {.outcome = Outcome::done,
                .size = static_cast<std::size_t>(size),
                .priority = slot.type()};
    switch (errno) {
    case ENOMSG:
    case EINTR:
        return {.outcome = Outcome::not_now};
    case E2BIG:
        learn_receive_size();
        return {.outcome = Outcome::too_large};
    case EIDRM:
        return {.outcome = Outcome::removed};
    case EINVAL:
        if (is_removed())
            return {.outcome = Outcome::removed};
        if ((flags & msg_copy) != 0)
            fail("cannot copy a message", EINVAL,
                 text("it may be longer than ", describe_limit("kernel.msgmax", 65536)));
        [[fallthrough]];
    default:
        fail("cannot receive", errno);
    }
}

/// msgrcv(2) cannot be polled together with the output, which is looked at each second.
Received SysvQueue::receive(std::span<char> room, Deadline deadline, int output_fd) {
    constexpr nanoseconds between_looks = std::chrono::seconds(1);
    const bool looks = has_reader(output_fd);
    for (;;) {
        const Deadline look = looks ? deadline.or_after(between_looks) : deadline;
        const signals::Alarm alarm(look);
        do {
            signals::check();
            if (deadline.passed()) {
                const Received received = try_receive(room);
                return received.outcome == Outcome::not_now
                           ? Received{.outcome = Outcome::timed_out}
                           : received;
            }
            const Received received = receive_once(room, selection_.type, flags());
            if (received.outcome != Outcome::not_now)
                return received;
        } while (!look.passed());
        if (looks && is_writer_cut_off(output_fd))
            return {.outcome = Outcome::cut_off};
    }
}

Received SysvQueue::peek(std::span<char> room, std::size_t index) {
    return receive_once(room, static_cast<long>(index), msg_copy | IPC_NOWAIT);
}

/// A message sent before kernel.msgmax was lowered may be longer than it; never longer than all
/// that is queued.
void SysvQueue::learn_receive_size() {
    msqid_ds status{};
    const std::size_t queued = try_status(id_, status) == 0 ? status.__msg_cbytes : 0;
    receive_size_ = std::max(queued, 2 * receive_size_);
}

} // namespace

std::unique_ptr<MessageQueue> open_sysv_queue(const Name& name, Existing existing) {
    const int id = sysv_queue_id(name);
    check_owner(name, sysv_queue_status(name, id).msg_perm, existing);
    return open_sysv_queue(name, id);
}

std::unique_ptr<MessageQueue> open_sysv_queue(const Name& name, int id) {
    return std::make_unique<SysvQueue>(name, id);
}

int sysv_queue_id(const Name& name) {
    if (name.form == Name::Form::id)
        return name.number;
    const int id = msgget(name.key, 0);
    if (id == -1)
        throw Error(name.text, "cannot open", errno);
    return id;
}

msqid_ds sysv_queue_status(const Name& name, int id) {
    msqid_ds status{};
    if (const int error = try_status(id, status))
        throw Error(name.text, "cannot open", is_gone(error) ? ENOENT : error);
    return status;
}

} // namespace ipc
