// SPDX-License-Identifier: MIT
#include "fifo/fan_out.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "tool/tool.hpp"

namespace ipc {

namespace {

constexpr std::size_t block_size = std::size_t{256} << 10U;

/// With fewer bytes at once, copying them is faster.
constexpr std::size_t worth_splicing = std::size_t{64} << 10U;

/// The longest record that is held, unless more is to be held for each reader anyhow.
constexpr std::size_t longest_record = std::size_t{1} << 20U;

} // namespace

FanOut::FanOut(std::vector<FifoWriter>& writers, const WritePolicy& policy, Stdout to_stdout,
               Progress& progress)
    : writers_(writers), policy_(policy), progress_(progress), output_(kind_of_output(to_stdout)),
      watches_output_(to_stdout != Stdout::none && has_reader(STDOUT_FILENO)),
      tee_(STDIN_FILENO, *this), watch_(IN_OPEN | IN_CLOSE_NOWRITE | IN_ATTRIB) {
    // Its own description alone can be made non-blocking: others have that of stdout, too.
    if (output_ == Output::pipe) {
        enlarge_pipe(STDOUT_FILENO);
        output_pipe_ = UniqueFd(open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    }
    for (const FifoWriter& writer : writers_)
        watch_.add(writer.fifo().path());
    // So that no reader that is cut off can leave unnoticed.
    if (policy.slow == Slow::disconnect)
        watch_.start();
}

FanOut::Output FanOut::kind_of_output(Stdout to_stdout) noexcept {
    struct stat status {};
    switch (to_stdout) {
    case Stdout::none:
        return Output::none;
    case Stdout::escaped:
        return Output::escaped;
    case Stdout::plain:
        break;
    }
    const bool is_pipe = fstat(STDOUT_FILENO, &status) == 0 && S_ISFIFO(status.st_mode);
    return is_pipe ? Output::pipe : Output::other;
}

void FanOut::wait_for_readers() {
    for (;;) {
        look();
        for (const FifoWriter& writer : writers_)
            if (writer.is_removed())
                throw Error(writer.fifo().name().text, "it was removed before it had a reader");
        if (awaited_ == 0)
            return;
        wait(For::readers);
    }
}

void FanOut::run() {
    const bool sees_records = policy_.slow != Slow::block;
    for (bool has_more = true; has_more && wait_for_input();) {
        const std::size_t available = can_splice() ? tee_.available() : 0;
        if (available >= worth_splicing)
            splice(available);
        else
            has_more = sees_records ? copy_records() : copy();
    }
    if (output_ == Output::escaped)
        send_to_stdout({});
}

void FanOut::finish() {
    watches_output_ = false; // it has all
    const auto is_behind = [](const FifoWriter& writer) { return writer.is_behind(); };
    while (std::any_of(writers_.begin(), writers_.end(), is_behind)) {
        for (FifoWriter& writer : writers_)
            if (!writer.is_behind())
                writer.close();
        wait(For::room);
    }
}

// ---- Waiting ----

/// False if there is nobody to copy to. The last look is after the input has come: a reader that
/// was there before gets it.
bool FanOut::wait_for_input() {
    for (bool has_come = false;;) {
        look();
        if (!has_taker())
            return false;
        if (has_come || tee_.available() > 0)
            return true;
        wait(For::input);
        has_come = polled_[0].revents != 0;
    }
}

/// Once stdout has failed, somebody else has to be there.
bool FanOut::has_taker() const noexcept {
    return output_ != Output::failed ||
           std::any_of(writers_.begin(), writers_.end(),
                       [](const FifoWriter& writer) { return writer.has_reader(); });
}

/// What readers did since the last look.
void FanOut::look() {
    signals::check();
    watch_.drain([&](std::size_t file, std::uint32_t events) {
        if ((events & IN_CLOSE_NOWRITE) != 0)
            writers_[file].after_close();
    });
    std::size_t awaited = 0;
    for (FifoWriter& writer : writers_) {
        if (!writer.has_reader())
            writer.look();
        if (!writer.has_reader() && !writer.is_removed())
            ++awaited;
    }
    if (awaited > awaited_)
        watch_.restart();
    awaited_ = awaited;
}

/// Until something happens to a reader, or there is input, or room in what is `full`: whose events
/// are the caller's. Waiting for room, nobody looks for readers that come.
void FanOut::wait(For what, int full) {
    const bool must_look = std::any_of(writers_.begin(), writers_.end(),
                                       [](const auto& writer) { return writer.is_closed(); });
    const bool looks = what != For::room;
    Deadline deadline = looks && awaited_ > 0 ? watch_.next_look() : Deadline::never();
    if (looks && must_look)
        deadline = deadline.or_after(FileWatch::look_interval);
    const bool watches_output = watches_output_ && full != output_fd();
    polled_.clear();
    polled_.push_back({.fd = what == For::input ? STDIN_FILENO : full,
                       .events = static_cast<short>(what == For::input ? POLLIN : POLLOUT),
                       .revents = 0});
    polled_.push_back({.fd = watches_output ? STDOUT_FILENO : -1, .events = 0, .revents = 0});
    polled_.push_back({.fd = looks ? watch_.poll_fd() : -1, .events = POLLIN, .revents = 0});
    for (const FifoWriter& writer : writers_)
        polled_.push_back({.fd = writer.has_reader() && writer.fd() != full ? writer.fd() : -1,
                           .events = static_cast<short>(writer.is_behind() ? POLLOUT : 0),
                           .revents = 0});
    const timespec left = deadline.is_never() ? timespec{} : to_timespec(deadline.left());
    signals::check();
    if (ppoll(polled_.data(), polled_.size(), deadline.is_never() ? nullptr : &left, nullptr) < 0) {
        if (errno != EINTR)
            throw Error({}, "cannot wait", errno);
        polled_[0].revents = 0;
        return;
    }
    if (polled_[1].revents != 0)
        fail_stdout(Error("stdout", "cannot write", EPIPE));
    for (std::size_t i = 0; i < writers_.size(); ++i) {
        const short events = polled_[i + 3].revents;
        if ((events & POLLERR) != 0)
            writers_[i].leave();
        else if (events != 0)
            writers_[i].flush();
    }
}

// ---- Copying ----

/// Whether there is nothing that has to be seen or held.
bool FanOut::can_splice() const noexcept {
    return policy_.slow == Slow::block && policy_.buffer == 0 && output_ != Output::copied &&
           output_ != Output::escaped &&
           std::none_of(writers_.begin(), writers_.end(),
                        [](const FifoWriter& writer) { return writer.is_joining(); });
}

void FanOut::splice(std::size_t count) {
    bool is_first = true;
    const auto copy_to = [&](int fd) {
        PipeTee::Target target{fd};
        if (!is_first)
            tee_.copy(target, count);
        else if (const std::size_t copied = tee_.copy_some(target, count)) {
            count = copied;
            is_first = false;
        }
        return target.error;
    };
    for (FifoWriter& writer : writers_)
        if (writer.has_reader())
            if (const int error = copy_to(writer.fd()))
                writer.fail(error);
    if (output_ == Output::pipe)
        if (const int error = copy_to(output_fd()))
            fail_stdout(Error("stdout", "cannot write", error));
    splice_rest(count);
    starts_record_ = false; // or so it may be
    progress_.add(0, count);
}

/// Takes them out of stdin: to stdout if that is no pipe.
void FanOut::splice_rest(std::size_t count) {
    if (output_ == Output::other) {
        PipeTee::Target target{STDOUT_FILENO};
        count -= tee_.move(target, count);
        if (target.error == EINVAL) { // such as a file that is appended to
            output_ = Output::copied;
            while (count > 0) {
                const std::string_view bytes = read_block(count);
                if (bytes.empty())
                    return;
                send_to_stdout(bytes);
                count -= bytes.size();
            }
        } else if (target.error != 0) {
            fail_stdout(Error("stdout", "cannot write", target.error));
        }
    }
    if (count > 0)
        tee_.discard(count);
}

std::string_view FanOut::read_block(std::size_t most) {
    if (!block_)
        block_ = std::make_unique_for_overwrite<char[]>(block_size);
    const std::size_t size = std::min(most, block_size);
    return {block_.get(), read_some(STDIN_FILENO, {block_.get(), size}, "stdin")};
}

/// False at the end of input.
bool FanOut::copy() {
    const std::string_view bytes = read_block(block_size);
    if (bytes.empty())
        return false;
    send(bytes);
    return true;
}

/// The same in whole records; the last one need not be ended. One that is too long to be held goes
/// on as it comes, unless records may be dropped.
bool FanOut::copy_records() {
    const std::size_t before = held_.size();
    const std::size_t count = read_some(STDIN_FILENO, held_.room(block_size), "stdin");
    held_.commit(count);
    const std::string_view bytes(held_.begin(), held_.size());
    const void* const last = memrchr(held_.begin() + before, policy_.delimiter, count);
    std::size_t whole =
        count == 0 ? bytes.size()
        : last == nullptr
            ? 0
            : static_cast<std::size_t>(static_cast<const char*>(last) - bytes.data()) + 1;
    const bool drops = policy_.slow == Slow::drop;
    const std::size_t limit = drops ? std::max(longest_record, policy_.buffer) : PIPE_BUF;
    const bool goes_on = whole == 0 && !starts_record_;
    if (bytes.size() - whole > limit || goes_on) {
        if (drops)
            throw Error("stdin", text("a record is longer than the ", limit,
                                      " bytes that --slow=drop can hold; raise it with: --buffer"));
        whole = bytes.size();
    }
    if (whole > 0)
        send(bytes.substr(0, whole));
    held_.drop_front(whole);
    return count > 0;
}

void FanOut::send(std::string_view bytes) {
    for (FifoWriter& writer : writers_)
        writer.send(bytes, starts_record_);
    if (output_ != Output::none && output_ != Output::failed)
        send_to_stdout(bytes);
    while (std::any_of(writers_.begin(), writers_.end(),
                       [](const FifoWriter& writer) { return writer.holds_up(); }))
        wait(For::room);
    starts_record_ = bytes.back() == policy_.delimiter;
    progress_.add(0, bytes.size());
}

/// No bytes: the end.
void FanOut::send_to_stdout(std::string_view bytes) {
    try {
        if (output_pipe_.is_open())
            send_to_pipe(bytes);
        else if (output_ != Output::escaped)
            write_stdout(bytes);
        else
            write_stdout(bytes.empty() ? escaper_.finish() : escaper_.add(bytes));
    } catch (const Error& error) {
        fail_stdout(error);
    }
}

void FanOut::send_to_pipe(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = write(output_pipe_.get(), bytes.data(), bytes.size());
        if (count >= 0)
            bytes.remove_prefix(static_cast<std::size_t>(count));
        else if (errno == EAGAIN)
            wait_for_room(output_pipe_.get());
        else if (errno != EINTR)
            throw Error("stdout", "cannot write", errno);
    }
}

void FanOut::fail_stdout(const Error& error) {
    report(error);
    output_ = Output::failed;
    watches_output_ = false;
}

} // namespace ipc
