// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <sys/types.h>

namespace ipc {

/// Whether the process that is recorded as a user of an object may still be that user. It is gone
/// if there is none of that number (kill(2): hidepid does not matter), if it is a zombie, or if it
/// started after `used` (seconds since the epoch, the clock of the record). A time before the boot
/// tells that the clock was set since, and proves nothing. Process 0 is unknown: nobody, or one
/// that is not visible from here; the caller knows whether there was a use at all. So is one that
/// exists and is hidden, or where /proc is that of another PID namespace. Throws Error for want of
/// descriptors or memory.
enum class Recorded : std::uint8_t { alive, gone, unknown };
Recorded recorded_user(pid_t pid, std::int64_t used);

} // namespace ipc
