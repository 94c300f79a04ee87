// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <vector>

#include "inventory/object.hpp"
#include "inventory/open_object.hpp"
#include "process/scan.hpp"

namespace ipc {

/// Adds to what a scan has to look for what is needed to judge these objects: ScanRequest::files of
/// POSIX objects; mappings only where an attach or a POSIX object may be explained by them.
void request_verdict(const std::vector<Object>& objects, ScanRequest& request);

/// open_object() in the place of the object: only to be asked take_lease().
using OpenObject = std::function<OpenedObject(const Object&)>;

/// Gives queues, semaphores and shared memory their users and state by proof: ipcstat(1), STATES.
/// Nothing is unused that only could not be seen to be used.
/// What is malformed or marked already stays so. A POSIX object of which no user was seen is asked
/// for a lease, where that may be had; nothing else proves that it is unused. Throws Error for want
/// of descriptors or memory.
void judge(std::vector<Object>& objects, const ProcessScan& scan, const OpenObject& open);

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
