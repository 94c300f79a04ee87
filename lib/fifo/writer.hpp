// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/buffer.hpp"
#include "fifo/fifo.hpp"

namespace ipc {

/// What becomes of what a FIFO has no room for, since its reader is too slow.
enum class Slow : std::uint8_t {
    block,      ///< it is waited for
    drop,       ///< whole records are dropped
    disconnect, ///< the reader is cut off
};

struct WritePolicy {
    Slow slow = Slow::block;
    std::size_t buffer = 0; ///< bytes held for the reader, besides what the FIFO itself holds
    char delimiter = '\n';  ///< of records
};

/// The writing end of a FIFO whose readers come and go. It is open even while there is no reader,
/// so that none has to wait in open(2); without readers poll(2) says POLLERR, and that ends when
/// one comes. When the last one has left, closing it discards what that one did not read.
class FifoWriter {
  public:
    /// `capacity` is the room the FIFO shall have, if the kernel grants it. Throws Error.
    FifoWriter(Fifo fifo, const WritePolicy& policy, int capacity);

    const Fifo& fifo() const noexcept { return fifo_; }
    /// -1 while it is cut off, or cannot be opened without a reader.
    int fd() const noexcept { return end_.get(); }

    /// Whether it gets what is sent: from the start of the next record on, for one that just came.
    bool has_reader() const noexcept {
        return state_ == State::joining || state_ == State::reading;
    }
    bool is_joining() const noexcept { return state_ == State::joining; }
    /// No file of this name leads to it any more, and there is no reader.
    bool is_removed() const noexcept { return state_ == State::removed; }
    /// Whether it has to be looked at although nothing tells.
    bool is_closed() const noexcept { return state_ == State::closed; }

    /// Sees whether a reader has come or the file has gone. Only without a reader.
    void look() noexcept;
    /// The last reader has left. False if another is there, which goes on where that one was.
    bool leave();
    /// Writing failed so: with EPIPE for want of a reader, else it throws Error.
    void fail(int error);
    /// No more comes: its reader sees the end of file.
    void close() noexcept;
    /// Some reader has closed it: one that was cut off is no longer there.
    void after_close() noexcept;

    /// Sends what follows in the stream, as far as there is room. `starts_record`: nothing of a
    /// record came before. With Slow::drop it is whole records. Throws Error.
    void send(std::string_view bytes, bool starts_record);

    /// Whether something is held back.
    bool is_behind() const noexcept { return !backlog_.empty() || !rest_.empty(); }
    /// Whether some of what send() got can only wait: it has to stay where it is.
    bool holds_up() const noexcept { return !rest_.empty(); }
    /// Sends what is held as far as there is room. Throws Error.
    void flush();

    std::uint64_t dropped() const noexcept { return dropped_; }
    std::uint64_t cut_offs() const noexcept { return cut_offs_; }

  private:
    enum class State : std::uint8_t { absent, joining, reading, cut_off, closed, removed };

    bool open() noexcept;
    std::string_view piece_of(std::string_view bytes) const noexcept;
    std::size_t write_some(std::string_view bytes);
    void hold(std::string_view bytes, std::size_t written);
    void hold_records(std::string_view bytes, std::size_t written);
    void cut_off() noexcept;

    UniqueFd end_; ///< closed when the file is removed
    Fifo fifo_;
    WritePolicy policy_;
    int capacity_;
    State state_ = State::absent;
    Buffer backlog_;
    std::string_view rest_; ///< behind that, and not ours
    std::uint64_t dropped_ = 0;
    std::uint64_t cut_offs_ = 0;
};

} // namespace ipc
