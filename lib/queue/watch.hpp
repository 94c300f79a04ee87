// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <sys/types.h>
#include <vector>

#include "base/deadline.hpp"
#include "base/fd.hpp"
#include "base/removal_watch.hpp"
#include "object/name.hpp"

namespace ipc {

/// How to learn that a POSIX queue has something.
enum class WatchBy : std::uint8_t {
    registration, ///< mq_notify(3): one process a queue; tells the sender
    readiness,    ///< poll(2): any number of watchers; sender unknown
};

/// Whether more than one event is wanted.
enum class Repeat : std::uint8_t { no, yes };

struct Sender {
    pid_t pid;
    uid_t uid;
};

struct QueueEvent {
    enum class What : std::uint8_t { has_messages, removed };
    What what;
    std::size_t queue; ///< index in the order of add()
    std::optional<Sender> sender;
};

/// Waits for POSIX queues to have something, or to be removed. After signals::hold().
///
/// A registration is made before the queue is looked at and, with Repeat::yes, made again before
/// its event is returned: whatever comes into an empty queue after that gives another event.
class QueueWatch {
  public:
    QueueWatch(WatchBy by, Repeat repeat);

    /// Opens a queue and registers for it. Throws Error: System V queues have no notification;
    /// EBUSY names the process that is registered already.
    void add(const Name& name);

    /// The first look, when all are added: a queue that is not empty gives an event.
    void look();

    const Name& name(std::size_t queue) const noexcept { return queues_[queue].name; }

    /// The next event; nothing when the deadline passes. Throws Error, EPIPE among them when
    /// `output_fd`, if it is not -1, has no reader any more; and signals::Ended.
    std::optional<QueueEvent> wait(Deadline deadline, int output_fd);

    /// Whether every queue has been removed; such a queue gives no more events.
    bool is_over() const noexcept;

    bool has_messages(std::size_t queue) const;

    /// What tells whether a queue was touched between two moments.
    struct State {
        long count = 0;
        timespec modified{};

        bool operator==(const State& other) const noexcept;
    };
    State state(std::size_t queue) const;
    /// Whether messages came or went since the last call, as far as poll(2) tells.
    bool take_change(std::size_t queue);

    /// The queue's next change gives an event as well, once.
    void expect_change(std::size_t queue) noexcept { queues_[queue].expects_change = true; }

  private:
    struct Queue {
        Name name;
        UniqueFd fd;
        RemovalWatch removal;
        bool had_messages = false;
        bool is_removed = false;
        bool has_changed = false;
        bool expects_change = false;
    };

    void register_for(std::size_t queue);
    std::optional<QueueEvent> next_event();
    std::optional<QueueEvent> read_notification();
    QueueEvent renewed(const QueueEvent& event);
    bool wants_change(std::size_t queue) const noexcept;
    bool is_registered(std::size_t queue) const noexcept;
    void collect_changes();
    void poll(Deadline deadline, int output_fd);

    WatchBy by_;
    Repeat repeat_;
    std::exception_ptr failure_; ///< of a new registration, until the event before it is told
    UniqueFd signals_;           ///< signalfd(2)
    UniqueFd changes_;           ///< epoll(7), edge-triggered, of all queues
    std::vector<Queue> queues_;
};

} // namespace ipc
