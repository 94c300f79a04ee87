// SPDX-License-Identifier: MIT
#include "inventory/list.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <map>
#include <tuple>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "inventory/describe.hpp"
#include "inventory/file_locks.hpp"
#include "inventory/foreign_fd.hpp"

namespace ipc {

namespace {

/// Locks that cannot be told apart, and all who wait for one of them.
struct Held {
    FileLock lock;
    std::vector<Use> users;
    std::int64_t waiters = 0;
    const Descriptor* descriptor = nullptr; ///< one of the file
};

/// Those of /proc/locks.
std::vector<Held> gather(const std::vector<FileLock>& locks) {
    std::vector<Held> all;
    std::map<std::tuple<FileId, pid_t, std::string, std::string>, std::size_t> known;
    std::size_t current = 0;
    for (const FileLock& lock : locks) {
        if (!lock.is_waiting) {
            const auto [place, is_new] =
                known.try_emplace({lock.file, lock.pid, lock.type, lock.region}, all.size());
            current = place->second;
            if (is_new)
                all.push_back({.lock = lock, .users = {}});
            else
                all[current].lock.number = lock.number; // for those who wait
        } else if (current < all.size() && all[current].lock.number == lock.number) {
            ++all[current].waiters;
            if (lock.pid > 0)
                all[current].users.push_back({.pid = lock.pid, .role = Role::waits});
        }
    }
    return all;
}

bool exists(pid_t pid) noexcept { return kill(pid, 0) == 0 || errno == EPERM; }

/// Adds who has the descriptor of a lock.
void find_holders(const ProcessScan& scan, std::vector<Held>& all) {
    std::vector<Held*> by_file;
    by_file.reserve(all.size());
    for (Held& held : all)
        by_file.push_back(&held);
    const auto before = [](const Held* a, const Held* b) { return a->lock.file < b->lock.file; };
    // Many may be of one file, and those of each descriptor are to be found among them.
    const auto key = [](const FileLock& lock) {
        return std::tie(lock.file, lock.pid, lock.type, lock.region);
    };
    std::sort(by_file.begin(), by_file.end(),
              [&](const Held* a, const Held* b) { return key(a->lock) < key(b->lock); });
    for (const Descriptor& descriptor : scan.descriptors) {
        Held wanted;
        wanted.lock.file = descriptor.file;
        const auto [begin, end] = std::equal_range(by_file.begin(), by_file.end(), &wanted, before);
        if (begin == end)
            continue;
        const auto found =
            parse_locks_of_descriptor(foreign_fd::info(descriptor.pid, descriptor.fd));
        const Use use = {.pid = descriptor.pid, .role = Role::holds};
        if ((*begin)->descriptor == nullptr)
            std::for_each(begin, end, [&](Held* held) { held->descriptor = &descriptor; });
        for (const FileLock& lock : found) {
            const auto held =
                std::lower_bound(begin, end, lock, [&](const Held* a, const FileLock& b) {
                    return key(a->lock) < key(b);
                });
            // Duplicates of a descriptor come one after the other.
            if (held != end && lock.is_like((*held)->lock) &&
                ((*held)->users.empty() || (*held)->users.back() != use))
                (*held)->users.push_back(use);
        }
    }
}

/// Who made it is who holds it, unless the descriptor went to others, and it has closed its own.
void add_maker(Held& held) {
    const bool is_known = std::any_of(held.users.begin(), held.users.end(),
                                      [](const Use& use) { return use.role == Role::holds; });
    if (held.lock.pid > 0 && !is_known && exists(held.lock.pid))
        held.users.push_back({.pid = held.lock.pid, .role = Role::holds});
}

Object describe(Held& held, const ProcessScan& scan) {
    const FileLock& lock = held.lock;
    Object object = used_object(ObjectKind::lock);
    set_file(object, lock.file);
    object.figures.set(Figure::waiters, held.waiters);
    object.details.emplace_back(Detail::type, lock.type);
    object.details.emplace_back(Detail::region, lock.region);
    if (const Descriptor* const descriptor = held.descriptor) {
        object.name = foreign_fd::link(descriptor->pid, descriptor->fd);
        const auto status = foreign_fd::try_stat(descriptor->pid, descriptor->fd, descriptor->file);
        if (status) {
            set_owner(object, *status);
        } else {
            object.name.clear(); // it may be another file by now
        }
    }
    if (object.name.empty())
        object.name = text(lock.device, ':', lock.file.inode);
    for (const Use& use : held.users)
        if (use.role == Role::holds)
            scan.table_sharers.for_each(use.pid, [&](pid_t pid) {
                object.users.push_back({.pid = pid, .role = use.role});
            });
        else
            object.users.push_back(use);
    sort_users(object.users);
    return object;
}

} // namespace

void request_locks(ScanRequest& request) {
    std::vector<FileLock> locks;
    try_read_locks(locks); // list_locks() says why it cannot
    for (const FileLock& lock : locks) {
        request.files.push_back(lock.file);
        request.open_files.push_back(lock.file); // each has locks of its own
    }
}

void list_locks(const ProcessScan& scan, std::vector<Object>& objects,
                std::vector<Trouble>& troubles) {
    std::vector<FileLock> locks;
    if (const int error = try_read_locks(locks)) {
        const Error trouble("/proc/locks", "cannot read", error, explain_error(error));
        troubles.push_back({.kinds = {ObjectKind::lock}, .line = trouble.what()});
        return;
    }
    std::vector<Held> all = gather(locks);
    find_holders(scan, all);
    for (Held& held : all) {
        add_maker(held);
        objects.push_back(describe(held, scan));
    }
}

} // namespace ipc
