// SPDX-License-Identifier: MIT
#include "fifo/writer.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "base/error.hpp"
#include "base/io.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"

namespace ipc {

FifoWriter::FifoWriter(Fifo fifo, const WritePolicy& policy, int capacity)
    : fifo_(std::move(fifo)), policy_(policy), capacity_(capacity) {
    if (!open() && errno != ENXIO)
        throw Error(fifo_.name().text, "cannot open", errno, explain_error(errno));
}

/// Opened for writing alone, a FIFO without readers gives ENXIO; one that is open for both, for a
/// moment, is a reader. Who may not read the FIFO has to wait until there is another. False, with
/// errno set, if it is not open.
bool FifoWriter::open() noexcept {
    const UniqueFd both = fifo_.try_open(O_RDWR);
    end_ = fifo_.try_open(O_WRONLY);
    state_ = end_.is_open() ? State::absent : State::closed;
    if (!end_.is_open())
        return false;
    fcntl(end_.get(), F_SETPIPE_SZ, capacity_); // its refusal is no error
    return true;
}

void FifoWriter::look() noexcept {
    if (state_ == State::closed)
        open();
    if (state_ != State::absent)
        return;
    struct stat status {};
    if (!is_writer_cut_off(end_.get()))
        state_ = State::joining;
    else if (fstat(end_.get(), &status) == 0 && status.st_nlink == 0)
        state_ = State::removed;
}

bool FifoWriter::leave() {
    const bool has_left = is_writer_cut_off(end_.get());
    if (has_left)
        fail(EPIPE);
    return has_left;
}

void FifoWriter::fail(int error) {
    if (error != EPIPE)
        throw Error(fifo_.name().text, "cannot write", error);
    backlog_.clear();
    rest_ = {};
    end_ = UniqueFd();
    open();
}

void FifoWriter::close() noexcept {
    fifo_.remove();
    end_ = UniqueFd();
    state_ = State::removed;
}

void FifoWriter::after_close() noexcept {
    if (state_ == State::cut_off)
        open();
}

void FifoWriter::cut_off() noexcept {
    ++cut_offs_;
    backlog_.clear();
    end_ = UniqueFd();
    state_ = State::cut_off;
}

void FifoWriter::send(std::string_view bytes, bool starts_record) {
    if (state_ == State::joining) {
        const std::size_t before = starts_record ? 0 : bytes.find(policy_.delimiter) + 1;
        if (!starts_record && before == 0)
            return;
        bytes.remove_prefix(before);
        state_ = State::reading;
    }
    if (state_ != State::reading)
        return;
    flush();
    const std::size_t written = is_behind() ? 0 : write_some(bytes);
    if (written < bytes.size() && state_ == State::reading)
        hold(bytes, written);
}

void FifoWriter::flush() {
    if (!backlog_.empty())
        backlog_.drop_front(write_some({backlog_.begin(), backlog_.size()}));
    if (backlog_.empty() && !rest_.empty())
        rest_.remove_prefix(write_some(rest_));
    const std::size_t room = policy_.buffer - std::min(policy_.buffer, backlog_.size());
    if (const std::size_t count = std::min(rest_.size(), room)) {
        backlog_.append(rest_.substr(0, count));
        rest_.remove_prefix(count);
    }
}

/// What is to be written at once: all, unless the reader might be cut off behind it. Up to PIPE_BUF
/// bytes are written whole or not at all.
std::string_view FifoWriter::piece_of(std::string_view bytes) const noexcept {
    if (policy_.slow != Slow::disconnect || bytes.size() <= PIPE_BUF)
        return bytes;
    const std::size_t whole = bytes.rfind(policy_.delimiter, PIPE_BUF - 1) + 1;
    return bytes.substr(0, whole > 0 ? whole : PIPE_BUF);
}

/// As much as there is room for; all of it is gone if there is no reader.
std::size_t FifoWriter::write_some(std::string_view bytes) {
    std::size_t done = 0;
    bool had_none = false;
    while (done < bytes.size()) {
        const std::string_view piece = piece_of(bytes.substr(done));
        const ssize_t count = write(end_.get(), piece.data(), piece.size());
        if (count >= 0) {
            done += static_cast<std::size_t>(count);
        } else if (errno == EPIPE && !std::exchange(had_none, true)) {
            if (leave())
                return 0;
        } else if (errno == EAGAIN) {
            break;
        } else if (errno != EINTR) {
            fail(errno);
            return 0;
        }
    }
    return done;
}

/// What to do about the bytes behind those that were written.
void FifoWriter::hold(std::string_view bytes, std::size_t written) {
    const std::size_t rest = bytes.size() - written;
    if (policy_.slow == Slow::drop)
        hold_records(bytes, written);
    else if (rest <= policy_.buffer - std::min(policy_.buffer, backlog_.size()))
        backlog_.append(bytes.substr(written));
    else if (policy_.slow == Slow::disconnect)
        cut_off();
    else
        rest_ = bytes.substr(written);
}

/// The rest of a record that the reader has the beginning of, and the whole ones that fit.
void FifoWriter::hold_records(std::string_view bytes, std::size_t written) {
    const bool is_cut = written > 0 && bytes[written - 1] != policy_.delimiter;
    const std::size_t must =
        is_cut ? std::min(bytes.find(policy_.delimiter, written), bytes.size() - 1) + 1 : written;
    const std::size_t held = backlog_.size() + (must - written);
    const std::size_t room = policy_.buffer - std::min(policy_.buffer, held);
    std::size_t end = bytes.size();
    if (end - must > room) {
        const void* const last = memrchr(bytes.data() + must, policy_.delimiter, room);
        end = last == nullptr
                  ? must
                  : static_cast<std::size_t>(static_cast<const char*>(last) - bytes.data()) + 1;
    }
    backlog_.append(bytes.substr(written, end - written));
    bytes.remove_prefix(end);
    if (bytes.empty())
        return;
    const auto ends = std::count(bytes.begin(), bytes.end(), policy_.delimiter);
    dropped_ += static_cast<std::uint64_t>(ends) + (bytes.back() == policy_.delimiter ? 0 : 1);
}

} // namespace ipc
