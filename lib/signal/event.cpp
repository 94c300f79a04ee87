// SPDX-License-Identifier: MIT
#include "signal/event.hpp"

#include <iterator>
#include <span>

#include "base/text.hpp"
#include "signal/names.hpp"

namespace ipc {

namespace {

/// Both forms in which the kernel tells; what does not belong to the code is garbage.
struct Raw {
    int signal;
    int code;
    pid_t pid;
    uid_t uid;
    int value;
    int status;
    int timer;
    int overrun;
    long band;
    int fd;
    std::uint64_t address;
    int syscall;
};

/// Codes that the kernel counts from 1, each for one signal.
constexpr const char* ill_codes[] = {"illopc", "illopn", "illadr", "illtrp",
                                     "prvopc", "prvreg", "coproc", "badstk"};
constexpr const char* fpe_codes[] = {"intdiv", "intovf", "fltdiv", "fltovf",
                                     "fltund", "fltres", "fltinv", "fltsub"};
constexpr const char* segv_codes[] = {"maperr", "accerr", "bnderr", "pkuerr"};
constexpr const char* bus_codes[] = {"adraln", "adrerr", "objerr", "mceerr-ar", "mceerr-ao"};
constexpr const char* trap_codes[] = {"brkpt", "trace", "branch", "hwbkpt"};
constexpr const char* child_codes[] = {"exited",  "killed",  "dumped",
                                       "trapped", "stopped", "continued"};
constexpr const char* poll_codes[] = {"in", "out", "msg", "err", "pri", "hup"};
constexpr const char* sys_codes[] = {"seccomp", "user-dispatch"};

bool is_own_code(int code) noexcept { return code > SI_USER && code < SI_KERNEL; }

bool is_fault(int signal) noexcept {
    return signal == SIGILL || signal == SIGFPE || signal == SIGSEGV || signal == SIGBUS ||
           signal == SIGTRAP;
}

bool is_child(int signal) noexcept { return signal == 0 || signal == SIGCHLD; }

/// The names of a signal's own codes. Signals that have none are used by fcntl(2) F_SETSIG.
std::span<const char* const> own_codes(int signal) noexcept {
    switch (signal) {
    case SIGILL:
        return ill_codes;
    case SIGFPE:
        return fpe_codes;
    case SIGSEGV:
        return segv_codes;
    case SIGBUS:
        return bus_codes;
    case SIGTRAP:
        return trap_codes;
    case SIGSYS:
        return sys_codes;
    default:
        break;
    }
    return is_child(signal) ? std::span<const char* const>(child_codes) : poll_codes;
}

void add_own(SignalEvent& event, const Raw& raw) noexcept {
    if (is_fault(raw.signal)) {
        event.address = raw.address;
    } else if (raw.signal == SIGSYS) {
        event.address = raw.address;
        event.syscall = raw.syscall;
    } else if (is_child(raw.signal)) {
        event.pid = raw.pid;
        event.uid = raw.uid;
        event.status = raw.status;
    } else {
        event.band = raw.band;
        event.fd = raw.fd;
    }
}

SignalEvent decode(const Raw& raw) noexcept {
    SignalEvent event;
    event.signal = raw.signal;
    event.code = raw.code;
    if (is_own_code(raw.code)) {
        add_own(event, raw);
    } else if (raw.code == SI_TIMER) {
        event.timer = raw.timer;
        event.overrun = raw.overrun;
        event.value = raw.value;
    } else if (raw.code == SI_SIGIO) {
        event.band = raw.band;
        event.fd = raw.fd;
    } else if (raw.code != SI_KERNEL) {
        event.pid = raw.pid;
        event.uid = raw.uid;
        if (raw.code < 0 && raw.code != SI_TKILL)
            event.value = raw.value;
    }
    if (event.pid == 0)
        event.pid.reset();
    return event;
}

} // namespace

SignalEvent decode(const signalfd_siginfo& info) noexcept {
    return decode(Raw{
        .signal = static_cast<int>(info.ssi_signo),
        .code = info.ssi_code,
        .pid = static_cast<pid_t>(info.ssi_pid),
        .uid = info.ssi_uid,
        .value = info.ssi_int,
        .status = info.ssi_status,
        .timer = static_cast<int>(info.ssi_tid),
        .overrun = static_cast<int>(info.ssi_overrun),
        .band = static_cast<long>(info.ssi_band),
        .fd = info.ssi_fd,
        .address = info.ssi_signo == SIGSYS ? info.ssi_call_addr : info.ssi_addr,
        .syscall = info.ssi_syscall,
    });
}

SignalEvent decode(const siginfo_t& info) noexcept {
    return decode(Raw{
        .signal = info.si_signo,
        .code = info.si_code,
        .pid = info.si_pid,
        .uid = info.si_uid,
        .value = info.si_value.sival_int,
        .status = info.si_status,
        .timer = info.si_timerid,
        .overrun = info.si_overrun,
        .band = info.si_band,
        .fd = info.si_fd,
        .address = reinterpret_cast<std::uintptr_t>(info.si_signo == SIGSYS ? info.si_call_addr
                                                                            : info.si_addr),
        .syscall = info.si_syscall,
    });
}

SignalEvent end_of_process(const siginfo_t& info) noexcept {
    SignalEvent event = decode(info);
    event.signal = 0;
    return event;
}

std::string code_name(const SignalEvent& event) {
    switch (event.code) {
    case SI_USER:
        return "user";
    case SI_KERNEL:
        return "kernel";
    case SI_QUEUE:
        return "queue";
    case SI_TIMER:
        return "timer";
    case SI_MESGQ:
        return "mesgq";
    case SI_ASYNCIO:
        return "asyncio";
    case SI_SIGIO:
        return "sigio";
    case SI_TKILL:
        return "tkill";
    default:
        break;
    }
    const auto names = own_codes(event.signal);
    if (event.code > 0 && static_cast<std::size_t>(event.code) <= names.size())
        return names[static_cast<std::size_t>(event.code) - 1];
    return text(event.code);
}

std::string status_name(const SignalEvent& event) {
    return event.code == CLD_EXITED ? text(*event.status) : signal_name(*event.status);
}

} // namespace ipc
