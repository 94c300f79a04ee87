// SPDX-License-Identifier: MIT
#include "semaphore/guard.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/limits.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"

namespace ipc {

namespace {

/// What the guard says once, in one packet: the outcome as one byte, and behind it for `failed` the
/// line of the Error.
constexpr char failed = 'E';

/// A mark for each outcome of a wait.
char mark_of(Waited waited) noexcept { return static_cast<char>('0' + static_cast<int>(waited)); }

class Guard {
  public:
    Guard(Semaphore& semaphore, int fd, UniqueFd protege, UniqueFd socket) noexcept
        : semaphore_(semaphore), fd_(fd), protege_(std::move(protege)), socket_(std::move(socket)) {
    }

    /// All its life. Signals are blocked at the start.
    void run(std::uint64_t count, Deadline deadline) noexcept {
        try {
            let_go();
            const Waited waited = take(count, deadline);
            say(std::string(1, mark_of(waited)));
            if (waited != Waited::done)
                return;
            wait_for_end();
            semaphore_.post(count);
        } catch (const Error& error) {
            say(text(failed, error.what()));
        } catch (...) { // signals::Ended, and what it cannot say
        }
    }

  private:
    /// Of all that would outlive the process because of us.
    void let_go() {
        std::array<int, 3> keep = {fd_, protege_.get(), socket_.get()};
        std::sort(keep.begin(), keep.end());
        unsigned from = 0;
        for (const int fd : keep) {
            const auto next = static_cast<unsigned>(fd);
            if (next > from)
                close_all(from, next - 1);
            from = next + 1;
        }
        close_all(from, UINT_MAX);
        if (chdir("/") != 0)
            throw Error("COMMAND", "its guard cannot leave the directory", errno);
    }

    static void close_all(unsigned from, unsigned to) {
        if (close_range(from, to, 0) != 0)
            throw Error("COMMAND", "its guard cannot close descriptors", errno);
    }

    /// The one signal that is let in comes when the socket's other end is closed; the wait then
    /// ends at once.
    Waited take(std::uint64_t count, Deadline deadline) {
        if (semaphore_.take(count, Deadline::after(nanoseconds::zero())) == Waited::done)
            return Waited::done;
        signal(SIGIO, SIG_DFL);
        signals::hold();
        if (fcntl(socket_.get(), F_SETOWN, getpid()) != 0 ||
            fcntl(socket_.get(), F_SETFL, O_ASYNC) != 0)
            throw Error("COMMAND", "its guard cannot be told of its end", errno);
        sigset_t closing;
        sigemptyset(&closing);
        sigaddset(&closing, SIGIO);
        sigprocmask(SIG_UNBLOCK, &closing, nullptr);
        if (is_alone())
            throw signals::Ended{SIGIO};
        const Waited waited = semaphore_.take(count, deadline);
        signals::hold_off();
        return waited;
    }

    bool is_alone() const noexcept {
        char nothing = 0;
        return recv(socket_.get(), &nothing, 1, MSG_DONTWAIT) == 0;
    }

    /// If the process is gone already, nobody hears it.
    void say(std::string_view packet) const noexcept {
        send(socket_.get(), packet.data(), packet.size(), MSG_NOSIGNAL);
    }

    /// For one descriptor poll(2) needs no memory, so that it can only be interrupted.
    void wait_for_end() {
        socket_ = UniqueFd();
        pollfd poll_fd{.fd = protege_.get(), .events = POLLIN, .revents = 0};
        while (poll(&poll_fd, 1, -1) != 1) {
        }
    }

    Semaphore& semaphore_;
    int fd_;
    UniqueFd protege_;
    UniqueFd socket_;
};

/// Its child is nobody's: fork(2) twice. Returns 0 or an errno value.
template <class Run> int start_orphan(Run run) {
    const signals::Blocked blocked;
    const pid_t between = fork();
    if (between == -1)
        return errno;
    if (between == 0) {
        setsid();
        const pid_t orphan = fork();
        if (orphan == 0)
            run();
        _exit(orphan == -1 ? errno : 0);
    }
    int status = 0;
    while (waitpid(between, &status, 0) != between)
        if (errno != EINTR)
            return errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
}

/// The C library's function cannot be linked from C++ everywhere.
int own_pidfd() noexcept { return static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0)); }

Waited outcome_of(std::string_view packet) {
    if (packet.empty())
        throw Error("COMMAND", "its guard has ended");
    if (packet[0] == failed)
        throw Error({}, packet.substr(1));
    return static_cast<Waited>(packet[0] - '0');
}

} // namespace

Waited take_by_guard(Semaphore& semaphore, int fd, std::uint64_t count, Deadline deadline) {
    constexpr std::string_view action = "cannot start its guard";
    constexpr ResourceLimit processes = {"RLIMIT_NPROC", RLIMIT_NPROC, "nproc"};
    UniqueFd self(own_pidfd());
    int ends[2];
    if (!self.is_open() || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        throw Error("COMMAND", action, errno, explain_error(errno));
    const UniqueFd socket(ends[0]);
    UniqueFd theirs(ends[1]);
    const int error = start_orphan([&] {
        Guard(semaphore, fd, std::move(self), std::move(theirs)).run(count, deadline);
        _exit(0);
    });
    if (error != 0)
        throw Error("COMMAND", action, error,
                    error == EAGAIN ? describe_rlimit(processes, 64) : std::string());
    theirs = UniqueFd();
    char packet[4096];
    ssize_t length = 0;
    do
        length = recv(socket.get(), packet, sizeof packet, 0);
    while (length == -1 && errno == EINTR);
    if (length == -1)
        throw Error("COMMAND", "cannot hear its guard", errno);
    return outcome_of({packet, static_cast<std::size_t>(length)});
}

} // namespace ipc
