// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "fifo/fifo.hpp"

namespace ipc {

/// The reading end of a FIFO whose writers come and go. When the last one has left, poll(2) would
/// say POLLHUP for ever; opened anew, it is silent until the next one has come (fifo(7)).
class FifoReader {
  public:
    /// Throws Error.
    explicit FifoReader(Fifo fifo);

    const Fifo& fifo() const noexcept { return fifo_; }
    /// -1 once no writer can come any more.
    int fd() const noexcept { return end_.get(); }
    bool is_open() const noexcept { return end_.is_open(); }

    /// What is there; nothing where another process took it. At the end, when all writers have
    /// left, `at_end` is set. Throws Error.
    std::size_t read(std::span<char> into, bool& at_end);

    /// All writers have left: waits for others, if any can come. Throws Error.
    void reopen();
    void close() noexcept { end_ = UniqueFd(); }
    /// Sees whether the file was removed, so that no other writer can come. If there is one, what
    /// that sends and its end of file are still to come.
    void look() noexcept;
    /// Whether looking is still of use.
    bool may_be_removed() const noexcept { return is_open() && !is_removed_; }

    std::string begun; ///< the beginning of a record that has no end yet

  private:
    UniqueFd end_; ///< closed when the file is removed
    Fifo fifo_;
    bool is_removed_ = false;
};

} // namespace ipc
