// SPDX-License-Identifier: MIT
#include "tool/spawn.hpp"

#include <bit>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "base/error.hpp"
#include "base/exit_status.hpp"
#include "base/fd.hpp"
#include "base/io.hpp"
#include "base/limits.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "tool/tool.hpp"

namespace ipc {

namespace {

constexpr ResourceLimit processes = {"RLIMIT_NPROC", RLIMIT_NPROC, "nproc"};

/// A memfd that holds `bytes` and that nobody can change any more, at its start.
UniqueFd sealed_input(std::string_view bytes) {
    constexpr unsigned noexec_seal = 8; // MFD_NOEXEC_SEAL, since Linux 6.3
    constexpr unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    UniqueFd fd(memfd_create("message", flags | noexec_seal));
    if (!fd.is_open() && errno == EINVAL)
        fd = UniqueFd(memfd_create("message", flags));
    if (!fd.is_open())
        throw Error("COMMAND", "cannot make its input", errno, explain_error(errno));
    write_all(fd.get(), bytes, "COMMAND's input");
    if (lseek(fd.get(), 0, SEEK_SET) != 0 ||
        fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
        throw Error("COMMAND", "cannot make its input", errno);
    return fd;
}

bool replace_stdin(int input) noexcept {
    while (dup2(input, STDIN_FILENO) == -1)
        if (errno != EINTR)
            return false;
    return true;
}

/// In the child. A signal that came for us meanwhile still waits, and is for COMMAND.
[[noreturn]] void become(Operands command, int input, int failure_pipe,
                         void (*restore_signals)() noexcept) noexcept {
    if (input == -1 || replace_stdin(input)) {
        restore_signals();
        execvp(command[0], command.data());
    }
    const int error = errno;
    // Nothing is left to be done about a failure of this.
    _exit(write(failure_pipe, &error, sizeof error) == sizeof error ? exit_cannot_run
                                                                    : exit_wrapper);
}

struct Pipe {
    UniqueFd reader;
    UniqueFd writer;
};

Pipe make_pipe(Operands command) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        throw Error(command[0], "cannot start", errno, explain_error(errno));
    return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

pid_t fork_for(Operands command) {
    const pid_t pid = fork();
    if (pid == -1)
        throw Error(command[0], "cannot start", errno,
                    errno == EAGAIN ? describe_rlimit(processes, 64) : std::string());
    return pid;
}

/// What become() told through its pipe, once that is at its end; else 0.
int read_failure(const UniqueFd& pipe) noexcept {
    int error = 0;
    ssize_t count = 0;
    do
        count = read(pipe.get(), &error, sizeof error);
    while (count == -1 && errno == EINTR);
    return count <= 0 ? 0 : error;
}

/// Starts COMMAND. Returns 0, or the errno value of dup2(2) or execvp(3). Throws Error if we cannot
/// even try.
int spawn(pid_t& pid, Operands command, int input, void (*restore_signals)() noexcept) {
    Pipe failure = make_pipe(command);
    {
        const UniqueFd writer(std::move(failure.writer));
        const signals::Blocked blocked;
        pid = fork_for(command);
        if (pid == 0)
            become(command, input, writer.get(), restore_signals);
    }
    const int error = read_failure(failure.reader);
    if (error != 0)
        waitpid(pid, nullptr, 0);
    return error;
}

/// In the child.
void wait_for_release(const UniqueFd& gate) noexcept {
    char go = 0;
    ssize_t count = 0;
    do
        count = read(gate.get(), &go, 1);
    while (count == -1 && errno == EINTR);
    if (count != 1) // the one who would have let it go is no more
        _exit(exit_wrapper);
}

int cannot_run(Operands command, int error) {
    report(Error(command[0], "cannot run", error));
    return error == ENOENT ? exit_not_found : exit_cannot_run;
}

int wait_for(pid_t pid) {
    siginfo_t info{};
    while (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED) != 0) {
        if (errno != EINTR)
            throw Error("COMMAND", "cannot wait for it", errno);
        signals::serve_report_request();
        pass_on_signals(pid);
    }
    return info.si_code == CLD_EXITED ? info.si_status : exit_signal_base + info.si_status;
}

} // namespace

void set_environment(const char* name, std::string_view value) {
    if (setenv(name, std::string(value).c_str(), 1) != 0)
        throw Error(name, "cannot set the variable", errno);
}

int run_command(Operands command, std::optional<std::string_view> input) {
    const UniqueFd in = input ? sealed_input(*input) : UniqueFd();
    pid_t pid = 0;
    const int error = spawn(pid, command, in.get(), signals::restore_inherited);
    if (error != 0)
        return cannot_run(command, error);
    pass_on_signals(pid);
    return wait_for(pid);
}

void pass_on_signals(pid_t pid) noexcept {
    for (std::uint64_t mask = signals::take_for_child(); mask != 0; mask &= mask - 1)
        kill(pid, std::countr_zero(mask) + 1);
}

RunningCommand::RunningCommand(Operands command) {
    const int error = spawn(pid_, command, -1, signals::restore_defaults);
    if (error != 0)
        throw Error(command[0], "cannot run", error);
    // It is not waited for before, so the number is still its own.
    fd_ = UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
    if (fd_.is_open())
        return;
    const int open_error = errno;
    wait();
    throw Error(command[0], "cannot wait for it", open_error, explain_error(open_error));
}

void RunningCommand::wait() const noexcept {
    while (waitpid(pid_, nullptr, 0) == -1 && errno == EINTR) {
    }
}

HeldCommand::HeldCommand(Operands command) : command_(command) {
    Pipe gate = make_pipe(command);
    Pipe failure = make_pipe(command);
    const signals::Blocked blocked;
    pid_ = fork_for(command);
    if (pid_ == 0) {
        gate.writer = UniqueFd();
        wait_for_release(gate.reader);
        become(command, -1, failure.writer.get(), signals::restore_inherited);
    }
    gate_ = std::move(gate.writer);
    failure_ = std::move(failure.reader);
}

void HeldCommand::release() {
    const char go = 0;
    while (write(gate_.get(), &go, 1) == -1)
        if (errno != EINTR)
            throw Error(command_[0], "cannot start", errno);
}

int HeldCommand::failure() const {
    const int error = read_failure(failure_);
    return error == 0 ? 0 : cannot_run(command_, error);
}

int exec_command(Operands command) {
    signals::restore_inherited();
    execvp(command[0], command.data());
    const int error = errno;
    signals::prepare_process();
    return cannot_run(command, error);
}

} // namespace ipc
