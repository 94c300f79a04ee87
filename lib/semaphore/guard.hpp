// SPDX-License-Identifier: MIT
#pragma once

#include "semaphore/semaphore.hpp"

namespace ipc {

/// Semaphore::take_for_life() where the kernel has no such thing: a process of its own, in a
/// session of its own and nobody's child, takes it and holds a pidfd on ours. It posts when our
/// process ends, whatever that has become by execve(2). Its take() is ended if we end before it is
/// done.
///
/// Nothing gives back what was taken when the guard itself is killed. `fd` is what the semaphore
/// needs; the guard keeps no other descriptor. Call before any thread is started. Throws Error.
Waited take_by_guard(Semaphore& semaphore, int fd, std::uint64_t count, Deadline deadline);

} // namespace ipc
