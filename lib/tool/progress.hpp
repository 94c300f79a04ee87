// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace ipc {

enum class Periodic : std::uint8_t { no, yes };

/// What moves: records of some bytes each, or bytes alone.
enum class Unit : std::uint8_t { records, bytes };

/// Counts what a streaming tool moved and says it on stderr: once after each SIGUSR1, as dd(1)
/// does; each second and at the end with Periodic::yes, as pv(1) does. One per process, after
/// signals::hold().
class Progress {
  public:
    Progress(const char* tool, Periodic periodic, Unit unit = Unit::records);
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    ~Progress();

    void add(std::uint64_t records, std::uint64_t bytes) noexcept {
        records_ += records;
        bytes_ += bytes;
    }

    std::uint64_t records() const noexcept { return records_; }

  private:
    bool in_place() const noexcept;
    void say(const char* end) const noexcept;

    const char* tool_;
    bool periodic_;
    Unit unit_;
    std::int64_t start_;
    std::uint64_t records_ = 0;
    std::uint64_t bytes_ = 0;
};

} // namespace ipc
