// SPDX-License-Identifier: MIT
#include "inventory/verdict.hpp"

#include <algorithm>
#include <compare>
#include <cstdint>
#include <linux/capability.h>
#include <map>
#include <sys/stat.h>
#include <tuple>
#include <unistd.h>

#include "base/capability.hpp"
#include "base/signals.hpp"
#include "inventory/lease.hpp"

namespace ipc {

namespace {

bool is_judged(const Object& object) noexcept { return kept_kinds.has(object.kind); }

std::uint64_t own_namespace() noexcept {
    struct stat status = {};
    return stat("/proc/self/ns/ipc", &status) == 0 ? status.st_ino : 0;
}

pid_t pid_of(const Object& object, Figure figure) noexcept {
    return static_cast<pid_t>(object.figures.get_or(figure, 0));
}

struct UsedFile {
    FileId file;
    Use use;
    const Sharers* sharers = nullptr; ///< of that process

    bool operator==(const UsedFile&) const = default;
    bool operator<(const UsedFile& other) const noexcept {
        return std::tie(file, use.pid, use.role, sharers) <
               std::tie(other.file, other.use.pid, other.use.role, other.sharers);
    }
};

/// A System V object, and the IPC namespace that it is in: an inode; 0: unknown. The same
/// identifiers are given in each.
struct SystemVId {
    ObjectKind kind;
    std::int64_t id;
    std::uint64_t ipc_namespace;

    auto operator<=>(const SystemVId&) const = default;
};

class Judge {
  public:
    Judge(const ProcessScan& scan, RecordedUsers& recorded, const OpenObject& open);

    void judge(std::size_t place, Object& object) const;

  private:
    void judge_posix(std::size_t place, Object& object) const;
    State state_by_lease(std::size_t place, const Object& object) const;
    void judge_segment(Object& object) const;
    void judge_by_calls(Object& object) const;

    std::uint64_t namespace_of(pid_t pid) const noexcept;
    /// That of a process and all that share its memory; 0 if they are in several.
    std::uint64_t namespace_of_sharers(pid_t pid) const;
    std::uint64_t namespace_of(const Object& object) const noexcept {
        return static_cast<std::uint64_t>(
            object.figures.get_or(Figure::ns, static_cast<std::int64_t>(own_namespace_)));
    }
    /// Calls `function` with each process that may have been seen in it.
    template <class Function> void for_each_seen(const Object& object, Function function) const;
    /// Who is in a namespace, may use System V objects of it, and so may those of whom that is not
    /// known.
    static bool may_be_in(std::uint64_t its, std::uint64_t ipc_namespace) noexcept {
        return its == 0 || ipc_namespace == 0 || its == ipc_namespace;
    }

