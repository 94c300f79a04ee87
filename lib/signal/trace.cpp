// SPDX-License-Identifier: MIT
#include "signal/trace.hpp"

#include <algorithm>
#include <cerrno>
#include <set>
#include <string>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "process/procfs.hpp"

namespace ipc {

namespace {

/// `data` is a number here, whatever the prototype says.
long trace(__ptrace_request request, pid_t thread, std::uintptr_t data = 0) noexcept {
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    return ptrace(request, thread, nullptr, reinterpret_cast<void*>(data));
}

/// Looks at a stop or an end, and leaves it as it is: a signal that waits to be delivered still is
/// if we die now, while waitid(2) without WNOWAIT would have taken it. Children that are not
/// traced, which we may have been started with, are none of those that __WCLONE means. Returns 0,
/// or the errno value; `stop.si_pid` is 0 if there is none.
int look(siginfo_t& stop, int options) noexcept {
    stop.si_pid = 0;
    const int all = static_cast<int>(WSTOPPED | WEXITED | __WCLONE | WNOWAIT);
    return waitid(P_ALL, 0, &stop, all | options) == 0 ? 0 : errno;
}

/// Takes what look() has seen of this thread.
void consume(pid_t thread, int kind) noexcept {
    siginfo_t info{};
    while (waitid(P_PID, static_cast<id_t>(thread), &info, kind | __WALL | WNOHANG) != 0 &&
           errno == EINTR) {
    }
}

/// False if it is being killed, and has gone from its stop by itself. Throws Error.
bool go_on(__ptrace_request request, pid_t thread, int signal = 0) {
    if (trace(request, thread, static_cast<std::uintptr_t>(signal)) == 0)
        return true;
    if (errno == ESRCH)
        return false;
    throw Error(text(thread), "cannot let it go on", errno);
}

bool is_traced_by_us(pid_t thread) {
    return procfs::status_number(thread, "TracerPid") == getpid();
}

std::string describe(pid_t pid) {
    const std::string command = procfs::command(pid);
    return command.empty() ? text(pid) : text(pid, " (", printable(command), ')');
}

/// Why the kernel said EPERM.
std::string explain_refusal(pid_t pid) {
    if (const auto tracer = procfs::status_number(pid, "TracerPid").value_or(0))
        return text("it is traced already, by ", describe(static_cast<pid_t>(tracer)));
    const auto stat = procfs::stat(pid);
    if (stat && (stat->state == 'Z' || stat->state == 'X'))
        return procfs::list(text("/proc/", pid, "/task")).size() > 1
                   ? "its first thread has ended, and the others cannot be had without it"
                   : "it has ended";
    const auto user = procfs::status_number(pid, "Uid");
    if (user && *user != geteuid() && geteuid() != 0)
        return text("it belongs to user ", *user, ", and we are ", geteuid());
    switch (kernel_limit("kernel.yama.ptrace_scope").value_or(0)) {
    case 1:
        return "kernel.yama.ptrace_scope = 1: a process may trace only what it has started. "
               "Start it with sigwatch -- COMMAND, or as root: sysctl kernel.yama.ptrace_scope=0";
    case 2:
        return "kernel.yama.ptrace_scope = 2: only root may trace, or who has CAP_SYS_PTRACE";
    case 3:
        return "kernel.yama.ptrace_scope = 3: nobody may trace until the system restarts";
    default:
        break;
    }
    return "a process of the kernel, one with more rights than we have, or ourselves; or a sandbox "
           "forbids it";
}

} // namespace

void SignalTrace::attach(pid_t pid) {
    const auto process = procfs::status_number(pid, "Tgid");
    if (process && *process != pid)
        throw Error(text(pid), text("is a thread of process ", *process));
    target_ = pid;
    std::vector<pid_t> processes = {pid};
    for (std::size_t i = 0; i < processes.size(); ++i) {
        attach_threads(processes[i]);
        if (children_ == FollowChildren::no)
            continue;
        // Those that come from now on follow by themselves.
        for (const pid_t thread : procfs::list(text("/proc/", processes[i], "/task")))
            for (const pid_t child :
                 procfs::read_list(text("/proc/", processes[i], "/task/", thread, "/children")))
                if (child != getpid() && !is_traced_by_us(child))
                    processes.push_back(child);
    }
}

/// All of them, also those that the ones not yet attached make meanwhile.
void SignalTrace::attach_threads(pid_t pid) {
    const std::uintptr_t options =
        PTRACE_O_TRACECLONE |
        (children_ == FollowChildren::yes ? PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK : 0U);
    std::set<pid_t> attached;
    for (bool is_complete = false; !is_complete;) {
        is_complete = true;
        std::vector<pid_t> threads = procfs::list(text("/proc/", pid, "/task"));
        if (attached.empty()) // also where /proc does not show it
            threads.insert(threads.begin(), pid);
        for (const pid_t thread : threads) {
            if (!attached.insert(thread).second)
                continue;
            signals::check();
            is_complete = false;
            if (trace(PTRACE_SEIZE, thread, options) == 0)
                continue;
            const int error = errno;
            if (error == EPERM && is_traced_by_us(thread))
                continue;
            if (thread == pid && (pid == target_ || error != ESRCH))
                throw Error(text(pid), "cannot watch", error,
                            error == EPERM ? explain_refusal(pid) : std::string());
        }
    }
}

void SignalTrace::wait(Deadline deadline) {
    collect_told();
    const signals::Alarm alarm(deadline);
    siginfo_t stop{};
    const int error = look(stop, 0);
    if (error != 0 && error != ECHILD && error != EINTR)
        throw Error({}, "cannot wait", error);
}

std::optional<SignalTrace::Event> SignalTrace::take() {
    collect_told();
    siginfo_t stop{};
    const int error = look(stop, WNOHANG);
    if (error != 0 && error != ECHILD && error != EINTR)
        throw Error({}, "cannot wait", error);
    is_over_ = error == ECHILD;
    if (stop.si_pid == 0)
        return std::nullopt;
    return handle(stop);
}

SignalTrace::Event SignalTrace::handle(const siginfo_t& stop) {
    const pid_t thread = stop.si_pid;
    if (stop.si_code == CLD_EXITED || stop.si_code == CLD_KILLED || stop.si_code == CLD_DUMPED)
        return handle_end(stop);
    const int signal = stop.si_status & 0xFF;
    switch (stop.si_status >> 8) {
    case 0:
        return handle_signal(thread, signal);
    case PTRACE_EVENT_STOP:
        if (signal == SIGTRAP)
            handle_new_or_continued(thread);
        else
            handle_group_stop(thread);
        break;
    default: // of its own doing: a new thread or child
        go_on(PTRACE_CONT, thread);
    }
    return {.what = Event::What::other, .receiver = thread, .info = stop};
}

SignalTrace::Event SignalTrace::handle_end(const siginfo_t& stop) {
    if (!is_followed_process(stop.si_pid)) { // a thread
        consume(stop.si_pid, WEXITED);
        return {.what = Event::What::other, .receiver = stop.si_pid, .info = stop};
    }
    told_ = stop.si_pid;
    return {.what = Event::What::end, .receiver = stop.si_pid, .info = stop};
}

void SignalTrace::collect_told() noexcept {
    if (told_ != 0)
        consume(std::exchange(told_, 0), WEXITED);
}

/// The signal goes on its way before anything is said about it.
SignalTrace::Event SignalTrace::handle_signal(pid_t thread, int signal) {
    Event event{.what = Event::What::signal, .receiver = thread, .info = {}};
    const bool is_there = ptrace(PTRACE_GETSIGINFO, thread, nullptr, &event.info) == 0;
    if (!go_on(PTRACE_CONT, thread, signal) || !is_there)
        event.what = Event::What::other;
    return event;
}

/// It stays stopped until somebody continues it.
void SignalTrace::handle_group_stop(pid_t thread) {
    consume(thread, WSTOPPED);
    go_on(PTRACE_LISTEN, thread);
}

void SignalTrace::handle_new_or_continued(pid_t thread) {
    // A process that clone(2) made in an unusual way comes along with the threads.
    const bool is_stranger = children_ == FollowChildren::no && thread != target_ &&
                             syscall(SYS_tgkill, target_, thread, 0) != 0 && errno == ESRCH;
    go_on(is_stranger ? PTRACE_DETACH : PTRACE_CONT, thread);
}

bool SignalTrace::is_followed_process(pid_t pid) const {
    return pid == target_ || (children_ == FollowChildren::yes &&
                              procfs::status_number(pid, "Tgid").value_or(pid) == pid);
}

} // namespace ipc
