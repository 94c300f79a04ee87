// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace ipc {

/// The two families of the same three kinds of objects: mq_overview(7), shm_overview(7),
/// sem_overview(7), and sysvipc(7).
enum class Family : std::uint8_t { posix, system_v };

/// Which existing object will do where one was to be created: our own or the superuser's, where
/// anybody may create some; any; none.
enum class Existing : std::uint8_t { ours, any, refused };

} // namespace ipc
