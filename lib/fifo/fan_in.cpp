// SPDX-License-Identifier: MIT
#include "fifo/fan_in.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

#include "base/error.hpp"
#include "base/io.hpp"
#include "base/limits.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"

namespace ipc {

namespace {

constexpr std::size_t block_size = std::size_t{128} << 10U;

/// How much of a record is held before the others have to wait for its end.
constexpr std::size_t longest_held = std::size_t{1} << 20U;

} // namespace

FanIn::FanIn(std::vector<FifoReader>& readers, const FanInPolicy& policy, Progress& progress)
    : readers_(readers), policy_(policy), progress_(progress),
      watches_output_(has_reader(STDOUT_FILENO)), watch_(IN_ATTRIB),
      block_(std::make_unique_for_overwrite<char[]>(block_size)) {
    enlarge_pipe(STDOUT_FILENO);
    for (const FifoReader& reader : readers_)
        watch_.add(reader.fifo().path());
}

bool FanIn::run() {
    deadline_ = Deadline::after(policy_.timeout);
    while (wants_more()) {
        if (!wait())
            return false;
        for (std::size_t i = 0; i < readers_.size() && wants_more(); ++i)
            if (polled_[i + 2].revents != 0 && (long_ == nullptr || long_ == &readers_[i]))
                serve(readers_[i]);
    }
    return true;
}

bool FanIn::wants_more() const noexcept {
    return (!policy_.count || records_ < *policy_.count) &&
           std::any_of(readers_.begin(), readers_.end(),
                       [](const FifoReader& reader) { return reader.is_open(); });
}

/// Until a FIFO has something, which polled_ tells, or none can have. False if the time has run
/// out.
bool FanIn::wait() {
    for (;;) {
        signals::check();
        const Deadline next_look = may_be_removed() ? watch_.next_look() : Deadline::never();
        polled_.clear();
        polled_.push_back({.fd = watches_output_ ? STDOUT_FILENO : -1, .events = 0, .revents = 0});
        polled_.push_back({.fd = watch_.poll_fd(), .events = POLLIN, .revents = 0});
        for (const FifoReader& reader : readers_)
            polled_.push_back({.fd = long_ == nullptr || long_ == &reader ? reader.fd() : -1,
                               .events = POLLIN,
                               .revents = 0});
        const Deadline until =
            next_look.is_never() ? deadline_ : deadline_.or_after(next_look.left());
        const timespec left = until.is_never() ? timespec{} : to_timespec(until.left());
        const int ready =
            ppoll(polled_.data(), polled_.size(), until.is_never() ? nullptr : &left, nullptr);
        if (ready < 0 && errno != EINTR)
            throw Error({}, "cannot wait", errno);
        if (ready < 0)
            continue;
        if (polled_[0].revents != 0)
            throw Error("stdout", "cannot write", EPIPE);
        if (ready > (polled_[1].revents != 0 ? 1 : 0))
            return true;
        if (deadline_.passed())
            return false;
        look();
        if (!wants_more())
            return true;
    }
}

void FanIn::look() noexcept {
    watch_.drain([](std::size_t, std::uint32_t) {});
    for (FifoReader& reader : readers_)
        reader.look();
}

bool FanIn::may_be_removed() const noexcept {
    return std::any_of(readers_.begin(), readers_.end(),
                       [](const FifoReader& reader) { return reader.may_be_removed(); });
}

// ---- Reading ----

void FanIn::serve(FifoReader& reader) {
    const std::span<char> room(block_.get(), block_size);
    bool at_end = false;
    const std::size_t size = policy_.count ? wanted_of(reader, room) : room.size();
    std::size_t count = reader.read(room.first(size), at_end);
    if (count > 0) {
        deadline_ = Deadline::after(policy_.timeout);
        watch_.restart();
    }
    // A last record without an end has one now.
    if (at_end && (!reader.begun.empty() || long_ == &reader))
        room[count++] = policy_.delimiter;
    if (count > 0)
        take(reader, {block_.get(), count});
    if (at_end && policy_.once)
        reader.close();
    else if (at_end)
        reader.reopen();
}

/// How many bytes to read so that no more than the records asked for are taken: tee(2) shows what
/// is there, and leaves it.
std::size_t FanIn::wanted_of(const FifoReader& reader, std::span<char> room) {
    int ends[2];
    if (!peek_in_.is_open()) {
        if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
            throw Error(reader.fifo().name().text, "cannot create a pipe to look into it", errno,
                        explain_error(errno));
        peek_out_ = UniqueFd(ends[0]);
        peek_in_ = UniqueFd(ends[1]);
    }
    const ssize_t seen = tee(reader.fd(), peek_in_.get(), room.size(), SPLICE_F_NONBLOCK);
    if (seen <= 0)
        return 1; // the end, or nothing
    std::size_t size = 0;
    while (size < static_cast<std::size_t>(seen)) {
        const ssize_t count = ::read(peek_out_.get(), room.data() + size, room.size() - size);
        if (count > 0)
            size += static_cast<std::size_t>(count);
        else if (count == 0 || errno != EINTR)
            throw Error(reader.fifo().name().text, "cannot look into it", count < 0 ? errno : EIO);
    }
    std::uint64_t missing = *policy_.count - records_;
    const std::string_view bytes(room.data(), size);
    for (std::size_t end = 0;
         (end = bytes.find(policy_.delimiter, end)) != std::string_view::npos;) {
        ++end;
        if (--missing == 0)
            return end;
    }
    return size;
}

/// What follows the bytes that have begun: the ends of records, and perhaps the beginning of one.
void FanIn::take(FifoReader& reader, std::string_view bytes) {
    if (long_ == &reader) {
        const std::size_t end = bytes.find(policy_.delimiter) + 1;
        put(bytes.substr(0, end == 0 ? bytes.size() : end));
        if (end == 0)
            return;
        ++records_;
        long_ = nullptr;
        bytes.remove_prefix(end);
    }
    const std::size_t whole = bytes.rfind(policy_.delimiter) + 1;
    if (whole > 0 && reader.begun.empty())
        put_records(reader, bytes.substr(0, whole));
    else if (whole > 0)
        put_records(reader, std::exchange(reader.begun, {}).append(bytes, 0, whole));
    reader.begun += bytes.substr(whole);
    if (reader.begun.size() < longest_held)
        return;
    write(label(reader));
    put(std::exchange(reader.begun, {}));
    long_ = &reader;
}

// ---- Writing ----

std::string FanIn::label(const FifoReader& reader) const {
    const std::string& name = reader.fifo().name().text;
    return !policy_.labels ? std::string() : (policy_.escapes ? printable(name) : name) + '\t';
}

void FanIn::put_records(const FifoReader& reader, std::string_view records) {
    if (policy_.count)
        records_ += static_cast<std::uint64_t>(
            std::count(records.begin(), records.end(), policy_.delimiter));
    if (!policy_.labels) {
        put(records);
        return;
    }
    const std::string before = label(reader);
    std::string labelled;
    while (!records.empty()) {
        const std::size_t size = records.find(policy_.delimiter) + 1;
        labelled += before;
        if (policy_.escapes)
            labelled += escaper_.add(records.substr(0, size));
        else
            labelled += records.substr(0, size);
        records.remove_prefix(size);
    }
    write(labelled);
}

void FanIn::put(std::string_view bytes) {
    if (policy_.escapes)
        write(escaper_.add(bytes));
    else
        write(bytes);
}

void FanIn::write(std::string_view bytes) {
    progress_.add(0, bytes.size());
    std::size_t written = 0;
    const int error = write_patiently(STDOUT_FILENO, bytes, written);
    if (error == EINTR)
        signals::check();
    if (error != 0)
        throw Error("stdout", "cannot write", error);
}

} // namespace ipc
