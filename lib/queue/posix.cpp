// SPDX-License-Identifier: MIT
#include "queue/posix.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <limits>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/removal_watch.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "object/foreign.hpp"
#include "object/inherited.hpp"

namespace ipc {

namespace {

constexpr timespec at_once = {.tv_sec = 0, .tv_nsec = 0};

// The kernel's own ceilings for fs.mqueue.msg_max and fs.mqueue.msgsize_max: mq_overview(7).
constexpr long most_messages = 65536;
constexpr long largest_message = 16L << 20U;

/// ETIMEDOUT from a call that may not wait; EAGAIN where the descriptor we were handed is
/// non-blocking.
bool would_wait(int error) noexcept { return error == ETIMEDOUT || error == EAGAIN; }

int access_mode(const UniqueFd& fd) noexcept { return fcntl(fd.get(), F_GETFL) & O_ACCMODE; }

class PosixQueue final : public MessageQueue {
  public:
    PosixQueue(const Name& name, UniqueFd fd)
        : MessageQueue(name), fd_(std::move(fd)), attributes_(posix_attributes(fd_)),
          can_send_(access_mode(fd_) != O_RDONLY), removal_(fd_.get()) {}

    Family family() const noexcept override { return Family::posix; }
    std::uint64_t identity() const noexcept override {
        struct stat status {};
        fstat(fd_.get(), &status);
        return status.st_ino;
    }
    long lowest_priority() const noexcept override { return 0; }
    long highest_priority() const noexcept override { return 32767; } // MQ_PRIO_MAX - 1

    std::size_t message_limit() const noexcept override {
        return static_cast<std::size_t>(attributes_.mq_msgsize);
    }
    std::string explain_limit(std::size_t) const override { return {}; }
    std::size_t receive_size() const noexcept override { return message_limit(); }
    bool can_send() const noexcept override { return can_send_; }
    bool is_removed() const noexcept override { return removal_.is_removed(); }

    std::size_t count() override {
        return static_cast<std::size_t>(posix_attributes(fd_).mq_curmsgs);
    }

    void select(Selection selection, bool peeks) override {
        if (!selection.is_everything())
            throw UsageError(name().text, "only System V queues select by type");
        if (peeks)
            throw UsageError(name().text, "only System V queues can be peeked at");
    }

    Outcome try_send(std::span<char> message, long priority) override;
    Outcome send(std::span<char> message, long priority, Deadline deadline,
                 Interruptible interruptible) override;
    Received try_receive(std::span<char> room) override;
    Received receive(std::span<char> room, Deadline deadline, int output_fd) override;

    Received peek(std::span<char>, std::size_t) override { fail("cannot peek", ENOTSUP); }

  private:
    Outcome wait(short events, Deadline deadline, int output_fd);

