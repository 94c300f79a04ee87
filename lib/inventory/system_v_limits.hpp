// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "inventory/ipc_limits.hpp"
#include "inventory/object.hpp"

namespace ipc {

/// The largest System V objects that there are, where that is known.
struct LargestSystemV {
    std::optional<std::uint64_t> queue;   ///< bytes of its messages
    std::optional<std::uint64_t> set;     ///< semaphores in it
    std::optional<std::uint64_t> segment; ///< bytes
};

/// Adds the limits of the IPC namespace that we are in on System V objects, and their use as the
/// kernel counts it: MSG_INFO of msgctl(2), SEM_INFO of semctl(2), IPC_INFO and SHM_INFO of
/// shmctl(2). A family that the kernel does not have is a Trouble.
void add_system_v_limits(const LargestSystemV& largest, std::vector<LimitUse>& limits,
                         std::vector<Trouble>& troubles);

} // namespace ipc
