// SPDX-License-Identifier: MIT
#include "semaphore/show.hpp"

#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "semaphore/posix.hpp"
#include "semaphore/sysv.hpp"

namespace ipc {

namespace {

Attributes posix_attributes_of(const Name& name) {
    const PosixSemaphoreState state = look_at_posix_semaphore(name);
    Attributes attributes;
    attributes.add("name", name.canonical());
    attributes.add("kind", "sem");
    attributes.add("uid", std::int64_t{state.status.st_uid});
    attributes.add("gid", std::int64_t{state.status.st_gid});
    attributes.add("perms", mode_text(state.status.st_mode));
    attributes.add("value", state.value);
    attributes.add("waiters", state.waiters);
    attributes.add("mtime", std::int64_t{state.status.st_mtime});
    attributes.add("ctime", std::int64_t{state.status.st_ctime});
    attributes.add("inode", static_cast<std::int64_t>(state.status.st_ino));
    return attributes;
}

Attributes sysv_attributes_of(const Name& name, std::optional<std::int64_t> member) {
    const SysvSetState set = look_at_sysv_set(name, member);
    const ipc_perm& perm = set.status.sem_perm;
    Attributes attributes;
    attributes.add("name", name.canonical());
    attributes.add("kind", "sem");
    attributes.add("key", hex32(static_cast<unsigned>(perm.__key)));
    attributes.add("id", std::int64_t{set.id});
    attributes.add("uid", std::int64_t{perm.uid});
    attributes.add("gid", std::int64_t{perm.gid});
    attributes.add("cuid", std::int64_t{perm.cuid});
    attributes.add("cgid", std::int64_t{perm.cgid});
    attributes.add("perms", mode_text(perm.mode));
    attributes.add("nsems", static_cast<std::int64_t>(set.status.sem_nsems));
    const auto add = [&](const char* column, std::int64_t SysvMember::*number) {
        std::vector<std::int64_t> numbers;
        for (const SysvMember& each : set.members)
            numbers.push_back(each.*number);
        if (member)
            attributes.add(column, numbers[0]);
        else
            attributes.add(column, numbers);
    };
    if (!set.members.empty()) {
        add("value", &SysvMember::value);
        add("waiters", &SysvMember::waiters);
        add("zwaiters", &SysvMember::zero_waiters);
        add("lastpid", &SysvMember::last_pid);
    }
    attributes.add("otime", static_cast<std::int64_t>(set.status.sem_otime));
    attributes.add("ctime", static_cast<std::int64_t>(set.status.sem_ctime));
    return attributes;
}

} // namespace

Attributes semaphore_attributes(const Name& name, std::optional<std::int64_t> member) {
    if (name.is_system_v())
        return sysv_attributes_of(name, member);
    if (member)
        throw UsageError(name.text, "only System V sets have members");
    return posix_attributes_of(name);
}

} // namespace ipc
