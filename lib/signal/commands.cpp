// SPDX-License-Identifier: MIT
#include "signal/commands.hpp"

#include <csignal>
#include <poll.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "signal/names.hpp"
#include "tool/tool.hpp"

namespace ipc {

namespace {

template <class Number> std::string or_empty(const std::optional<Number>& number) {
    return number ? text(*number) : std::string();
}

bool is_readable(int fd) noexcept {
    pollfd poll_fd{.fd = fd, .events = POLLIN, .revents = 0};
    return poll(&poll_fd, 1, 0) > 0;
}

} // namespace

void SignalCommands::queue(const SignalEvent& event) {
    for (std::size_t rule = 0; rule < rules_.size(); ++rule)
        if (rules_[rule].signal == event.signal)
            waiting_.push_back({.rule = rule, .event = event});
}

void SignalCommands::advance() {
    if (running_) {
        if (!is_readable(running_->fd()))
            return;
        running_->wait();
        running_.reset();
    }
    while (!running_ && !waiting_.empty()) {
        const Waiting next = waiting_.front();
        waiting_.pop_front();
        start(next);
    }
}

void SignalCommands::start(const Waiting& next) {
    set_environment("SIG_NAME", signal_name(next.event.signal));
    set_environment("SIG_PID", or_empty(next.event.pid));
    set_environment("SIG_UID", or_empty(next.event.uid));
    set_environment("SIG_VALUE", or_empty(next.event.value));
    char shell[] = "/bin/sh";
    char option[] = "-c";
    char* const command[] = {shell, option, rules_[next.rule].command.data(), nullptr};
    try {
        running_.emplace(command);
        last_ = running_->pid();
    } catch (const Error& error) {
        report(error);
        has_failed_ = true;
    }
}

void SignalCommands::pass_on(int signal) const noexcept {
    if (running_)
        kill(running_->pid(), signal);
}

} // namespace ipc
