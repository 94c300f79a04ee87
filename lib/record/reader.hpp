// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/buffer.hpp"
#include "record/format.hpp"

namespace ipc {

/// A record of a stream. `data` has Buffer::headroom writable bytes before it and is good until
/// the next call of the reader.
struct Record {
    std::span<char> data = {};
    std::size_t size = 0; ///< above the reader's limit, `data` is empty
    std::optional<long> priority = {};
    std::uint64_t count = 1; ///< records that `data` holds, one unless packed
};

/// Cuts a stream into records: ipctools(7), RECORDS. Reads in large blocks, waits only when no
/// whole record is in hand, and holds no more than one record of `limit` bytes besides a block.
class RecordReader {
  public:
    /// The length of a record that is over the limit is counted no further than this, which is
    /// what a POSIX queue takes at most: mq_overview(7).
    static constexpr std::size_t longest_count = std::size_t{16} << 20U;

    /// `fd` stays the caller's. Records may carry a priority before a tab, or in json.
    RecordReader(int fd, Format format, bool with_priority, std::size_t limit);

    /// The next record; null at the end of input. Throws Error that names the record if it is
    /// malformed, and signals::Ended.
    const Record* next();

    /// The next record joined with as many that follow as are in hand and fit.
    const Record* next_pack();

    /// The record that came last has been dealt with.
    void consume() noexcept;

    /// How often read(2) gave something.
    std::uint64_t blocks() const noexcept { return blocks_; }

    /// Where input can be repositioned, to the first record that was not dealt with: lseek(2).
    /// False where it cannot.
    bool reposition() const noexcept;

  private:
    // Each sets record_, or returns false at the end of input.
    bool next_delimited();
    bool next_netstring();
    bool next_json();
    bool next_whole();

    std::optional<std::size_t> cut_at(char end, std::size_t limit);
    void take(std::size_t offset, std::size_t size);
    void take_plain(std::size_t offset, std::size_t size) noexcept;
    void take_priority(std::size_t offset, std::size_t size);
    std::size_t prefix_length(std::size_t offset, std::size_t size) noexcept;
    bool fill();
    [[noreturn]] void malformed(std::string_view reason) const;

    int fd_;
    Format format_;
    bool with_priority_;
    std::size_t limit_;
    Buffer buffer_;
    Buffer decoded_;
    Record record_;
    bool has_record_ = false;
    bool at_end_ = false;
    std::size_t taken_ = 0; ///< bytes of the buffer that belong to the last record
    std::optional<std::size_t> dropped_prefix_; ///< of a record that was too long to keep
    std::uint64_t read_ = 0;                    ///< bytes read from fd
    std::uint64_t begin_ = 0; ///< where in the stream the first record not dealt with begins
    std::uint64_t consumed_ = 0;
    std::uint64_t blocks_ = 0;
};

} // namespace ipc
