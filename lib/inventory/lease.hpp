// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace ipc {

/// Whether nobody but us has the file of a POSIX object open or mapped, in whatever namespace:
/// F_SETLEASE of fcntl(2), granted to its owner and with CAP_LEASE, and believed on tmpfs, ramfs
/// and mqueue alone. It knows nothing of descriptors opened with O_PATH, nor of bind mounts of the
/// file. Who opens it meanwhile waits, and we get a signal that is ignored by default. `fd` is the
/// only descriptor we have of it, open for reading or writing. The lease is held until the
/// descriptor is closed or release_lease() is called.
enum class Lease : std::uint8_t { granted, in_use, refused };
Lease take_lease(int fd) noexcept;
void release_lease(int fd) noexcept;

} // namespace ipc