    UniqueFd fd_;
    mq_attr attributes_;
    bool can_send_;
    RemovalWatch removal_;
};

Outcome PosixQueue::try_send(std::span<char> message, long priority) {
    while (mq_timedsend(fd_.get(), message.data(), message.size(), static_cast<unsigned>(priority),
                        &at_once) != 0) {
        if (would_wait(errno))
            return Outcome::not_now;
        if (errno != EINTR)
            fail("cannot send", errno);
    }
    return Outcome::done;
}

Outcome PosixQueue::send(std::span<char> message, long priority, Deadline deadline,
                         Interruptible interruptible) {
    if (try_send(message, priority) == Outcome::done)
        return Outcome::done;
    removal_.restart();
    do {
        if (interruptible == Interruptible::yes)
            signals::check();
        const Outcome outcome = wait(POLLOUT, deadline, -1);
        if (outcome != Outcome::done && outcome != Outcome::not_now)
            return outcome;
    } while (try_send(message, priority) != Outcome::done);
    return Outcome::done;
}

Received PosixQueue::try_receive(std::span<char> room) {
    unsigned priority = 0;
    for (;;) {
        const ssize_t size =
            mq_timedreceive(fd_.get(), room.data(), room.size(), &priority, &at_once);
        if (size >= 0)
            return {.outcome = Outcome::done,
                    .size = static_cast<std::size_t>(size),
                    .priority = static_cast<long>(priority)};
        if (would_wait(errno))
            return {.outcome = Outcome::not_now};
        if (errno != EINTR)
            fail("cannot receive", errno);
    }
}

Received PosixQueue::receive(std::span<char> room, Deadline deadline, int output_fd) {
    removal_.restart();
    for (bool last = false;;) {
        const Received received = try_receive(room);
        if (received.outcome == Outcome::done)
            return received;
        if (last)
            return {.outcome = Outcome::removed};
        signals::check();
        const Outcome outcome = wait(POLLIN, deadline, output_fd);
        if (outcome == Outcome::removed)
            last = true; // what was sent before the removal is still there
        else if (outcome != Outcome::done && outcome != Outcome::not_now)
            return {.outcome = outcome};
    }
}

/// done when the queue may be ready; not_now when a signal or a look at the clock came between.
Outcome PosixQueue::wait(short events, Deadline deadline, int output_fd) {
    if (removal_.notices_removal())
        return Outcome::removed;
    pollfd poll_fds[] = {{.fd = fd_.get(), .events = events, .revents = 0},
                         {.fd = removal_.poll_fd(), .events = POLLIN, .revents = 0},
                         {.fd = output_fd, .events = 0, .revents = 0}};
    const Deadline look = removal_.next_look(deadline);
    const timespec left = look.is_never() ? timespec{} : to_timespec(look.left());
    const int count =
        ppoll(poll_fds, std::size(poll_fds), look.is_never() ? nullptr : &left, nullptr);
    if (count < 0 && errno != EINTR)
        fail("cannot wait", errno);
    if (count <= 0)
        return deadline.passed() ? Outcome::timed_out : Outcome::not_now;
    if (poll_fds[1].revents != 0)
        removal_.drain();
    if (poll_fds[0].revents != 0)
        return Outcome::done;
    return (poll_fds[2].revents & (POLLERR | POLLHUP)) != 0 ? Outcome::cut_off : Outcome::not_now;
}

/// The inherited descriptor, if it is a queue.
UniqueFd take_queue(const Name& name) {
    UniqueFd fd = take_descriptor(name);
    mq_attr attributes{};
    if (mq_getattr(fd.get(), &attributes) != 0)
        throw Error(name.text, "this descriptor is not a message queue");
    return fd;
}

class NoUmask {
  public:
    NoUmask() noexcept : saved_(umask(0)) {}
    NoUmask(const NoUmask&) = delete;
    NoUmask& operator=(const NoUmask&) = delete;
    ~NoUmask() { umask(saved_); }

