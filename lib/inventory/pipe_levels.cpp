// SPDX-License-Identifier: MIT
#include "inventory/pipe_levels.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cached_file.hpp"
#include "base/deadline.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/limits.hpp"
#include "base/signals.hpp"
#include "inventory/describe.hpp"

namespace ipc {

namespace {

constexpr nanoseconds patience = std::chrono::seconds(2);

/// Whether it could be asked.
bool ask(const PipeEnd& end, PipeLevel& level) noexcept {
    const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, end.pid, 0)));
    if (!process.is_open())
        return false;
    const UniqueFd own(static_cast<int>(syscall(SYS_pidfd_getfd, process.get(), end.fd, 0)));
    if (!own.is_open())
        return false;
    const auto status = try_stat_open(own.get());
    if (!status || file_id(*status) != end.file)
        return false;
    if (ioctl(own.get(), FIONREAD, &level.unread) != 0)
        level.unread = -1;
    level.capacity = fcntl(own.get(), F_GETPIPE_SZ);
    return true;
}

/// In the child. It may last longer than we do, and must not keep our output open.
[[noreturn]] void ask_all(const std::vector<PipeEnd>& ends, int answers) noexcept {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (dup2(answers, STDIN_FILENO) != STDIN_FILENO)
        _exit(1);
    if (syscall(SYS_close_range, 1U, ~0U, 0U) != 0) // Linux 5.9
        for (int fd = 1; fd <= answers; ++fd)
            close(fd);
    const PipeEnd* answered = nullptr;
    for (const PipeEnd& end : ends) {
        if (answered != nullptr && answered->object == end.object)
            continue;
        PipeLevel level{.object = end.object};
        if (!ask(end, level))
            continue;
        answered = &end;
        if (write(STDIN_FILENO, &level, sizeof level) != sizeof level)
            _exit(1);
    }
    // That all of it is done, and that its end will not be waited for in vain.
    const PipeLevel done{.object = SIZE_MAX};
    _exit(write(STDIN_FILENO, &done, sizeof done) == sizeof done ? 0 : 1);
}

/// Ends with its owner, unless it cannot be ended.
class Child {
  public:
    explicit Child(pid_t pid) noexcept : pid_(pid) {}
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        if (!is_done_)
            kill(pid_, SIGKILL);
        constexpr int attempts = 20;
        const timespec pause = to_timespec(std::chrono::milliseconds(5));
        for (int i = 0; waitpid(pid_, nullptr, is_done_ ? 0 : WNOHANG) != pid_ && i < attempts; ++i)
            if (!is_done_)
                nanosleep(&pause, nullptr);
    }
    /// It has nothing left to do that could keep it.
    void set_done() noexcept { is_done_ = true; }

  private:
    pid_t pid_;
    bool is_done_ = false;
};

/// Whether there is something to read in time.
bool wait_for_answer(int answers) {
    const Deadline deadline = Deadline::after(patience);
    for (;;) {
        signals::check();
        pollfd ready = {.fd = answers, .events = POLLIN, .revents = 0};
        const timespec left = to_timespec(deadline.left());
        const int count = ppoll(&ready, 1, &left, nullptr);
        if (count >= 0 || errno != EINTR)
            return count > 0;
    }
}

} // namespace

void query_pipe_levels(const std::vector<PipeEnd>& ends,
                       const std::function<void(const PipeLevel&)>& found) {
    if (ends.empty())
        return;
    int pair[2];
    if (pipe2(pair, O_CLOEXEC) != 0)
        throw Error("pipes", "cannot look into", errno, explain_error(errno));
    const UniqueFd answers(pair[0]);
    UniqueFd writer(pair[1]);
    const pid_t pid = fork();
    if (pid == 0)
        ask_all(ends, writer.get());
    if (pid < 0)
        return;
    Child child(pid);
    writer = UniqueFd();
    while (wait_for_answer(answers.get())) {
        PipeLevel level;
        // Each was written at once, and is there as a whole.
        if (read(answers.get(), &level, sizeof level) != sizeof level)
            return;
        if (level.object == SIZE_MAX) {
            child.set_done();
            return;
        }
        found(level);
    }
}

} // namespace ipc
