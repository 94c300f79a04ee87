// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "process/scan.hpp"

namespace ipc {

/// Adds the threads of a process that are blocked in msgsnd(2), msgrcv(2), semop(2) or
/// semtimedop(2): proc(5), /proc/PID/task/TID/syscall. `directory` is /proc/PID, open. Returns
/// whether every thread could be examined; on other machines than x86 one of another word size than
/// ours cannot, its calls have other numbers. Throws Error for want of descriptors or memory.
bool read_calls(pid_t pid, int directory, std::vector<BlockedCall>& calls);

} // namespace ipc
