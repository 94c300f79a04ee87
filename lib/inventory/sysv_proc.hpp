// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace ipc {

/// A line of /proc/sysvipc/msg, sem or shm without its words: proc(5). What it lacks is 0. All
/// three begin with the key, the identifier and the permissions.
using SysvColumns = std::array<std::int64_t, 16>;

/// Calls `visit` with each object that such a file lists, of the IPC namespace that we are in.
/// Returns 0, or the errno value where it cannot be read.
int read_sysv_proc(const char* path, const std::function<void(const SysvColumns&)>& visit);

} // namespace ipc
