// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace ipc {

/// The two families of the same three kinds of objects: mq_overview(7), shm_overview(7),
/// sem_overview(7), and sysvipc(7).
enum class Family : std::uint8_t { posix, system_v };

/// Which object that is there already will do for one that is to be created: where all may make
/// some, none but our own and the superuser's; any; none.
enum class Existing : std::uint8_t { ours, any, refused };

} // namespace ipc
