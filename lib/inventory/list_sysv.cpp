// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cerrno>
#include <iterator>
#include <memory>
#include <string>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "inventory/list.hpp"
#include "inventory/sysv_proc.hpp"
#include "object/name.hpp"
#include "object/system_v.hpp"
#include "semaphore/sysv.hpp"

namespace ipc {

namespace {

/// How many objects there are, and the index of the last: MSG_INFO of msgctl(2) and its like.
struct Extent {
    int last = -1;
    int count = 0;
    int error = 0;
};

/// Columns that all files in /proc/sysvipc have in common; those of the owner begin elsewhere.
ipc_perm permissions_of(const SysvColumns& columns, std::size_t owner) noexcept {
    ipc_perm permissions{};
    permissions.__key = static_cast<key_t>(columns[0]);
    permissions.mode = static_cast<unsigned short>(columns[2]);
    permissions.uid = static_cast<uid_t>(columns[owner]);
    permissions.gid = static_cast<gid_t>(columns[owner + 1]);
    permissions.cuid = static_cast<uid_t>(columns[owner + 2]);
    permissions.cgid = static_cast<gid_t>(columns[owner + 3]);
    return permissions;
}

int id_of(const SysvColumns& columns) noexcept { return static_cast<int>(columns[1]); }

/// How much, and what is known of processes already.
struct Wanted {
    Depth depth;
    RecordedUsers& recorded;
};

// Each of these says how one kind is listed and what is known of it.

struct Queues {
    using Status = msqid_ds;
    static constexpr ObjectKind kind = ObjectKind::mq;
    static constexpr const char* plural = "System V message queues";
    static constexpr const char* file = "/proc/sysvipc/msg";

    static Extent extent() noexcept {
        alignas(msqid_ds) msginfo info{};
        void* const as_the_call_wants_it = &info;
        const int last = msgctl(0, MSG_INFO, static_cast<msqid_ds*>(as_the_call_wants_it));
        return {.last = last, .count = info.msgpool, .error = last == -1 ? errno : 0};
    }
    static int stat_any(int index, Status& status) noexcept {
        constexpr int msg_stat_any = 13; // linux/msg.h
        return msgctl(index, msg_stat_any, &status);
    }
    static Status parse(const SysvColumns& columns) noexcept {
        Status status{};
        status.msg_perm = permissions_of(columns, 7);
        status.__msg_cbytes = static_cast<unsigned long>(columns[3]);
        status.msg_qnum = static_cast<msgqnum_t>(columns[4]);
        status.msg_lspid = static_cast<pid_t>(columns[5]);
        status.msg_lrpid = static_cast<pid_t>(columns[6]);
        status.msg_stime = columns[11];
        status.msg_rtime = columns[12];
        status.msg_ctime = columns[13];
        return status;
    }
    static const ipc_perm& permissions(const Status& status) noexcept { return status.msg_perm; }
    static void describe(const Status& status, int, const Wanted&, Object& object) noexcept;
};

struct Sets {
    using Status = semid_ds;
    static constexpr ObjectKind kind = ObjectKind::sem;
    static constexpr const char* plural = "System V semaphores";
    static constexpr const char* file = "/proc/sysvipc/sem";

    static Extent extent() noexcept {
        seminfo info{};
        const int last = semctl(0, 0, SEM_INFO, SemctlArgument{.info = &info});
        return {.last = last, .count = info.semusz, .error = last == -1 ? errno : 0};
    }
    static int stat_any(int index, Status& status) noexcept {
        constexpr int sem_stat_any = 20; // linux/sem.h
        return semctl(index, 0, sem_stat_any, SemctlArgument{.status = &status});
    }
    static Status parse(const SysvColumns& columns) noexcept {
        Status status{};
        status.sem_perm = permissions_of(columns, 4);
        status.sem_nsems = static_cast<unsigned long>(columns[3]);
        status.sem_otime = columns[8];
        status.sem_ctime = columns[9];
        return status;
    }
    static const ipc_perm& permissions(const Status& status) noexcept { return status.sem_perm; }
    static void describe(const Status& status, int id, const Wanted& wanted, Object& object);
};

struct Segments {
    using Status = shmid_ds;
    static constexpr ObjectKind kind = ObjectKind::shm;
    static constexpr const char* plural = "System V shared memory";
    static constexpr const char* file = "/proc/sysvipc/shm";

