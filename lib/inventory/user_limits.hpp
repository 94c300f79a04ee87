// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <sys/types.h>

namespace ipc {

/// What the processes of a user tell of its limits: proc(5), /proc/PID/status and /proc/PID/limits.
struct UserLimits {
    std::optional<std::uint64_t> signals;           ///< queued for it, over all of its processes
    std::optional<std::uint64_t> signals_limit;     ///< RLIMIT_SIGPENDING
    std::optional<std::uint64_t> queue_bytes_limit; ///< RLIMIT_MSGQUEUE
};

/// By real uid, which is whom the kernel charges. Limits are soft ones, the highest number where
/// there is none: our own for our user, which is always there; the lowest of its processes for
/// another. Throws Error where /proc cannot be listed for want of descriptors or memory.
std::map<uid_t, UserLimits> user_limits();

} // namespace ipc
