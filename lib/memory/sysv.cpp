// SPDX-License-Identifier: MIT
#include "memory/sysv.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "object/system_v.hpp"

namespace ipc {

namespace {

int try_status(int id, shmid_ds& status) noexcept {
    constexpr int shm_stat_any = 15; // linux/shm.h
    if (shmctl(id, IPC_STAT, &status) == 0)
        return 0;
    const int error = errno;
    const bool found = error == EACCES && try_stat_any(id, [&](int index) {
                           return shmctl(index, shm_stat_any, &status);
                       });
    return found ? 0 : error;
}

/// SHM_INFO of shmctl(2): how much there is of all segments.
shm_info usage() noexcept {
    shm_info info{};
    shmctl(0, SHM_INFO, reinterpret_cast<shmid_ds*>(&info)); // NOLINT: as the call wants it
    return info;
}

/// The limit that stood in the way: shmget(2), "ERRORS".
std::string explain_create(int error, std::size_t size) {
    const auto bytes = static_cast<long>(size);
    const long page = sysconf(_SC_PAGESIZE);
    const long pages = bytes / page + (bytes % page != 0 ? 1 : 0);
    switch (error) {
    case EINVAL:
        if (size == 0)
            return "the least is 1 byte";
        return text(size, " bytes, ", describe_limit("kernel.shmmax", bytes));
    case ENOSPC: {
        const shm_info now = usage();
        const long used = static_cast<long>(now.shm_tot);
        if (used > kernel_limit("kernel.shmall").value_or(std::numeric_limits<long>::max()) - pages)
            return text(pages, " pages besides the ", used, " of all others, ",
                        describe_limit("kernel.shmall", used + pages));
        return describe_count_limit("kernel.shmmni");
    }
    case ENOMEM:
        return text(size, " bytes, more than there is memory for; see vm.overcommit_memory");
    default:
        return {};
    }
}

} // namespace

std::optional<int> try_sysv_memory_id(const Name& name) {
    if (name.form == Name::Form::id)
        return name.number;
    const int id = shmget(name.key, 0, 0);
    if (id == -1 && errno != ENOENT)
        throw Error(name.text, "cannot open", errno);
    return id == -1 ? std::nullopt : std::optional<int>(id);
}

int sysv_memory_id(const Name& name) {
    const auto id = try_sysv_memory_id(name);
    if (!id)
        throw Error(name.text, "cannot open", ENOENT);
    return *id;
}

shmid_ds sysv_memory_status(const Name& name, int id) {
    shmid_ds status{};
    if (const int error = try_status(id, status))
        throw Error(name.text, "cannot open", is_gone(error) ? ENOENT : error);
    return status;
}

std::optional<CreatedSegment> try_create_sysv_memory(const Name& name, std::size_t size,
                                                     mode_t mode) {
    if (name.form == Name::Form::id)
        throw UsageError(name.text, "the kernel chooses identifiers; create takes a key");
    const key_t key = name.form == Name::Form::private_key ? IPC_PRIVATE : name.key;
    const int id = shmget(key, size, IPC_CREAT | IPC_EXCL | static_cast<int>(mode));
    if (id == -1 && errno == EEXIST)
        return std::nullopt;
    if (id == -1) {
        const int error = errno;
        throw Error(name.text, "cannot create", error, explain_create(error, size));
    }
    Name found_by = name;
    if (key == IPC_PRIVATE)
        found_by = {.form = Name::Form::id, .text = text("id:", id), .number = id};
    return CreatedSegment{.name = std::move(found_by), .id = id};
}

std::optional<unsigned long> remove_sysv_memory(const Name& name) {
    const int id = name.form == Name::Form::key ? shmget(name.key, 0, 0) : name.number;
    if (id != -1 && shmctl(id, IPC_RMID, nullptr) == 0) {
        shmid_ds status{};
        return try_status(id, status) == 0 ? status.shm_nattch : 0;
    }
    if (errno != ENOENT && !is_gone(errno))
        throw Error(name.text, "cannot remove", errno);
    return std::nullopt;
}

Attachment::Attachment(const Name& name, int id, Access access) {
    const shmid_ds status = sysv_memory_status(name, id);
    void* const address = shmat(id, nullptr, access == Access::read ? SHM_RDONLY : 0);
    if (address == reinterpret_cast<void*>(-1)) // NOLINT: shmop(2)
        throw Error(name.text, "cannot attach", is_gone(errno) ? ENOENT : errno);
    bytes_ = {static_cast<char*>(address), status.shm_segsz};
}

std::span<char> Attachment::part(std::int64_t offset, std::size_t length) const noexcept {
    const std::size_t begin = std::min(static_cast<std::size_t>(offset), bytes_.size());
    return bytes_.subspan(begin, std::min(length, bytes_.size() - begin));
}

void Attachment::forget(std::span<char> part) const noexcept {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const auto begin = static_cast<std::size_t>(part.data() - bytes_.data()) / page * page;
    const auto end = static_cast<std::size_t>(part.data() - bytes_.data()) + part.size();
    madvise(bytes_.data() + begin, end - begin, MADV_DONTNEED);
}

Attachment::~Attachment() {
    if (!bytes_.empty())
        shmdt(bytes_.data());
}

} // namespace ipc
