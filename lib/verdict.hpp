// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "inventory.hpp"
#include "process_scan.hpp"

namespace ipc {

/// Adds to what a scan has to look for what is needed to judge these objects: ScanRequest::files of
/// POSIX objects; mappings only where an attach or a POSIX object may be explained by them.
void request_verdict(const std::vector<Object>& objects, ScanRequest& request);

/// Gives queues, semaphores and shared memory their users and state by proof: ipcstat(1), STATES.
/// Nothing is unused that only could not be seen to be used.
void judge(std::vector<Object>& objects, const ProcessScan& scan);

/// Whether nobody but us has the file of a POSIX object open or mapped, in whatever namespace:
/// F_SETLEASE of fcntl(2), granted to its owner and with CAP_LEASE. `fd` is the only descriptor we
/// have of it, open for reading or writing. The lease is held until the descriptor is closed or
/// release_lease() is called.
enum class Lease : std::uint8_t { granted, in_use, refused };
Lease take_lease(int fd) noexcept;
void release_lease(int fd) noexcept;

} // namespace ipc