    const ProcessScan& scan_;
    RecordedUsers& recorded_;
    const OpenObject& open_;
    uid_t self_ = geteuid();
    bool may_lease_ = has_capability(CAP_LEASE);
    std::uint64_t own_namespace_ = own_namespace();
    std::vector<UsedFile> files_;          ///< sorted, each once
    std::multimap<SystemVId, pid_t> seen_; ///< attached to it, or blocked in it
    bool saw_calls_ = false;               ///< of all threads, whatever namespaces these are in
};

Judge::Judge(const ProcessScan& scan, RecordedUsers& recorded, const OpenObject& open)
    : scan_(scan), recorded_(recorded), open_(open) {
    for (const Descriptor& descriptor : scan.descriptors)
        files_.push_back({.file = descriptor.file,
                          .use = {.pid = descriptor.pid, .role = descriptor.role},
                          .sharers = &scan.table_sharers});
    std::pair<pid_t, std::uint64_t> last; // they come by pid
    for (const Mapping& mapping : scan.mappings) {
        if (!mapping.is_system_v) {
            files_.push_back({.file = mapping.file,
                              .use = {.pid = mapping.pid, .role = Role::opens},
                              .sharers = &scan.memory_sharers});
            continue;
        }
        if (last.first != mapping.pid)
            last = {mapping.pid, namespace_of_sharers(mapping.pid)};
        const auto id = static_cast<std::int64_t>(mapping.file.inode);
        seen_.insert({{ObjectKind::shm, id, last.second}, mapping.pid});
    }
    // A file may have many names, and processes many descriptors of it.
    std::sort(files_.begin(), files_.end());
    files_.erase(std::unique(files_.begin(), files_.end()), files_.end());
    for (const BlockedCall& call : scan.calls)
        seen_.insert({{call.kind, call.id, call.ipc_namespace}, call.pid});
    saw_calls_ = scan.saw_calls();
}

void Judge::judge(std::size_t place, Object& object) const {
    if (!object.is_system_v())
        judge_posix(place, object);
    else if (object.kind == ObjectKind::shm)
        judge_segment(object);
    else
        judge_by_calls(object);
    std::sort(object.users.begin(), object.users.end(), [](const Use& a, const Use& b) {
        return a.pid != b.pid ? a.pid < b.pid : a.role < b.role;
    });
    object.users.erase(std::unique(object.users.begin(), object.users.end()), object.users.end());
}

void Judge::judge_posix(std::size_t place, Object& object) const {
    if (object.file)
        for (auto at = std::lower_bound(files_.begin(), files_.end(),
                                        UsedFile{.file = *object.file, .use = {}});
             at != files_.end() && at->file == *object.file; ++at)
            at->sharers->for_each(at->use.pid, [&](pid_t pid) {
                object.users.push_back(
                    {.pid = pid,
                     // Memory that is mapped outlives the descriptor that it was mapped by.
                     .role = object.kind == ObjectKind::mq ? at->use.role : Role::opens});
            });
    if (object.state != State::none)
        return;
    if (!object.users.empty()) {
        object.state = State::in_use;
        return;
    }
    object.state = State::unknown;
    if (object.file && (may_lease_ || (object.has_owner && object.owner == self_)))
        object.state = state_by_lease(place, object);
}

/// Also where every process was examined it takes this proof: descriptors may be on their way
/// through a socket, in an io_uring, or those of a single thread.
State Judge::state_by_lease(std::size_t place, const Object& object) const {
    const OpenedObject opened = open_(place, object);
    if (opened.is_leased)
        return State::in_use;
    switch (opened.fd.is_open() ? take_lease(opened.fd.get()) : Lease::refused) {
    case Lease::granted:
        release_lease(opened.fd.get());
        return State::unused;
    case Lease::in_use:
        return State::in_use;
    default:
        return State::unknown;
    }
}

void Judge::judge_segment(Object& object) const {
    const std::uint64_t place = namespace_of(object);
    for_each_seen(object, [&](pid_t attached) {
        scan_.memory_sharers.for_each(attached, [&](pid_t pid) {
            if (may_be_in(namespace_of(pid), place))
                object.users.push_back({.pid = pid, .role = Role::opens});
        });
    });
    if (object.state != State::none)
        return;
    const auto attached = object.figures.get(Figure::nattch);
    if (!attached || *attached > 0) {
        object.state = attached ? State::in_use : State::unknown;
        return;
    }
    object.users.clear(); // detached meanwhile
    const std::int64_t last_use = std::max(object.figures.get_or(Figure::attach, 0),
                                           object.figures.get_or(Figure::detach, 0));
    const bool is_creator_gone =
        recorded_.find(pid_of(object, Figure::cpid), object.figures.get_or(Figure::ctime, 0)) ==
        Recorded::gone;
    const pid_t last = pid_of(object, Figure::lastpid);
    const bool is_last_gone =
        last == 0 ? last_use == 0 : recorded_.find(last, last_use) == Recorded::gone;
    object.state = is_creator_gone && is_last_gone ? State::orphan : State::unused;
}

void Judge::judge_by_calls(Object& object) const {
    const bool is_queue = object.kind == ObjectKind::mq;
    for_each_seen(object,
                  [&](pid_t pid) { object.users.push_back({.pid = pid, .role = Role::waits}); });
    bool is_doubtful = false;
    const auto add_recorded = [&](Figure who, Figure when) {
        const std::int64_t used = object.figures.get_or(when, 0);
        const pid_t pid = pid_of(object, who);
        if (used == 0 && pid == 0)
            return;
        const Recorded user = recorded_.find(pid, used);
        if (user == Recorded::alive)
            object.users.push_back({.pid = pid, .role = Role::last});
        is_doubtful = is_doubtful || user == Recorded::unknown;
    };
    if (is_queue) {
        add_recorded(Figure::sender, Figure::send);
        add_recorded(Figure::receiver, Figure::recv);
    } else {
        add_recorded(Figure::lastpid, Figure::operation);
    }
    if (object.state != State::none)
        return;
    const auto waiters = object.figures.get(Figure::waiters);
    if (!object.users.empty() || waiters.value_or(0) > 0)
        object.state = State::in_use;
    else if (is_doubtful)
        object.state = State::unknown;
    else
        object.state = (!is_queue && waiters) || saw_calls_ ? State::idle : State::unknown;
}

template <class Function> void Judge::for_each_seen(const Object& object, Function function) const {
    const std::int64_t id = object.figures.get_or(Figure::id, -1);
    const std::uint64_t place = namespace_of(object);
    const auto call_for = [&](std::uint64_t first, std::uint64_t last) {
        const auto end = seen_.upper_bound({object.kind, id, last});
        for (auto at = seen_.lower_bound({object.kind, id, first}); at != end; ++at)
            function(at->second);
    };
    if (place == 0)
        return call_for(0, UINT64_MAX);
    call_for(0, 0);
    call_for(place, place);
}

std::uint64_t Judge::namespace_of_sharers(pid_t pid) const {
    const std::uint64_t its = namespace_of(pid);
    bool is_one = true;
    scan_.memory_sharers.for_each(
        pid, [&](pid_t sharer) { is_one = is_one && namespace_of(sharer) == its; });
    return is_one ? its : 0;
}

std::uint64_t Judge::namespace_of(pid_t pid) const noexcept {
    const auto process =
        std::lower_bound(scan_.processes.begin(), scan_.processes.end(), pid,
                         [](const Process& item, pid_t wanted) { return item.pid < wanted; });
    return process != scan_.processes.end() && process->pid == pid ? process->ipc_namespace : 0;
}

} // namespace

void request_verdict(const std::vector<Object>& objects, ScanRequest& request) {
    for (const Object& object : objects) {
        if (!is_judged(object))
            continue;
        if (!object.is_system_v()) {
            if (object.file)
                request.files.push_back(*object.file);
            // A queue cannot be mapped.
            request.mappings = request.mappings || object.kind != ObjectKind::mq;
        } else if (object.kind == ObjectKind::shm) {
            request.system_v_mappings =
                request.system_v_mappings || object.figures.get_or(Figure::nattch, 1) > 0;
        } else {
            request.system_v_calls = true;
        }
    }
}

void judge(std::vector<std::vector<Object>>& places, const ProcessScan& scan,
           RecordedUsers& recorded, const OpenObject& open) {
    const Judge judge(scan, recorded, open);
    for (std::size_t place = 0; place < places.size(); ++place)
        for (Object& object : places[place]) {
            signals::check();
            if (is_judged(object))
                judge.judge(place, object);
        }
}

} // namespace ipc
