// SPDX-License-Identifier: MIT
#pragma once

#include <csignal>
#include <cstdint>
#include <optional>
#include <string>
#include <sys/signalfd.h>
#include <sys/types.h>

namespace ipc {

/// What the kernel says with a signal: sigaction(2). Which members are there depends on the code.
struct SignalEvent {
    int signal = 0; ///< 0: not a signal but the end of a process, of which `code` and `status` tell
    int code = 0;   ///< si_code
    std::optional<pid_t> pid;  ///< the sender, or the child; none where it is not visible from here
    std::optional<uid_t> uid;  ///< its real user
    std::optional<int> value;  ///< what came with sigqueue(3), a timer or a message
    std::optional<int> status; ///< of a child: its exit status, or the signal that changed it
    std::optional<int> timer;  ///< the kernel's number of the timer: timer_create(2)
    std::optional<int> overrun; ///< expirations of the timer that this signal stands for besides
    std::optional<long> band;   ///< what is possible, as poll(2) has it
    std::optional<int> fd;      ///< on this descriptor of the receiver
    std::optional<std::uint64_t> address; ///< of the fault
    std::optional<int> syscall;           ///< the number of the call that was not allowed
};

SignalEvent decode(const signalfd_siginfo& info) noexcept;
SignalEvent decode(const siginfo_t& info) noexcept;

/// The end of a process, as waitid(2) tells it.
SignalEvent end_of_process(const siginfo_t& info) noexcept;

/// The code in a word: user, queue, timer, mesgq, kernel, tkill, exited, in, maperr and so on; its
/// number where it has no name.
std::string code_name(const SignalEvent& event);

/// The status of a child: a number, or the name of the signal that ended, stopped or continued it.
std::string status_name(const SignalEvent& event);

} // namespace ipc
