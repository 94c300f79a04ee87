// SPDX-License-Identifier: MIT
#include "memory/control.hpp"

#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "memory/shared_memory.hpp"
#include "memory/sysv.hpp"
#include "object/foreign.hpp"
#include "tool/users.hpp"

namespace ipc {

namespace {

std::optional<Name> try_create(const Name& name, std::int64_t size, mode_t mode) {
    if (name.is_system_v()) {
        auto created = try_create_sysv_memory(name, static_cast<std::size_t>(size), mode);
        return created ? std::optional<Name>(std::move(created->name)) : std::nullopt;
    }
    // Before memory is reserved that nobody needs, or is not there.
    if (name.form == Name::Form::posix && memory_exists(name))
        return std::nullopt;
    const UniqueFd memory = make_memory(name, mode);
    resize_memory(name, memory, size);
    return try_publish_memory(name, memory) ? std::optional<Name>(name) : std::nullopt;
}

/// Of one that is there already.
void check_owner_of(const Name& name) {
    if (name.is_system_v())
        check_owner(name, sysv_memory_status(name, sysv_memory_id(name)).shm_perm, Existing::ours);
    else
        check_memory_owner(name, refer_to_memory(name), Existing::ours);
}

Attributes posix_attributes_of(const Name& name) {
    constexpr std::int64_t block = 512; // stat(2)
    const struct stat status = memory_status(name, refer_to_memory(name));

    Attributes attributes;
    attributes.add("name", name.canonical());
    attributes.add("kind", "shm");
    add_owner(attributes, status.st_uid, status.st_gid);
    attributes.add("perms", mode_text(status.st_mode));
    attributes.add("size", std::int64_t{status.st_size});
    attributes.add("allocated", std::int64_t{status.st_blocks} * block);
    attributes.add("blksize", std::int64_t{status.st_blksize});
    attributes.add("links", static_cast<std::int64_t>(status.st_nlink));
    attributes.add("atime", std::int64_t{status.st_atime});
    attributes.add("mtime", std::int64_t{status.st_mtime});
    attributes.add("ctime", std::int64_t{status.st_ctime});
    attributes.add("device", text(major(status.st_dev), ':', minor(status.st_dev)));
    attributes.add("inode", static_cast<std::int64_t>(status.st_ino));
    return attributes;
}

/// Words that a script can look for between commas.
std::string state_of(const shmid_ds& segment) {
    std::string state = segment.shm_nattch > 0 ? "attached" : "unused";
    if ((segment.shm_perm.mode & SHM_DEST) != 0)
        state += ",marked";
    if ((segment.shm_perm.mode & SHM_LOCKED) != 0)
        state += ",locked";
    return state;
}

Attributes sysv_attributes_of(const Name& name) {
    const int id = sysv_memory_id(name);
    const shmid_ds segment = sysv_memory_status(name, id);
    const ipc_perm& perm = segment.shm_perm;

    Attributes attributes;
    attributes.add("name", name.canonical());
    attributes.add("kind", "shm");
    attributes.add("key", hex32(static_cast<unsigned>(perm.__key)));
    attributes.add("id", std::int64_t{id});
    add_owner(attributes, perm.uid, perm.gid);
    attributes.add("creator", user_name(perm.cuid));
    attributes.add("cuid", static_cast<std::int64_t>(perm.cuid));
    attributes.add("cgid", static_cast<std::int64_t>(perm.cgid));
    attributes.add("perms", mode_text(perm.mode));
    attributes.add("size", static_cast<std::int64_t>(segment.shm_segsz));
    attributes.add("nattch", static_cast<std::int64_t>(segment.shm_nattch));
    attributes.add("state", state_of(segment));
    attributes.add("attach", static_cast<std::int64_t>(segment.shm_atime));
    attributes.add("detach", static_cast<std::int64_t>(segment.shm_dtime));
    attributes.add("ctime", static_cast<std::int64_t>(segment.shm_ctime));
    attributes.add("cpid", static_cast<std::int64_t>(segment.shm_cpid));
    attributes.add("lastpid", static_cast<std::int64_t>(segment.shm_lpid));
    return attributes;
}

void change_posix(const Name& name, const MemoryChanges& changes) {
    if (changes.swapping)
        throw UsageError(name.text, "--lock and --unlock are for System V segments");
    const UniqueFd memory = changes.size ? open_memory(name, O_WRONLY) : refer_to_memory(name);
    if (changes.size)
        resize_memory(name, memory, *changes.size);
    change_permissions(name, memory, changes.permissions);
}

void change_swapping(const Name& name, int id, Swapping swapping) {
    const bool locks = swapping == Swapping::locked;
    if (shmctl(id, locks ? SHM_LOCK : SHM_UNLOCK, nullptr) == 0)
        return;
    const int error = errno;
    constexpr ResourceLimit memory = {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK, "memlock"};
    const bool is_limit = locks && (error == ENOMEM || error == EPERM);
    throw Error(name.text, locks ? "cannot lock" : "cannot unlock", error,
                is_limit ? describe_rlimit(memory, sysv_memory_status(name, id).shm_segsz)
                         : std::string());
}

void change_sysv(const Name& name, const MemoryChanges& changes) {
    if (changes.size)
        throw UsageError(name.text, "--size is for POSIX objects; a segment keeps its size");
    const int id = sysv_memory_id(name);
    if (changes.swapping)
        change_swapping(name, id, *changes.swapping);
    if (changes.permissions.is_none())
        return;
    shmid_ds segment = sysv_memory_status(name, id);
    change_permissions(segment.shm_perm, changes.permissions);
    if (shmctl(id, IPC_SET, &segment) != 0)
        throw Error(name.text, "cannot change", errno);
}

} // namespace

CreatedMemory create_memory(const Name& name, std::int64_t size, mode_t mode, Existing existing) {
    if (auto created = try_create(name, size, mode))
        return {.name = std::move(*created), .is_new = true};
    if (existing == Existing::refused)
        throw Error(name.text, "cannot create", EEXIST);
    if (existing == Existing::ours)
        check_owner_of(name);
    return {.name = name, .is_new = false};
}

Attributes memory_attributes(const Name& name) {
    return name.is_system_v() ? sysv_attributes_of(name) : posix_attributes_of(name);
}

void change_memory(const Name& name, const MemoryChanges& changes) {
    if (name.is_system_v())
        change_sysv(name, changes);
    else
        change_posix(name, changes);
}

} // namespace ipc
