// SPDX-License-Identifier: MIT
#include "inventory/sysv_removal.hpp"

#include <cerrno>
#include <cstring>
#include <optional>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "base/signals.hpp"
#include "base/text.hpp"
#include "object/system_v.hpp"
#include "semaphore/sysv.hpp"

namespace ipc {

namespace {

constexpr const char* is_gone_now = "it is not there any more";
constexpr const char* has_changed = "it has changed since it was looked at";

int id_of(const Object& object) noexcept {
    return static_cast<int>(object.figures.get_or(Figure::id, -1));
}

/// Whether a figure is what it was. What was not listed cannot differ.
template <class Value> bool same(const Object& listed, Figure figure, Value value) noexcept {
    return listed.figures.get_or(figure, static_cast<std::int64_t>(value)) ==
           static_cast<std::int64_t>(value);
}

bool is_same_object(const Object& listed, const ipc_perm& now) noexcept {
    constexpr unsigned all_permissions = 0777;
    return same(listed, Figure::key, now.__key) && same(listed, Figure::creator, now.cuid) &&
           listed.owner == now.uid && listed.group == now.gid &&
           listed.perms == (now.mode & all_permissions);
}

/// `stat(id)` needs permission to read, `stat_any(index)` none.
template <class Stat, class StatAny> int try_status(int id, Stat stat, StatAny stat_any) noexcept {
    if (stat(id) == 0)
        return 0;
    const int error = errno;
    return error == EACCES && try_stat_any(id, stat_any) ? 0 : error;
}

/// What is said where the status cannot be had.
std::string explain(int error) {
    return is_gone(error) ? is_gone_now : text("cannot be examined: ", std::strerror(error));
}

std::string examine_queue(const Object& listed) {
    constexpr int msg_stat_any = 13; // linux/msg.h
    msqid_ds now{};
    const int error = try_status(
        id_of(listed), [&](int id) { return msgctl(id, IPC_STAT, &now); },
        [&](int index) { return msgctl(index, msg_stat_any, &now); });
    if (error != 0)
        return explain(error);
    const bool is_same =
        is_same_object(listed, now.msg_perm) && same(listed, Figure::ctime, now.msg_ctime) &&
        same(listed, Figure::send, now.msg_stime) && same(listed, Figure::recv, now.msg_rtime) &&
        same(listed, Figure::sender, now.msg_lspid) &&
        same(listed, Figure::receiver, now.msg_lrpid) && same(listed, Figure::msgs, now.msg_qnum);
    return is_same ? std::string() : has_changed;
}

/// Processes that wait for a member change nothing else. -1: not permitted, or gone.
int count_waiters(int id, std::size_t members) {
    int waiters = 0;
    for (int member = 0; member < static_cast<int>(members) && waiters == 0; ++member) {
        signals::check();
        for (const int command : {GETNCNT, GETZCNT}) {
            const int waiting = semctl(id, member, command);
            if (waiting == -1)
                return -1;
            waiters += waiting;
        }
    }
    return waiters;
}

std::string examine_set(const Object& listed) {
    constexpr int sem_stat_any = 20; // linux/sem.h
    const int set = id_of(listed);
    semid_ds now{};
    const SemctlArgument status = {.status = &now};
    const int error = try_status(
        set, [&](int id) { return semctl(id, 0, IPC_STAT, status); },
        [&](int index) { return semctl(index, 0, sem_stat_any, status); });
    if (error != 0)
        return explain(error);
    if (!is_same_object(listed, now.sem_perm) || !same(listed, Figure::ctime, now.sem_ctime) ||
        !same(listed, Figure::operation, now.sem_otime) ||
        !same(listed, Figure::nsems, now.sem_nsems))
        return has_changed;
    return count_waiters(set, now.sem_nsems) > 0 ? "a process waits for it now" : "";
}

std::string examine_segment(const Object& listed) {
    constexpr int shm_stat_any = 15; // linux/shm.h
    shmid_ds now{};
    const int error = try_status(
        id_of(listed), [&](int id) { return shmctl(id, IPC_STAT, &now); },
        [&](int index) { return shmctl(index, shm_stat_any, &now); });
    if (error != 0)
        return explain(error);
    if (now.shm_nattch != 0)
        return "a process has attached it now";
    const bool is_same =
        is_same_object(listed, now.shm_perm) && same(listed, Figure::ctime, now.shm_ctime) &&
        same(listed, Figure::attach, now.shm_atime) &&
        same(listed, Figure::detach, now.shm_dtime) && same(listed, Figure::cpid, now.shm_cpid) &&
        same(listed, Figure::lastpid, now.shm_lpid) && same(listed, Figure::size, now.shm_segsz);
    return is_same ? std::string() : has_changed;
}

} // namespace

std::string why_not_the_same(const Object& listed) {
    switch (listed.kind) {
    case ObjectKind::mq:
        return examine_queue(listed);
    case ObjectKind::sem:
        return examine_set(listed);
    default:
        return examine_segment(listed);
    }
}

int try_remove_by_id(const Object& object) noexcept {
    const int id = id_of(object);
    const auto result = object.kind == ObjectKind::mq    ? msgctl(id, IPC_RMID, nullptr)
                        : object.kind == ObjectKind::sem ? semctl(id, 0, IPC_RMID)
                                                         : shmctl(id, IPC_RMID, nullptr);
    return result == 0 ? 0 : errno;
}

} // namespace ipc
