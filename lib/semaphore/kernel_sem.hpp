// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace ipc {

/// The four numbers of the sysctl kernel.sem, in their order: semget(2), semop(2).
enum class SemaphoreLimit : std::uint8_t {
    semmsl, ///< members of a set
    semmns, ///< members of all sets
    semopm, ///< operations at once
    semmni, ///< sets
};

/// Its value; nothing where it cannot be read.
std::optional<long> semaphore_limit(SemaphoreLimit limit);

/// `SEMMSL = VALUE, in kernel.sem; raise it with: sysctl kernel.sem='...'`, with `wanted` in its
/// place.
std::string describe_semaphore_limit(SemaphoreLimit limit, long wanted);

} // namespace ipc
