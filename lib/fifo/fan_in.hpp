// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <poll.h>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.hpp"
#include "base/escape.hpp"
#include "base/file_watch.hpp"
#include "fifo/reader.hpp"
#include "tool/progress.hpp"

namespace ipc {

struct FanInPolicy {
    char delimiter = '\n';
    bool labels = false;                ///< the FIFO's name and a tab before each record
    bool escapes = false;               ///< for a terminal
    bool once = false;                  ///< a FIFO is done when its writers have left
    std::optional<std::uint64_t> count; ///< of records
    std::optional<nanoseconds> timeout; ///< for each, restarted by all that comes
};

/// Copies the records of many FIFOs to stdout, each whole. The beginning of one is held until its
/// end has come, or until it gets so long that it goes on as it comes, and the others wait.
class FanIn {
  public:
    /// Readers and progress stay the caller's.
    FanIn(std::vector<FifoReader>& readers, const FanInPolicy& policy, Progress& progress);

    /// Until no FIFO has more to give, or all records asked for have come. False if the time ran
    /// out before. Throws Error, and signals::Ended.
    bool run();

  private:
    bool wants_more() const noexcept;
    bool wait();
    void look() noexcept;
    bool may_be_removed() const noexcept;
    void serve(FifoReader& reader);
    std::size_t wanted_of(const FifoReader& reader, std::span<char> room);
    void take(FifoReader& reader, std::string_view bytes);
    std::string label(const FifoReader& reader) const;
    void put_records(const FifoReader& reader, std::string_view records);
    void put(std::string_view bytes);
    void write(std::string_view bytes);

    std::vector<FifoReader>& readers_;
    FanInPolicy policy_;
    Progress& progress_;
    bool watches_output_;
    FileWatch watch_;
    Deadline deadline_;
    std::uint64_t records_ = 0;
    FifoReader* long_ = nullptr; ///< whose record goes on as it comes
    std::unique_ptr<char[]> block_;
    Escaper escaper_;
    std::vector<pollfd> polled_;
    UniqueFd peek_in_;
    UniqueFd peek_out_;
};

} // namespace ipc
