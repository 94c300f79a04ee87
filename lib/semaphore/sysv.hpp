// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <sys/sem.h>
#include <vector>

#include "semaphore/semaphore.hpp"

namespace ipc {

/// The kernel's SEMVMX, which is built in: semop(2).
constexpr std::int64_t sysv_highest_value = 32767;

/// The System V family: svipc(7).
std::unique_ptr<Semaphore> open_sysv_semaphore(const Name& name, std::int64_t member);
std::int64_t sysv_semaphore_value(const Name& name, std::int64_t member);
Waited operate_sysv(const Name& name, std::span<const Operation> operations, Deadline deadline);
CreatedSemaphore create_sysv_semaphore(const Name& name, const SemaphoreSettings& settings,
                                       Existing existing);
bool remove_sysv_semaphore(const Name& name);

/// What the kernel tells of each member of a set.
struct SysvMember {
    std::int64_t value;
    std::int64_t waiters;      ///< processes that wait until it is larger
    std::int64_t zero_waiters; ///< and until it is zero
    std::int64_t last_pid;     ///< the process that changed it last
};

struct SysvSetState {
    int id = -1;
    semid_ds status{};
    std::vector<SysvMember> members; ///< empty where they may not be read
};

/// With all of its members, or this one. Throws Error.
SysvSetState look_at_sysv_set(const Name& name, std::optional<std::int64_t> member);

/// Throws Error, naming SEMVMX, if a member cannot have the value.
void check_sysv_value(const Name& name, std::int64_t value, std::string_view action);

/// The argument of semctl(2), which programs define themselves.
union SemctlArgument {
    int value;
    semid_ds* status;
    unsigned short* values;
    seminfo* info;
};

} // namespace ipc