    static Extent extent() noexcept {
        alignas(shmid_ds) shm_info info{};
        void* const as_the_call_wants_it = &info;
        const int last = shmctl(0, SHM_INFO, static_cast<shmid_ds*>(as_the_call_wants_it));
        return {.last = last, .count = info.used_ids, .error = last == -1 ? errno : 0};
    }
    static int stat_any(int index, Status& status) noexcept {
        constexpr int shm_stat_any = 15; // linux/shm.h
        return shmctl(index, shm_stat_any, &status);
    }
    static Status parse(const SysvColumns& columns) noexcept {
        Status status{};
        status.shm_perm = permissions_of(columns, 7);
        status.shm_segsz = static_cast<std::size_t>(columns[3]);
        status.shm_cpid = static_cast<pid_t>(columns[4]);
        status.shm_lpid = static_cast<pid_t>(columns[5]);
        status.shm_nattch = static_cast<shmatt_t>(columns[6]);
        status.shm_atime = columns[11];
        status.shm_dtime = columns[12];
        status.shm_ctime = columns[13];
        return status;
    }
    static const ipc_perm& permissions(const Status& status) noexcept { return status.shm_perm; }
    static void describe(const Status& status, int, const Wanted&, Object& object) noexcept;
};

void set(Object& object, Figure figure, std::uint64_t value) noexcept {
    object.figures.set(figure, static_cast<std::int64_t>(value));
}

void Queues::describe(const Status& status, int, const Wanted&, Object& object) noexcept {
    Figures& figures = object.figures;
    set(object, Figure::used, status.__msg_cbytes);
    set(object, Figure::msgs, status.msg_qnum);
    if (status.msg_qbytes != 0) // not in /proc
        set(object, Figure::limit, status.msg_qbytes);
    figures.set(Figure::send, status.msg_stime);
    figures.set(Figure::recv, status.msg_rtime);
    figures.set(Figure::ctime, status.msg_ctime);
    figures.set(Figure::sender, status.msg_lspid);
    figures.set(Figure::receiver, status.msg_lrpid);
    const bool received_last = status.msg_rtime > status.msg_stime ||
                               (status.msg_rtime == status.msg_stime && status.msg_lspid == 0);
    figures.set(Figure::lastpid, received_last ? status.msg_lrpid : status.msg_lspid);
}

void Segments::describe(const Status& status, int, const Wanted&, Object& object) noexcept {
    Figures& figures = object.figures;
    set(object, Figure::used, status.shm_segsz);
    set(object, Figure::size, status.shm_segsz);
    set(object, Figure::nattch, status.shm_nattch);
    figures.set(Figure::attach, status.shm_atime);
    figures.set(Figure::detach, status.shm_dtime);
    figures.set(Figure::ctime, status.shm_ctime);
    figures.set(Figure::cpid, status.shm_cpid);
    figures.set(Figure::lastpid, status.shm_lpid);
    if ((status.shm_perm.mode & SHM_DEST) != 0)
        object.state = State::marked;
}

/// What only calls for each member tell, three of them. Sets of more members than most programs
/// use do without, for a sum over some of them would mislead, and one set may have 32,000.
void ask_members(int id, std::int64_t used_last, std::size_t members, RecordedUsers& recorded,
                 Figures& figures) {
    constexpr std::size_t most = 256;
    if (members > most)
        return;
    std::int64_t waiters = 0;
    std::int64_t last = 0;
    bool last_may_live = false;
    for (int member = 0; member < static_cast<int>(members); ++member) {
        const int waiting = semctl(id, member, GETNCNT);
        const int waiting_for_zero = waiting == -1 ? -1 : semctl(id, member, GETZCNT);
        const pid_t pid = waiting_for_zero == -1 ? -1 : semctl(id, member, GETPID);
        if (pid == -1) // not permitted, or removed meanwhile
            return;
        waiters += waiting;
        waiters += waiting_for_zero;
        // Nothing tells which of them was the very last: one that may live counts more.
        if (pid != 0 && pid != last && !last_may_live) {
            last = pid;
            last_may_live = members > 1 && recorded.find(pid, used_last) != Recorded::gone;
        }
    }
    figures.set(Figure::waiters, waiters);
    figures.set(Figure::lastpid, last);
}

void Sets::describe(const Status& status, int id, const Wanted& wanted, Object& object) {
    Figures& figures = object.figures;
    set(object, Figure::nsems, status.sem_nsems);
    figures.set(Figure::operation, status.sem_otime);
    figures.set(Figure::ctime, status.sem_ctime);
    if (wanted.depth != Depth::members)
        return;
    if (status.sem_nsems == 1)
        if (const int value = semctl(id, 0, GETVAL); value != -1)
            figures.set(Figure::value, value);
    ask_members(id, std::max(status.sem_otime, status.sem_ctime), status.sem_nsems, wanted.recorded,
                figures);
}

template <class Kind>
void add(const typename Kind::Status& status, int id, const Wanted& wanted,
         std::vector<Object>& objects) {
    const ipc_perm& permissions = Kind::permissions(status);
    constexpr mode_t all_permissions = 0777;
    Object& object = objects.emplace_back();
    object.kind = Kind::kind;
    object.family = Family::system_v;
    object.owner = permissions.uid;
    object.group = permissions.gid;
    object.perms = permissions.mode & all_permissions;
    object.figures.set(Figure::key, permissions.__key);
    object.figures.set(Figure::id, id);
    object.figures.set(Figure::creator, permissions.cuid);
    Kind::describe(status, id, wanted, object);
    object.name = permissions.__key == IPC_PRIVATE ? text("id:", id) : key_name(permissions.__key);
}

/// Returns 0, or the errno value if the kernel does not tell all this way. EINVAL also means that
/// nothing has an index, so that a kernel without the command (before Linux 4.17) is told by that
/// none has one.
template <class Kind>
int list_by_index(const Extent& extent, const Wanted& wanted, std::vector<Object>& objects) {
    int found = 0;
    int refused = extent.error;
    for (int index = 0; index <= extent.last; ++index) {
        signals::check();
        typename Kind::Status status;
        const int id = Kind::stat_any(index, status);
        if (id >= 0) {
            add<Kind>(status, id, wanted, objects);
            ++found;
        } else if (!is_gone(errno)) {
            refused = errno;
        }
    }
    return found == 0 && extent.count > 0 && refused == 0 ? ENOSYS : refused;
}

template <class Kind>
void list(const Extent& extent, const Wanted& wanted, std::vector<Object>& objects,
          std::vector<Trouble>& troubles) {
    std::vector<Object> others;
    const std::size_t before = objects.size();
    if (list_by_index<Kind>(extent, wanted, objects) == 0)
        return;
    const int error = read_sysv_proc(Kind::file, [&](const SysvColumns& columns) {
        add<Kind>(Kind::parse(columns), id_of(columns), wanted, others);
    });
    if (error != 0) {
        const Error trouble(Kind::plural, "cannot list", error, explain_error(error));
        troubles.push_back({.kinds = {Kind::kind}, .line = trouble.what()});
        return;
    }
    objects.resize(before);
    std::ranges::move(others, std::back_inserter(objects));
}

/// Room for that many more. The kernel gives many pages at once where there are many objects, for
/// to ask it for each costs more than a third of what all calls for them cost.
void reserve(std::vector<Object>& objects, std::size_t more) {
    constexpr std::size_t huge_page = std::size_t{1} << 21U;
    objects.reserve(objects.size() + more);
    void* begin = objects.data() + objects.size();
    std::size_t room = more * sizeof(Object);
    if (std::align(huge_page, huge_page, begin, room) != nullptr)
        madvise(begin, room / huge_page * huge_page, MADV_HUGEPAGE); // a hint, may be refused
}

} // namespace

void list_system_v(KindSet kinds, Depth depth, RecordedUsers& recorded,
                   std::vector<Object>& objects, std::vector<Trouble>& troubles) {
    const Wanted wanted = {.depth = depth, .recorded = recorded};
    const auto extent_if_wanted = [&](ObjectKind kind, auto extent) {
        return kinds.has(kind) ? extent() : Extent();
    };
    const Extent queues = extent_if_wanted(ObjectKind::mq, Queues::extent);
    const Extent sets = extent_if_wanted(ObjectKind::sem, Sets::extent);
    const Extent segments = extent_if_wanted(ObjectKind::shm, Segments::extent);
    const int count = queues.count + sets.count + segments.count;
    reserve(objects, static_cast<std::size_t>(std::max(count, 0)));
    if (kinds.has(ObjectKind::mq))
        list<Queues>(queues, wanted, objects, troubles);
    if (kinds.has(ObjectKind::sem))
        list<Sets>(sets, wanted, objects, troubles);
    if (kinds.has(ObjectKind::shm))
        list<Segments>(segments, wanted, objects, troubles);
}

} // namespace ipc
