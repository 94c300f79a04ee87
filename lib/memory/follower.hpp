// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/byte_range.hpp"
#include "base/deadline.hpp"
#include "base/digest.hpp"
#include "memory/source.hpp"

namespace ipc {

/// Prints a range of an object, and again whenever a look at it, each interval, finds something
/// else than was printed last. So each state that lasts an interval is printed, and the last one in
/// any case. Needs no more memory for a large range.
class MemoryFollower {
  public:
    enum class Output : std::uint8_t { plain, terminal };

    /// For a terminal control bytes are escaped if `escapes`.
    MemoryFollower(MemorySource& source, ByteRange range, nanoseconds interval, bool escapes,
                   Output output);

    /// Returns when the object is removed. Throws Error, also where stdout has lost its reader;
    /// and signals::Ended, but to what is no terminal the last state is printed before, as far as
    /// that takes no longer than a second.
    void run();

  private:
    enum class Woken : std::uint8_t { interval, removed, ended, cut_off };

    Woken wait();
    Digest look();
    Digest print();
    void write(std::string_view bytes) const;
    enum class Holes : std::uint8_t { read, skipped };
    template <class Use> Digest pass(Holes holes, Use use);
    void check_patience();

    MemorySource& source_;
    ByteRange range_;
    nanoseconds interval_;
    bool escapes_;
    Output output_;
    int watched_output_;                    ///< -1 where stdout cannot lose a reader
    Deadline patience_ = Deadline::never(); ///< how long a pass may go on when we shall end
    std::vector<char> buffer_;
};

} // namespace ipc
