// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace ipc {

/// The two families of the same three kinds of objects: mq_overview(7), shm_overview(7),
/// sem_overview(7), and sysvipc(7).
enum class Family : std::uint8_t { posix, system_v };

/// Whether an object that is there already will do for `create`.
enum class Existing : std::uint8_t { fine, refused };

} // namespace ipc
