// SPDX-License-Identifier: MIT
#include "signal/recipient.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "process/procfs.hpp"
#include "signal/names.hpp"

namespace ipc {

namespace {

constexpr unsigned to_process_group = 1U << 2U; // PIDFD_SIGNAL_PROCESS_GROUP, since Linux 6.9

// By their numbers, for glibc has no functions for them before 2.36.
UniqueFd open_pidfd(pid_t pid) noexcept {
    return UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
}

long send_signal(const UniqueFd& pidfd, int signal, const siginfo_t* info,
                 unsigned flags) noexcept {
    return syscall(SYS_pidfd_send_signal, pidfd.get(), signal, info, flags);
}

/// A pidfd is readable once its process has ended, collected by its parent or not.
bool is_over(const UniqueFd& pidfd) noexcept {
    pollfd poll_fd{.fd = pidfd.get(), .events = POLLIN, .revents = 0};
    return poll(&poll_fd, 1, 0) > 0;
}

/// What sigqueue(3) sends.
siginfo_t queued(int signal, int value) noexcept {
    siginfo_t info{};
    info.si_signo = signal;
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_int = value;
    return info;
}

std::string attempt(int signal) {
    return signal == 0 ? "cannot signal" : text("cannot send ", signal_name(signal));
}

std::string describe(pid_t pid) {
    const std::string command = procfs::command(pid);
    return command.empty() ? text(pid) : text(pid, " (", printable(command), ')');
}

} // namespace

Recipient::Recipient(SendTo to, pid_t id) : to_(to), id_(id), fd_(open_pidfd(id)) {
    const int error = errno;
    // A group outlives its leader.
    if (fd_.is_open() || (to == SendTo::group && (error == ESRCH || error == ENOSYS)))
        return;
    const auto process = procfs::status_number(id, "Tgid");
    if (process && *process != id)
        throw Error(text(id), text("is a thread of process ", *process, ", and signals go there"));
    // Where /proc is not there to ask, that is a thread, too: as older and newer kernels say it.
    const bool is_thread = error == EINVAL || error == ENOENT;
    throw Error(text(id), "cannot signal", is_thread ? ESRCH : error, explain_error(error));
}

int Recipient::try_send(int signal, const siginfo_t* info) noexcept {
    if (to_ == SendTo::process)
        return send_signal(fd_, signal, info, 0) == 0 ? 0 : errno;
    if (fd_.is_open()) {
        if (send_signal(fd_, signal, info, to_process_group) == 0)
            return 0;
        if (errno != EINVAL)
            return errno;
    }
    if (info != nullptr)
        return ENOSYS;
    return kill(-id_, signal) == 0 ? 0 : errno;
}

void Recipient::send(int signal, std::optional<int> value) {
    if (to_ == SendTo::process && is_over(fd_))
        fail(signal, ESRCH);
    const siginfo_t info = queued(signal, value.value_or(0));
    const bool is_queued = signal != 0 && (value || signal >= SIGRTMIN);
    int error = try_send(signal, is_queued ? &info : nullptr);
    if (error == ENOSYS && is_queued && !value && to_ == SendTo::group)
        error = try_send(signal, nullptr);
    if (error != 0)
        fail(signal, error);
}

std::string Recipient::explain(int error) const {
    constexpr ResourceLimit pending = {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING, "sigpending"};
    if (error == EAGAIN)
        return text("its user has as many signals queued as may be: ",
                    describe_rlimit(pending, 1024, to_ == SendTo::process ? id_ : 0));
    if (error == ENOSYS && to_ == SendTo::group)
        return fd_.is_open() ? "a value for a process group needs Linux 6.9"
                             : "a value for a process group needs its leader, which is gone";
    if (error == EPERM && to_ == SendTo::process)
        if (const auto user = procfs::status_number(id_, "Uid"))
            return text("it belongs to user ", *user, ", and we are ", geteuid());
    return {};
}

void Recipient::fail(int signal, int error) const {
    if (error == ESRCH && fd_.is_open() && is_over(fd_)) {
        const auto parent = procfs::status_number(id_, "PPid");
        if (to_ == SendTo::process && parent)
            throw Error(text(id_), text(attempt(signal), ": it has ended, and is a zombie until ",
                                        describe(static_cast<pid_t>(*parent)), " collects it"));
        throw Error(text(id_), attempt(signal), error, "it has just ended");
    }
    throw Error(text(id_), attempt(signal), error, explain(error));
}

bool Recipient::has_ended() {
    if (to_ == SendTo::process)
        return is_over(fd_);
    std::erase_if(members_, is_over);
    if (members_.empty())
        find_members();
    return members_.empty();
}

void Recipient::find_members() {
    bool is_seen = false;
    for (const pid_t pid : procfs::list("/proc")) {
        const auto is_member = [&] {
            const auto stat = procfs::stat(pid);
            is_seen = is_seen || (stat && stat->group == id_);
            return stat && stat->group == id_ && stat->state != 'Z' && stat->state != 'X';
        };
        if (pid == getpid() || !is_member())
            continue;
        UniqueFd member = open_pidfd(pid);
        if (!member.is_open() && errno != ESRCH)
            throw Error(text(id_), "cannot wait for its members", errno, explain_error(errno));
        if (member.is_open() && is_member()) // the same process still
            members_.push_back(std::move(member));
    }
    if (!is_seen && getpgrp() != id_ && (kill(-id_, 0) == 0 || errno != ESRCH))
        throw Error(text(id_), "cannot wait for its members: /proc does not show them");
}

void Recipient::add_poll_fds(std::vector<pollfd>& poll_fds) const {
    if (to_ == SendTo::process)
        poll_fds.push_back({.fd = fd_.get(), .events = POLLIN, .revents = 0});
    for (const UniqueFd& member : members_)
        poll_fds.push_back({.fd = member.get(), .events = POLLIN, .revents = 0});
}

} // namespace ipc
