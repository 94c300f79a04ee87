// SPDX-License-Identifier: MIT
#include "queue/watch.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "process/procfs.hpp"
#include "queue/details.hpp"
#include "queue/posix.hpp"

namespace ipc {

namespace {

/// Queued, one for each registration; signals.cpp uses the first real-time one.
int notification_signal() noexcept { return SIGRTMIN + 1; }

/// Blocked, so that it is read and never delivered.
UniqueFd open_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, notification_signal());
    sigprocmask(SIG_BLOCK, &set, nullptr);
    UniqueFd fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd.is_open())
        throw Error({}, "cannot read signals", errno, explain_error(errno));
    return fd;
}

std::string describe_process(pid_t pid) {
    if (pid == 0)
        return "by a process that is not visible from here";
    const std::string command = procfs::command(pid);
    return text("by process ", pid, command.empty() ? "" : " ", printable(command));
}

ino_t inode(const UniqueFd& fd) noexcept {
    struct stat status {};
    fstat(fd.get(), &status);
    return status.st_ino;
}

} // namespace

bool QueueWatch::State::operator==(const State& other) const noexcept {
    return count == other.count && modified.tv_sec == other.modified.tv_sec &&
           modified.tv_nsec == other.modified.tv_nsec;
}

QueueWatch::QueueWatch(WatchBy by, Repeat repeat)
    : by_(by), repeat_(repeat), signals_(open_signals()), changes_(epoll_create1(EPOLL_CLOEXEC)) {
    if (!changes_.is_open())
        throw Error({}, "cannot wait", errno, explain_error(errno));
}

void QueueWatch::add(const Name& name) {
    if (name.is_system_v())
        throw Error(name.text, "System V queues have no notification; mqreceive can wait for them");
    UniqueFd fd = open_posix_descriptor(name, O_RDONLY);
    for (const Queue& other : queues_)
        if (inode(other.fd) == inode(fd))
            throw Error(name.text, "this queue is named twice");
    const int number = fd.get();
    queues_.push_back({.name = name, .fd = std::move(fd), .removal = RemovalWatch(number)});
    const std::size_t queue = queues_.size() - 1;
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.u64 = queue;
    if (epoll_ctl(changes_.get(), EPOLL_CTL_ADD, number, &event) != 0)
        throw Error(name.text, "cannot wait", errno);
    if (by_ == WatchBy::registration)
        register_for(queue);
}

void QueueWatch::look() {
    collect_changes();
    for (std::size_t i = 0; i < queues_.size(); ++i) {
        queues_[i].has_changed = false;
        queues_[i].had_messages = has_messages(i);
    }
}

void QueueWatch::register_for(std::size_t queue) {
    sigevent event{};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = notification_signal();
    event.sigev_value.sival_int = static_cast<int>(queue);
    if (mq_notify(queues_[queue].fd.get(), &event) == 0)
        return;
    const int error = errno;
    std::string detail;
    if (error == EBUSY)
        if (const auto details = read_queue_details(queues_[queue].fd))
            detail = text("taken ", describe_process(details->registered),
                          "; --poll needs no registration");
    throw Error(name(queue).text, "cannot register", error, detail);
}

std::optional<QueueEvent> QueueWatch::wait(Deadline deadline, int output_fd) {
    for (Queue& queue : queues_)
        queue.removal.restart();
    for (;;) {
        signals::check();
        if (failure_)
            std::rethrow_exception(failure_);
        if (auto event = next_event())
            return event;
        if (deadline.passed())
            return std::nullopt;
        poll(deadline, output_fd);
    }
}

std::optional<QueueEvent> QueueWatch::next_event() {
    using What = QueueEvent::What;
    if (auto event = read_notification())
        return event;
    collect_changes();
    for (std::size_t i = 0; i < queues_.size(); ++i) {
        Queue& queue = queues_[i];
        const bool had_messages = std::exchange(queue.had_messages, false);
        const bool has_change = std::exchange(queue.has_changed, false);
        if (had_messages || (has_change && wants_change(i) && has_messages(i))) {
            queue.expects_change = false;
            return QueueEvent{What::has_messages, i, std::nullopt};
        }
        if (has_change && by_ == WatchBy::registration && has_messages(i) && !is_registered(i)) {
            // The notification was sent before the change was seen; or it was lost, because no
            // more signals could be queued (RLIMIT_SIGPENDING).
            if (auto event = read_notification())
                return event;
            return renewed({What::has_messages, i, std::nullopt});
        }
        queue.removal.drain();
        if (!queue.is_removed && queue.removal.notices_removal()) {
            queue.is_removed = true;
            return QueueEvent{What::removed, i, std::nullopt};
        }
    }
    return std::nullopt;
}

