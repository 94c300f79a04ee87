// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <sys/types.h>

namespace ipc {

/// What a process does with an object.
enum class Role : std::uint8_t {
    opens,  ///< has a descriptor, or a mapping
    reads,  ///< has the end of a pipe for reading, or a POSIX queue open for it
    writes, ///< the same for writing
    both,   ///< the same for both
    holds,  ///< has a lock
    waits,  ///< is blocked in it, or waits for a lock
    last,   ///< is recorded as the last user of a System V object, and lives
};

struct Use {
    pid_t pid = 0;
    Role role = Role::opens;

    bool operator==(const Use&) const = default;
};

} // namespace ipc
