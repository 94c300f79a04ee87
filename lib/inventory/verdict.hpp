// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <vector>

#include "inventory/object.hpp"
#include "inventory/open_object.hpp"
#include "process/recorded_user.hpp"
#include "process/scan.hpp"

namespace ipc {

/// Adds to what a scan has to look for what is needed to judge these objects: ScanRequest::files of
/// POSIX objects; mappings only where an attach or a POSIX object may be explained by them.
void request_verdict(const std::vector<Object>& objects, ScanRequest& request);

/// open_object() in the place of that index: only to be asked take_lease().
using OpenObject = std::function<OpenedObject(std::size_t, const Object&)>;

/// Gives queues, semaphores and shared memory of each place their users and state by proof:
/// ipcstat(1), STATES. Nothing is unused that only could not be seen to be used. What is malformed
/// or marked already stays so. A POSIX object of which no user was seen is asked for a lease, where
/// that may be had; nothing else proves that it is unused. Throws Error for want of descriptors or
/// memory.
void judge(std::vector<std::vector<Object>>& places, const ProcessScan& scan,
           RecordedUsers& recorded, const OpenObject& open);

} // namespace ipc