  private:
    mode_t saved_;
};

/// By the formula of getrlimit(2): two structures of 48 bytes go with each message.
std::string explain_queue_memory(const mq_attr& attributes) {
    constexpr ResourceLimit memory = {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE, "msgqueue"};
    const long bytes = attributes.mq_maxmsg * (attributes.mq_msgsize + 96);
    return text("all queues of the user count, this one takes about ", bytes, " bytes, ",
                describe_rlimit(memory, static_cast<unsigned long>(bytes)));
}

/// The limit that stood in the way of creating a queue, mq_open(3), mq_overview(7).
std::string explain_create(int error, const mq_attr& attributes) {
    switch (error) {
    case EINVAL:
        if (attributes.mq_maxmsg > kernel_limit("fs.mqueue.msg_max").value_or(most_messages))
            return text("maxmsg is ", attributes.mq_maxmsg, ", ",
                        describe_limit("fs.mqueue.msg_max", attributes.mq_maxmsg, most_messages));
        if (attributes.mq_msgsize > kernel_limit("fs.mqueue.msgsize_max").value_or(largest_message))
            return text(
                "msgsize is ", attributes.mq_msgsize, ", ",
                describe_limit("fs.mqueue.msgsize_max", attributes.mq_msgsize, largest_message));
        return text("maxmsg ", attributes.mq_maxmsg, ", msgsize ", attributes.mq_msgsize);
    case ENOSPC:
        return describe_limit("fs.mqueue.queues_max",
                              2 * kernel_limit("fs.mqueue.queues_max").value_or(0) + 1);
    case EMFILE:
        if (is_out_of_descriptors())
            return explain_error(error);
        return explain_queue_memory(attributes);
    default:
        return {};
    }
}

/// What the kernel takes for what is not given.
long default_limit(const char* name, const char* ceiling, long fallback) {
    const long value = kernel_limit(name).value_or(fallback);
    return std::min(value, kernel_limit(ceiling).value_or(value));
}

/// All may make queues, and only their owners remove them.
void check_queue_owner(const Name& name, const UniqueFd& queue, Existing existing) {
    struct stat status {};
    if (fstat(queue.get(), &status) != 0)
        throw Error(name.text, "cannot open", errno);
    check_owner(name, status.st_uid, existing);
}

/// The same of one that is not open. Whoever keeps us from it may let us in later.
void check_owner_of(const Name& name, Existing existing) {
    if (existing == Existing::any)
        return;
    auto queue = try_open_posix_descriptor(name, O_RDONLY);
    if (!queue)
        queue = open_posix_descriptor(name, O_WRONLY);
    check_queue_owner(name, *queue, existing);
}

} // namespace

mq_attr posix_attributes(const UniqueFd& queue) noexcept {
    mq_attr attributes{};
    mq_getattr(queue.get(), &attributes);
    return attributes;
}

std::optional<UniqueFd> try_open_posix_descriptor(const Name& name, int flags) {
    if (name.form == Name::Form::fd)
        return take_queue(name);
    const mqd_t fd = mq_open(name.text.c_str(), flags | O_CLOEXEC);
    if (fd == -1 && errno != EACCES)
        throw Error(name.text, "cannot open", errno, explain_error(errno));
    return fd == -1 ? std::nullopt : std::optional<UniqueFd>(fd);
}

UniqueFd open_posix_descriptor(const Name& name, int flags) {
    auto fd = try_open_posix_descriptor(name, flags);
    if (!fd)
        throw Error(name.text, "cannot open", EACCES);
    if (const int mode = access_mode(*fd); mode != O_RDWR && mode != flags)
        throw Error(name.text, flags == O_WRONLY ? "this descriptor cannot send"
                                                 : "this descriptor cannot receive");
    return std::move(*fd);
}

std::unique_ptr<MessageQueue> open_posix_queue(const Name& name, Access access, Existing existing) {
    if (access == Access::send) {
        UniqueFd fd = open_posix_descriptor(name, O_WRONLY);
        check_queue_owner(name, fd, existing);
        return std::make_unique<PosixQueue>(name, std::move(fd));
    }
    if (name.form != Name::Form::fd)
        if (auto fd = try_open_posix_descriptor(name, O_RDWR))
            return std::make_unique<PosixQueue>(name, std::move(*fd));
    return std::make_unique<PosixQueue>(name, open_posix_descriptor(name, O_RDONLY));
}

Created create_posix_queue(const Name& name, const QueueSettings& settings, Existing existing) {
    if (name.form == Name::Form::fd)
        throw UsageError(name.text, "a descriptor cannot be created");
    if (settings.max_bytes)
        throw UsageError(name.text, "maxbytes is for System V queues");
    mq_attr attributes{};
    attributes.mq_maxmsg = settings.max_messages
                               ? *settings.max_messages
                               : default_limit("fs.mqueue.msg_default", "fs.mqueue.msg_max", 10);
    attributes.mq_msgsize = settings.message_size ? *settings.message_size
                                                  : default_limit("fs.mqueue.msgsize_default",
                                                                  "fs.mqueue.msgsize_max", 8192);
    const NoUmask exact_mode;
    UniqueFd fd(mq_open(name.text.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, settings.mode,
                        &attributes));
    if (fd.is_open()) {
        try {
            return {.name = name, .queue = std::make_unique<PosixQueue>(name, std::move(fd))};
        } catch (...) {
            mq_unlink(name.text.c_str());
            throw;
        }
    }
    if (errno == EEXIST && existing != Existing::refused) {
        check_owner_of(name, existing);
        return {.name = name, .queue = nullptr};
    }
    const int error = errno;
    throw Error(name.text, "cannot create", error, explain_create(error, attributes));
}

bool remove_posix_queue(const Name& name) {
    if (name.form == Name::Form::fd)
        throw UsageError(name.text, "a descriptor has no name to remove");
    if (mq_unlink(name.text.c_str()) == 0)
        return true;
    if (errno != ENOENT)
        throw Error(name.text, "cannot remove", errno);
    return false;
}

} // namespace ipc