/// mq_notify(3) is for one time, so it registers again before it tells.
std::optional<QueueEvent> QueueWatch::read_notification() {
    constexpr int most_at_once = 64; // whoever may send us signals can do so without pause
    signalfd_siginfo info{};
    ssize_t size = 0;
    for (int taken = 0; taken < most_at_once; ++taken) {
        size = read(signals_.get(), &info, sizeof info);
        if (size != sizeof info)
            break;
        const auto queue = static_cast<std::size_t>(info.ssi_int);
        if (info.ssi_code != SI_MESGQ || queue >= queues_.size())
            continue;
        return renewed({QueueEvent::What::has_messages, queue,
                        Sender{static_cast<pid_t>(info.ssi_pid), info.ssi_uid}});
    }
    if (size == -1 && errno != EAGAIN && errno != EINTR)
        throw Error({}, "cannot read signals", errno);
    return std::nullopt;
}

/// The event, after registering for the next one.
QueueEvent QueueWatch::renewed(const QueueEvent& event) {
    try {
        if (repeat_ == Repeat::yes)
            register_for(event.queue);
    } catch (const Error&) {
        failure_ = std::current_exception();
    }
    return event;
}

bool QueueWatch::wants_change(std::size_t queue) const noexcept {
    return by_ == WatchBy::readiness || queues_[queue].expects_change;
}

bool QueueWatch::is_registered(std::size_t queue) const noexcept {
    const auto details = read_queue_details(queues_[queue].fd);
    return !details || details->registered == getpid();
}

void QueueWatch::collect_changes() {
    epoll_event events[64];
    for (std::size_t taken = 0; taken <= queues_.size(); taken += std::size(events)) {
        const int count = epoll_wait(changes_.get(), events, std::size(events), 0);
        for (int i = 0; i < count; ++i)
            queues_[events[i].data.u64].has_changed = true;
        if (count < static_cast<int>(std::size(events)))
            break;
    }
}

void QueueWatch::poll(Deadline deadline, int output_fd) {
    std::vector<pollfd> poll_fds = {
        {.fd = output_fd, .events = 0, .revents = 0},
        {.fd = signals_.get(), .events = POLLIN, .revents = 0},
        {.fd = changes_.get(), .events = POLLIN, .revents = 0},
    };
    Deadline look = deadline;
    for (Queue& queue : queues_) {
        poll_fds.push_back({.fd = queue.removal.poll_fd(), .events = POLLIN, .revents = 0});
        if (!queue.is_removed)
            look = queue.removal.next_look(look);
    }
    const timespec left = look.is_never() ? timespec{} : to_timespec(look.left());
    const int count =
        ppoll(poll_fds.data(), poll_fds.size(), look.is_never() ? nullptr : &left, nullptr);
    if (count < 0 && errno != EINTR)
        throw Error({}, "cannot wait", errno);
    if (count > 0 && (poll_fds[0].revents & (POLLERR | POLLHUP)) != 0)
        throw Error("stdout", "cannot write", EPIPE);
}

bool QueueWatch::is_over() const noexcept {
    return std::all_of(queues_.begin(), queues_.end(), [](const Queue& q) { return q.is_removed; });
}

bool QueueWatch::has_messages(std::size_t queue) const {
    return posix_attributes(queues_[queue].fd).mq_curmsgs > 0;
}

QueueWatch::State QueueWatch::state(std::size_t queue) const {
    struct stat status {};
    fstat(queues_[queue].fd.get(), &status);
    return {.count = posix_attributes(queues_[queue].fd).mq_curmsgs, .modified = status.st_mtim};
}

bool QueueWatch::take_change(std::size_t queue) {
    collect_changes();
    return std::exchange(queues_[queue].has_changed, false);
}

} // namespace ipc
