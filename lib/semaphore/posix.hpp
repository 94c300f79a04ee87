// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <sys/stat.h>

#include "base/fd.hpp"
#include "semaphore/semaphore.hpp"

namespace ipc {

/// The POSIX family: sem_overview(7). In the C library a named semaphore is a file in /dev/shm
/// that holds a sem_t and nothing else. It is opened and examined here rather than by sem_open(3),
/// which would wait for a FIFO, and map whatever lies there.
std::unique_ptr<Semaphore> open_posix_semaphore(const Name& name);
CreatedSemaphore create_posix_semaphore(const Name& name, const SemaphoreSettings& settings,
                                        Existing existing);
bool remove_posix_semaphore(const Name& name);

/// A semaphore and its file at one moment.
struct PosixSemaphoreState {
    std::int64_t value = 0;
    std::int64_t waiters = 0;
    struct stat status {};
};

/// Read as a file, not mapped. Throws Error.
PosixSemaphoreState look_at_posix_semaphore(const Name& name);

/// The same of an open file; nothing if it is no semaphore, whatever its name says.
std::optional<PosixSemaphoreState> try_look_at_posix_semaphore(const UniqueFd& file) noexcept;

} // namespace ipc
