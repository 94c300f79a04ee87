// SPDX-License-Identifier: MIT
#include "fifo/pipe_tee.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/io.hpp"
#include "base/signals.hpp"

namespace ipc {

namespace {

bool is_pipe(int fd) noexcept {
    struct stat status {};
    return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

} // namespace

PipeTee::PipeTee(int source, Waiter& waiter) noexcept
    : source_(source), waiter_(waiter), is_pipe_(is_pipe(source)) {
    enlarge_pipe(source);
}

/// tee(2) or splice(2) once, from what has something: waits for room in the target. Returns how
/// many bytes it was, 0 if the target has failed.
template <class Call> std::size_t PipeTee::once(Target& target, Call call) {
    for (bool had_none = false;;) {
        signals::check();
        const ssize_t count = call();
        const int error = count == 0 ? EIO : errno;
        if (count > 0)
            return static_cast<std::size_t>(count);
        if (error == EAGAIN) {
            waiter_.wait_for_room(target.fd);
        } else if (error == EPIPE && !had_none && !is_writer_cut_off(target.fd)) {
            had_none = true; // now there is another reader
        } else if (error != EINTR) {
            target.error = error;
            return 0;
        }
    }
}

std::size_t PipeTee::available() noexcept {
    int count = 0;
    if (!is_pipe_ || ioctl(source_, FIONREAD, &count) != 0 || count <= 0 || !has_scratch())
        return 0;
    return static_cast<std::size_t>(count);
}

/// A pipe that holds what the source can hold, and /dev/null.
bool PipeTee::has_scratch() noexcept {
    if (nowhere_.is_open())
        return true;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) == 0) {
        scratch_out_ = UniqueFd(ends[0]);
        scratch_in_ = UniqueFd(ends[1]);
        const int capacity = fcntl(source_, F_GETPIPE_SZ);
        if (fcntl(scratch_in_.get(), F_SETPIPE_SZ, capacity) >= capacity)
            nowhere_ = UniqueFd(open("/dev/null", O_WRONLY | O_CLOEXEC));
    }
    is_pipe_ = nowhere_.is_open(); // else we do not try again
    return is_pipe_;
}

std::size_t PipeTee::copy_some(Target& target, std::size_t count) {
    return once(target, [&] { return tee(source_, target.fd, count, SPLICE_F_NONBLOCK); });
}

/// tee(2) always begins at the first byte: what did not fit goes through a pipe of our own.
void PipeTee::copy(Target& target, std::size_t count) {
    std::size_t done = copy_some(target, count);
    if (done == count || target.error != 0)
        return;
    Target scratch{scratch_in_.get()};
    const std::size_t held = copy_some(scratch, count);
    if (held < count) { // somebody has enlarged the source
        target.error = ENOBUFS;
        count = held;
    }
    discard(scratch_out_.get(), done);
    done += move(scratch_out_.get(), target, count - done);
    discard(scratch_out_.get(), count - done);
}

std::size_t PipeTee::move(int from, Target& target, std::size_t count) {
    std::size_t moved = 0;
    while (moved < count && target.error == 0)
        moved += once(target, [&] {
            return splice(from, nullptr, target.fd, nullptr, count - moved, SPLICE_F_MOVE);
        });
    return moved;
}

void PipeTee::discard(int from, std::size_t count) {
    Target nowhere{nowhere_.get()};
    move(from, nowhere, count);
    if (nowhere.error != 0)
        throw Error("stdin", "cannot take from the pipe", nowhere.error);
}

} // namespace ipc
