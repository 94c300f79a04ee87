// SPDX-License-Identifier: MIT
#include "signal/watch.hpp"

#include <algorithm>
#include <cerrno>
#include <unistd.h>

#include "base/error.hpp"
#include "base/limits.hpp"

namespace ipc {

namespace {

UniqueFd open_signals(const sigset_t& set) {
    UniqueFd fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd.is_open())
        throw Error({}, "cannot read signals", errno, explain_error(errno));
    return fd;
}

/// Those of `set` that were neither blocked nor ignored until now.
sigset_t effective(const sigset_t& set) noexcept {
    sigset_t blocked;
    sigprocmask(SIG_BLOCK, nullptr, &blocked);
    sigset_t result;
    sigemptyset(&result);
    for (int signal = 1; signal <= SIGRTMAX; ++signal) {
        struct sigaction action {};
        if (sigismember(&set, signal) == 1 && sigismember(&blocked, signal) == 0 &&
            sigaction(signal, nullptr, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(&result, signal);
    }
    return result;
}

std::size_t read_signals(const UniqueFd& fd, std::span<signalfd_siginfo> into) {
    const ssize_t size = read(fd.get(), into.data(), into.size_bytes());
    if (size < 0 && errno != EAGAIN && errno != EINTR)
        throw Error({}, "cannot read signals", errno);
    return size < 0 ? 0 : static_cast<std::size_t>(size) / sizeof(signalfd_siginfo);
}

} // namespace

SignalWatch::SignalWatch(const sigset_t& watched, const sigset_t& ending)
    : watched_(watched), ending_(effective(ending)) {
    sigset_t both;
    sigorset(&both, &watched_, &ending_);
    sigprocmask(SIG_BLOCK, &both, nullptr);
    fd_ = open_signals(both);
    ending_fd_ = open_signals(ending_);
}

std::span<const signalfd_siginfo> SignalWatch::take(std::size_t most) {
    const std::size_t room = std::min(most, std::size(taken_));
    return {taken_, room == 0 ? 0 : read_signals(fd_, {taken_, room})};
}

std::optional<signalfd_siginfo> SignalWatch::take_ending() {
    signalfd_siginfo info{};
    if (read_signals(ending_fd_, {&info, 1}) == 0)
        return std::nullopt;
    return info;
}

} // namespace ipc
