// SPDX-License-Identifier: MIT
#include "inventory/system_v_limits.hpp"

#include <cerrno>
#include <string_view>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "base/error.hpp"

namespace ipc {

namespace {

using Count = std::optional<std::uint64_t>;

constexpr Count to_count(int value) noexcept {
    return value < 0 ? std::nullopt : Count(static_cast<std::uint64_t>(value));
}

void add_trouble(KindSet kinds, std::string_view what, std::vector<Trouble>& troubles) {
    troubles.push_back({kinds, Error(what, "cannot read the limits", errno).what()});
}

/// The calls take a pointer to one structure for several.
template <class Expected> Expected* as(void* structure) noexcept {
    return static_cast<Expected*>(structure);
}

union semun {
    int val;
    semid_ds* buf;
    unsigned short* array;
    seminfo* info;
};

void add_system_v_queues(const LargestSystemV& largest, std::vector<LimitUse>& to,
                         std::vector<Trouble>& troubles) {
    msginfo info{};
    // MSG_INFO has the limits of IPC_INFO, and the number of queues instead of an old one.
    if (msgctl(0, MSG_INFO, as<msqid_ds>(&info)) < 0)
        return add_trouble({ObjectKind::mq}, "System V message queues", troubles);
    to.push_back({.name = "kernel.msgmni",
                  .description = "System V queues",
                  .unit = "objects",
                  .used = to_count(info.msgpool),
                  .limit = to_count(info.msgmni)});
    to.push_back({.name = "kernel.msgmnb",
                  .description = "bytes in a System V queue, unless it was changed; the fullest",
                  .unit = "bytes",
                  .used = largest.queue,
                  .limit = to_count(info.msgmnb)});
    to.push_back({.name = "kernel.msgmax",
                  .description = "bytes of a System V message",
                  .unit = "bytes",
                  .limit = to_count(info.msgmax)});
}

void add_system_v_semaphores(const LargestSystemV& largest, std::vector<LimitUse>& to,
                             std::vector<Trouble>& troubles) {
    seminfo info{};
    semun argument{};
    argument.info = &info;
    // SEM_INFO has the limits of IPC_INFO, and the numbers of sets and of semaphores.
    if (semctl(0, 0, SEM_INFO, argument) < 0)
        return add_trouble({ObjectKind::sem}, "System V semaphores", troubles);
    to.push_back({.name = "SEMMNI",
                  .description = "System V sets of semaphores (kernel.sem)",
                  .unit = "objects",
                  .used = to_count(info.semusz),
                  .limit = to_count(info.semmni)});
    to.push_back({.name = "SEMMNS",
                  .description = "System V semaphores in all sets (kernel.sem)",
                  .unit = "semaphores",
                  .used = to_count(info.semaem),
                  .limit = to_count(info.semmns)});
    to.push_back({.name = "SEMMSL",
                  .description = "System V semaphores in a set (kernel.sem); the largest",
                  .unit = "semaphores",
                  .used = largest.set,
                  .limit = to_count(info.semmsl)});
    to.push_back({.name = "SEMOPM",
                  .description = "operations in a semop(2) (kernel.sem)",
                  .unit = "operations",
                  .limit = to_count(info.semopm)});
}

void add_system_v_memory(const LargestSystemV& largest, std::vector<LimitUse>& to,
                         std::vector<Trouble>& troubles) {
    shminfo limits{};
    shm_info used{};
    if (shmctl(0, IPC_INFO, as<shmid_ds>(&limits)) < 0 ||
        shmctl(0, SHM_INFO, as<shmid_ds>(&used)) < 0)
        return add_trouble({ObjectKind::shm}, "System V shared memory", troubles);
    to.push_back({.name = "kernel.shmmni",
                  .description = "System V segments",
                  .unit = "objects",
                  .used = to_count(used.used_ids),
                  .limit = limits.shmmni});
    to.push_back({.name = "kernel.shmall",
                  .description = "pages of all System V segments",
                  .unit = "pages",
                  .used = used.shm_tot,
                  .limit = limits.shmall});
    to.push_back({.name = "kernel.shmmax",
                  .description = "bytes of a System V segment; the largest",
                  .unit = "bytes",
                  .used = largest.segment,
                  .limit = limits.shmmax});
}

} // namespace

void add_system_v_limits(const LargestSystemV& largest, std::vector<LimitUse>& limits,
                         std::vector<Trouble>& troubles) {
    add_system_v_queues(largest, limits, troubles);
    add_system_v_semaphores(largest, limits, troubles);
    add_system_v_memory(largest, limits, troubles);
}

} // namespace ipc
