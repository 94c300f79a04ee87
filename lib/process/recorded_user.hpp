// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <sys/types.h>
#include <unordered_map>

namespace ipc {

enum class Recorded : std::uint8_t { alive, gone, unknown };

/// Whether processes that are recorded as users of objects may still be those users. Each is looked
/// at once, however many objects name it: what a user makes of one process, such as threads that
/// have ended, must not cost its price for each object.
class RecordedUsers {
  public:
    /// It is gone if there is none of that number (kill(2): hidepid does not matter), if it is a
    /// zombie, or if it started after `used` (seconds since the epoch, the clock of the record). A
    /// time before the boot tells that the clock was set since, and proves nothing. Process 0 is
    /// unknown: nobody, or one that is not visible from here; the caller knows whether there was a
    /// use at all. So is one that exists and is hidden, or where /proc is that of another PID
    /// namespace. Throws Error for want of descriptors or memory.
    Recorded find(pid_t pid, std::int64_t used);

  private:
    /// What was seen of a process.
    struct Life {
        Recorded state = Recorded::unknown;
        double start = 0; ///< if it is alive: seconds since the boot
    };
    static Life look(pid_t pid);

    std::unordered_map<pid_t, Life> lives_;
};

} // namespace ipc
