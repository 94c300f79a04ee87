// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

#include "signal/event.hpp"

namespace ipc {

/// A line of words apart by blanks, or a json object.
enum class LogAs : std::uint8_t { words, json };

/// The lines about signals, which are gathered until they can be written.
class SignalLog {
  public:
    explicit SignalLog(LogAs as) noexcept : as_(as) {}

    /// What is added from here on came now; who sent it is looked up anew.
    void begin_moment();

    /// A line. `receiver`: the process or thread of it, where that is not ourselves.
    void add(const SignalEvent& event, std::optional<pid_t> receiver = std::nullopt);

    /// Whether it should be written, for it has become much.
    bool is_full() const noexcept { return out_.size() >= (1U << 16U); }
    bool empty() const noexcept { return out_.empty(); }

    /// The lines, which are then the caller's.
    std::string take() noexcept { return std::exchange(out_, {}); }

  private:
    const std::string& command_of(pid_t pid);
    void add_words(const SignalEvent& event, std::optional<pid_t> receiver);
    void add_json(const SignalEvent& event, std::optional<pid_t> receiver);

    LogAs as_;
    timespec now_{};
    time_t second_ = -1;   ///< the one that `date_` shows
    std::string date_;     ///< local, without the fraction
    std::string fraction_; ///< six digits
    std::vector<std::pair<pid_t, std::string>> commands_;
    std::string out_;
};

} // namespace ipc
