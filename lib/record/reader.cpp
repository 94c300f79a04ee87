// SPDX-License-Identifier: MIT
#include "record/reader.hpp"

#include <algorithm>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "base/error.hpp"
#include "base/io.hpp"
#include "base/json.hpp"
#include "base/parse.hpp"
#include "base/text.hpp"

namespace ipc {

namespace {

constexpr std::size_t block = std::size_t{64} << 10U;

/// A priority in digits and a tab.
constexpr std::size_t longest_prefix = 21;

/// The digits and the colon of a netstring.
constexpr std::size_t longest_netstring_head = 20;

/// A byte of a message takes six in json at most; the rest is for other members.
constexpr std::size_t json_line_limit(std::size_t limit) { return 8 * limit + block; }

/// As std::count; in runs of a fixed length, which compilers vectorise even at -O2.
std::uint64_t count_of(char wanted, std::span<const char> bytes) noexcept {
    constexpr std::size_t run = 64;
    std::uint64_t total = 0;
    for (; bytes.size() >= run; bytes = bytes.subspan(run)) {
        std::uint8_t in_run = 0;
        for (std::size_t i = 0; i < run; ++i)
            in_run = static_cast<std::uint8_t>(in_run + (bytes[i] == wanted ? 1 : 0));
        total += in_run;
    }
    return total + static_cast<std::uint64_t>(std::count(bytes.begin(), bytes.end(), wanted));
}

} // namespace

RecordReader::RecordReader(int fd, Format format, bool with_priority, std::size_t limit)
    : fd_(fd), format_(format), with_priority_(with_priority), limit_(limit) {}

const Record* RecordReader::next() {
    consume();
    bool found = false;
    switch (format_) {
    case Format::line:
    case Format::nul:
        found = next_delimited();
        break;
    case Format::netstring:
        found = next_netstring();
        break;
    case Format::json:
        found = next_json();
        break;
    case Format::whole:
        found = next_whole();
        break;
    }
    if (record_.size > limit_)
        record_.data = {};
    record_.count = 1;
    has_record_ = found;
    return found ? &record_ : nullptr;
}

const Record* RecordReader::next_pack() {
    const Record* const first = next();
    if (first == nullptr || first->size > limit_)
        return first;
    const std::size_t window = std::min(limit_ + 1, buffer_.size());
    const auto* const last =
        static_cast<const char*>(memrchr(buffer_.begin(), delimiter(format_), window));
    const auto length = static_cast<std::size_t>(last == nullptr ? 0 : last - buffer_.begin());
    if (length <= first->size)
        return first;
    take_plain(0, length);
    record_.count += count_of(delimiter(format_), record_.data);
    taken_ = length + 1;
    return &record_;
}

void RecordReader::consume() noexcept {
    if (!std::exchange(has_record_, false))
        return;
    buffer_.drop_front(taken_);
    begin_ += taken_;
    consumed_ += record_.count;
    taken_ = 0;
}

bool RecordReader::reposition() const noexcept {
    struct stat status {};
    if (fstat(fd_, &status) != 0 || !(S_ISREG(status.st_mode) || S_ISBLK(status.st_mode)))
        return false;
    return lseek(fd_, -static_cast<off_t>(read_ - begin_), SEEK_CUR) != -1;
}

bool RecordReader::next_delimited() {
    const auto size = cut_at(delimiter(format_), limit_ + (with_priority_ ? longest_prefix : 0));
    if (!size)
        return false;
    take(0, *size);
    return true;
}

/// LEN:BYTES, as in https://cr.yp.to/proto/netstrings.txt
bool RecordReader::next_netstring() {
    const auto head_end = [this] {
        return static_cast<const char*>(
            std::memchr(buffer_.begin(), ':', std::min(buffer_.size(), longest_netstring_head)));
    };
    while (head_end() == nullptr) {
        if (buffer_.size() >= longest_netstring_head)
            malformed("a netstring begins with its length and a colon");
        if (!fill()) {
            if (buffer_.empty())
                return false;
            malformed("input ends within a netstring");
        }
    }
    const auto digits = static_cast<std::size_t>(head_end() - buffer_.begin());
    const std::string_view head(buffer_.begin(), digits);
    const auto length = parse::try_number(head);
    if (!length || head[0] == '-' || (head.size() > 1 && head[0] == '0'))
        malformed("a netstring begins with its length and a colon");
    const auto size = static_cast<std::size_t>(*length);
    while (with_priority_ && buffer_.size() < digits + 1 + std::min(size, longest_prefix) &&
           fill()) {
    }
    if (size <= limit_ + (with_priority_ ? longest_prefix : 0)) {
        while (buffer_.size() < digits + 1 + size + 1)
            if (!fill())
                malformed("input ends within a netstring");
        if (buffer_.begin()[digits + 1 + size] != ',')
            malformed("a netstring ends with a comma");
        taken_ = digits + 1 + size + 1;
    }
    take(digits + 1, size);
    return true;
}

bool RecordReader::next_json() {
    const auto size = cut_at('\n', json_line_limit(limit_));
    if (!size)
        return false;
    if (*size > json_line_limit(limit_))
        malformed(text("the line is longer than ", json_line_limit(limit_), " bytes"));
    try {
        const JsonRecord json = parse_json_record({buffer_.begin(), *size});
        decoded_.clear();
        decoded_.append(json.data);
        record_ = {.data = decoded_.span(0, decoded_.size()),
                   .size = decoded_.size(),
                   .priority = json.priority};
        return true;
    } catch (const Malformed& problem) {
        malformed(problem.reason);
    }
}

bool RecordReader::next_whole() {
    if (at_end_)
        return false;
    while (buffer_.size() <= limit_ && fill()) {
    }
    std::size_t size = buffer_.size();
    if (size > limit_) {
        while (size <= std::max(limit_, longest_count)) {
            buffer_.clear();
            if (!fill())
                break;
            size += buffer_.size();
        }
        record_ = {.size = size};
        return true;
    }
    taken_ = size;
    take_plain(0, size);
    return true;
}

/// How long the record at the front is that `end` ends; nothing at the end of input. Beyond
/// `limit` the bytes are counted and dropped.
std::optional<std::size_t> RecordReader::cut_at(char end, std::size_t limit) {
    std::size_t dropped = 0;
    std::size_t scanned = 0;
    for (;;) {
        const auto* const found = static_cast<const char*>(
            std::memchr(buffer_.begin() + scanned, end, buffer_.size() - scanned));
        if (found != nullptr) {
            taken_ = static_cast<std::size_t>(found - buffer_.begin()) + 1;
            return dropped + taken_ - 1;
        }
        scanned = buffer_.size();
        if (dropped + scanned > std::max(limit, longest_count))
            return dropped + scanned;
        if (dropped + scanned > limit) {
            if (dropped == 0 && with_priority_)
                dropped_prefix_ = prefix_length(0, scanned);
            dropped += scanned;
            scanned = 0;
            buffer_.clear();
        }
        if (!fill()) {
            taken_ = buffer_.size();
            return dropped + taken_ == 0 ? std::nullopt : std::optional(dropped + taken_);
        }
    }
}

/// The record of `size` bytes at `offset`; one that is too long may not be held.
void RecordReader::take(std::size_t offset, std::size_t size) {
    if (with_priority_)
        take_priority(offset, size);
    else
        take_plain(offset, size);
}

void RecordReader::take_plain(std::size_t offset, std::size_t size) noexcept {
    const bool is_held = offset + size <= buffer_.size();
    record_ = {.data = is_held ? buffer_.span(offset, size) : std::span<char>(), .size = size};
}

void RecordReader::take_priority(std::size_t offset, std::size_t size) {
    const bool is_held = size <= limit_ + longest_prefix && offset + size <= buffer_.size();
    const std::size_t prefix =
        std::exchange(dropped_prefix_, std::nullopt).value_or(prefix_length(offset, size));
    record_ = {.size = size - prefix};
    if (!is_held)
        return;
    const std::string_view digits(buffer_.begin() + offset, prefix == 0 ? 0 : prefix - 1);
    record_.priority = parse::try_number(digits);
    if (!record_.priority)
        malformed("a priority and a tab belong before it");
    record_.data = buffer_.span(offset + prefix, size - prefix);
}

/// Up to and with the tab, of the record at `offset`; 0 without one.
std::size_t RecordReader::prefix_length(std::size_t offset, std::size_t size) noexcept {
    const std::size_t held = std::min({size, longest_prefix, buffer_.size() - offset});
    return std::string_view(buffer_.begin() + offset, held).find('\t') + 1;
}

/// False at the end of input.
bool RecordReader::fill() {
    if (at_end_)
        return false;
    const std::size_t count = read_some(fd_, buffer_.room(block), "stdin");
    at_end_ = count == 0;
    buffer_.commit(count);
    read_ += count;
    ++blocks_;
    return !at_end_;
}

void RecordReader::malformed(std::string_view reason) const {
    throw Error("stdin", text("record ", consumed_ + 1, ": ", reason));
}

} // namespace ipc
