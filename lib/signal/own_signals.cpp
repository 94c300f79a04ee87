// SPDX-License-Identifier: MIT
#include "signal/own_signals.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <iterator>
#include <limits>
#include <poll.h>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>

#include "base/error.hpp"
#include "base/exit_status.hpp"
#include "base/signals.hpp"

namespace ipc {

namespace {

constexpr nanoseconds ending_patience = std::chrono::seconds(1);

} // namespace

OwnSignals::OwnSignals(const Settings& settings, const sigset_t& watched, const sigset_t& ending,
                       SignalCommands commands)
    : settings_(settings), commands_(std::move(commands)), watch_(watched, ending),
      log_(settings.log_as),
      left_(settings.count.value_or(std::numeric_limits<std::uint64_t>::max())) {}

int OwnSignals::run() {
    Deadline deadline = Deadline::after(settings_.timeout);
    for (;;) {
        if (take())
            deadline = Deadline::after(settings_.timeout);
        commands_.advance();
        if (ended_)
            end();
        if (left_ == 0 || deadline.passed())
            break;
        // Where no more commands can wait, the signals do, in the kernel.
        const bool has_room = commands_.has_room();
        wait(deadline, has_room ? watch_.fd() : watch_.ending_fd(), STDOUT_FILENO);
        if (!has_room)
            take_ending();
    }
    finish_commands();
    if (commands_.has_failed())
        return exit_trouble;
    return left_ == 0 ? exit_done : exit_timed_out;
}

/// Tells what has come: also what ends us and, since that comes first, what was queued before it.
/// False if that was nothing.
bool OwnSignals::take() {
    const std::uint64_t before = left_;
    bool is_more = true;
    while (is_more) {
        const bool is_wanted = commands_.has_room() && !patience_.passed();
        const auto taken = watch_.take(is_wanted ? left_ : 0);
        is_more = !taken.empty();
        if (is_more)
            log_.begin_moment();
        for (const signalfd_siginfo& info : taken)
            handle(info);
        if ((log_.is_full() || !is_more) && !write())
            break;
    }
    return left_ < before;
}

/// Writes all that is to be told. False if we shall end, and it was not taken within a second.
bool OwnSignals::write() {
    const std::string lines = log_.take();
    for (std::string_view rest = lines; !rest.empty();) {
        if (!wait_to_write())
            return false;
        // A pipe that is ready takes so much without blocking: pipe(7).
        const ssize_t count =
            ::write(STDOUT_FILENO, rest.data(), std::min<std::size_t>(rest.size(), PIPE_BUF));
        if (count >= 0)
            rest.remove_prefix(static_cast<std::size_t>(count));
        else if (errno != EINTR && errno != EAGAIN)
            throw Error("stdout", "cannot write", errno);
    }
    return true;
}

bool OwnSignals::wait_to_write() {
    while (!patience_.passed()) {
        pollfd poll_fds[] = {
            {.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0},
            {.fd = ended_ ? -1 : watch_.ending_fd(), .events = POLLIN, .revents = 0}};
        const timespec left = ended_ ? to_timespec(patience_.left()) : timespec{};
        if (ppoll(poll_fds, std::size(poll_fds), ended_ ? &left : nullptr, nullptr) < 0 &&
            errno != EINTR)
            throw Error({}, "cannot wait", errno);
        if (poll_fds[0].revents != 0)
            return true;
        take_ending();
    }
    return false;
}

void OwnSignals::handle(const signalfd_siginfo& info) {
    const SignalEvent event = decode(info);
    const bool is_of_command = event.signal == SIGCHLD && commands_.is_ours(event.pid);
    if (watch_.is_watched(event.signal) && !is_of_command && left_ > 0) {
        log_.add(event);
        commands_.queue(event);
        --left_;
    }
    if (watch_.is_ending(event.signal) && !ended_) {
        ended_ = event;
        patience_ = Deadline::after(ending_patience);
    }
}

/// For such a signal, the end of a command, or the loss of the output's reader.
void OwnSignals::wait(Deadline deadline, int signals_fd, int output_fd) {
    pollfd poll_fds[] = {
        {.fd = output_fd, .events = 0, .revents = 0},
        {.fd = signals_fd, .events = POLLIN, .revents = 0},
        {.fd = commands_.fd(), .events = POLLIN, .revents = 0},
    };
    const timespec left = deadline.is_never() ? timespec{} : to_timespec(deadline.left());
    const int count =
        ppoll(poll_fds, std::size(poll_fds), deadline.is_never() ? nullptr : &left, nullptr);
    if (count < 0 && errno != EINTR)
        throw Error({}, "cannot wait", errno);
    if (count > 0 && (poll_fds[0].revents & (POLLERR | POLLHUP)) != 0)
        throw Error("stdout", "cannot write", EPIPE);
}

void OwnSignals::take_ending() {
    if (const auto info = watch_.take_ending()) {
        log_.begin_moment();
        handle(*info);
    }
}

void OwnSignals::finish_commands() {
    while (!commands_.is_idle()) {
        wait(Deadline::never(), watch_.ending_fd(), -1);
        take_ending();
        commands_.advance();
        if (ended_)
            end();
    }
}

/// The command that runs gets the signal as well, unless the terminal has sent it to both; those
/// that wait do not run.
void OwnSignals::end() {
    const int signal = ended_->signal;
    commands_.drop_waiting();
    for (;;) {
        if (ended_ && ended_->code != SI_KERNEL)
            commands_.pass_on(ended_->signal);
        ended_.reset();
        if (commands_.is_idle())
            throw signals::Ended{signal};
        wait(Deadline::never(), watch_.ending_fd(), -1);
        take_ending();
        commands_.advance();
    }
}

} // namespace ipc
