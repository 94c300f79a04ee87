// SPDX-License-Identifier: MIT
#include "memory/shared_memory.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/file_type.hpp"
#include "base/limits.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "memory/sysv.hpp"
#include "object/exact_unlink.hpp"
#include "object/inherited.hpp"
#include "object/shm_files.hpp"

namespace ipc {

namespace {

using shm_files::directory;

std::string path_of(const Name& name) { return text(directory, name.text); }

void check_type(const Name& name, mode_t mode) {
    if (!S_ISREG(mode))
        throw Error(name.text, text("this is ", describe_type(mode), ", not shared memory"));
}

UniqueFd checked(const Name& name, UniqueFd fd) {
    check_type(name, memory_status(name, fd).st_mode);
    return fd;
}

/// Returns 0 or an errno value.
int try_open(const Name& name, int flags, UniqueFd& fd) {
    if (!memory_exists(name))
        return ENOENT;
    fd = shm_files::open_file(path_of(name), flags);
    if (!fd.is_open())
        return errno;
    check_type(name, memory_status(name, fd).st_mode);
    return 0;
}

/// An inherited descriptor that is open for what is wanted of it.
UniqueFd take_memory(const Name& name, int flags) {
    UniqueFd fd = checked(name, take_descriptor(name));
    const int mode = fcntl(fd.get(), F_GETFL) & O_ACCMODE;
    if (mode != O_RDWR && mode != flags)
        throw Error(name.text, mode == O_RDONLY ? "this descriptor cannot be written to"
                                                : "this descriptor cannot be read from");
    return fd;
}

int try_resize(const UniqueFd& memory, std::int64_t size) noexcept {
    while (ftruncate(memory.get(), size) != 0)
        if (errno != EINTR)
            return errno;
    return 0;
}

std::optional<unsigned long> remove_posix_memory(const Name& name) {
    if (name.form == Name::Form::fd)
        throw UsageError(name.text, "a descriptor has no name to remove");
    if (!memory_exists(name))
        return std::nullopt;
    if (shm_unlink(name.text.c_str()) == 0)
        return 0;
    if (errno != ENOENT)
        throw Error(name.text, "cannot remove", errno);
    return std::nullopt;
}

} // namespace

bool memory_exists(const Name& name) {
    struct stat status {};
    if (lstat(path_of(name).c_str(), &status) == 0) {
        check_type(name, status.st_mode);
        return true;
    }
    if (errno != ENOENT)
        throw Error(name.text, "cannot look at the object", errno);
    return false;
}

std::optional<UniqueFd> try_open_memory(const Name& name, int flags) {
    if (name.form == Name::Form::fd)
        return take_memory(name, flags);
    UniqueFd fd;
    const int error = try_open(name, flags, fd);
    if (error == ENOENT)
        return std::nullopt;
    if (error != 0)
        throw Error(name.text, "cannot open", error, shm_files::explain_opening(error));
    return fd;
}

UniqueFd open_memory(const Name& name, int flags) {
    auto fd = try_open_memory(name, flags);
    if (!fd)
        throw Error(name.text, "cannot open", ENOENT);
    return std::move(*fd);
}

UniqueFd refer_to_memory(const Name& name) {
    if (name.form == Name::Form::fd)
        return checked(name, take_descriptor(name));
    UniqueFd fd;
    int error = try_open(name, O_RDONLY, fd);
    if (error == EACCES) {
        fd = UniqueFd(open(path_of(name).c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
        error = fd.is_open() ? 0 : errno;
    }
    if (error != 0)
        throw Error(name.text, "cannot open", error, shm_files::explain_opening(error));
    return checked(name, std::move(fd));
}

struct stat memory_status(const Name& name, const UniqueFd& memory) {
    struct stat status {};
    if (fstat(memory.get(), &status) != 0)
        throw Error(name.text, "cannot look at the object", errno);
    return status;
}

void check_memory_owner(const Name& name, const UniqueFd& memory, Existing existing) {
    shm_files::check_owner(name, memory_status(name, memory).st_uid, existing);
}

void refuse_itself(const Name& name, const UniqueFd& memory, int fd, std::string_view other) {
    const struct stat ours = memory_status(name, memory);
    struct stat theirs {};
    if (fstat(fd, &theirs) == 0 && theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino)
        throw Error(name.text, text(other, " is the object itself"));
}

UniqueFd make_memory(const Name& name, mode_t mode) {
    if (name.form == Name::Form::fd)
        throw UsageError(name.text, "a descriptor cannot be created");
    UniqueFd fd = shm_files::make_unnamed();
    if (!fd.is_open() || fchmod(fd.get(), mode) != 0) {
        const int error = errno;
        throw Error(name.text, "cannot create", error, shm_files::explain_making(error));
    }
    return fd;
}

bool try_publish_memory(const Name& name, const UniqueFd& memory) {
    const int error = shm_files::try_publish(memory, path_of(name));
    if (error != 0 && error != EEXIST)
        throw Error(name.text, "cannot create", error, shm_files::explain_making(error));
    return error == 0;
}

std::optional<UniqueFd> try_create_memory(const Name& name, mode_t mode) {
    UniqueFd fd = make_memory(name, mode);
    if (!try_publish_memory(name, fd))
        return std::nullopt;
    return fd;
}

std::string explain_reserve(const Name& name, const UniqueFd& memory, std::int64_t length,
                            int error) {
    struct statfs system {};
    if (name.form != Name::Form::fd || error != ENOSPC || fstatfs(memory.get(), &system) != 0)
        return shm_files::explain_storing(length, error);
    const auto free =
        static_cast<std::uint64_t>(system.f_bavail) * static_cast<std::uint64_t>(system.f_bsize);
    return text(length, " bytes, ", free, " are free");
}

void reserve_memory(const Name& name, const UniqueFd& memory, std::int64_t offset,
                    std::int64_t length, Grow grow) {
    const int mode = grow == Grow::yes ? 0 : FALLOC_FL_KEEP_SIZE;
    if (length == 0)
        return;
    while (fallocate(memory.get(), mode, offset, length) != 0) {
        const int error = errno;
        if (error != EINTR)
            throw Error(name.text, "cannot reserve memory", error,
                        explain_reserve(name, memory, length, error));
        signals::check();
    }
}

void release_reserved(const UniqueFd& memory, std::int64_t offset, std::int64_t length) noexcept {
    struct stat status {};
    if (fstat(memory.get(), &status) != 0)
        return;
    const std::int64_t from = std::max<std::int64_t>(offset, status.st_size);
    const std::int64_t left = offset + length - from;
    if (left > 0)
        fallocate(memory.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from, left);
}

void resize_memory(const Name& name, const UniqueFd& memory, std::int64_t size) {
    const std::int64_t old_size = memory_status(name, memory).st_size;
    if (size > old_size)
        reserve_memory(name, memory, old_size, size - old_size);
    else if (const int error = try_resize(memory, size))
        throw Error(name.text, "cannot resize", error);
}

std::optional<unsigned long> remove_memory(const Name& name) {
    return name.is_system_v() ? remove_sysv_memory(name) : remove_posix_memory(name);
}

void remove_memory_exactly(const Name& name, const UniqueFd& memory) {
    const struct stat status = memory_status(name, memory);
    const FileId file = {.device = status.st_dev, .inode = status.st_ino};
    const int error = try_unlink_exactly(AT_FDCWD, path_of(name), file);
    if (error != 0 && error != ENOENT && error != ESTALE)
        throw Error(name.text, "cannot remove", error);
}

MemoryMapping::MemoryMapping(const Name& name, const UniqueFd& memory, std::size_t size,
                             Access access) {
    const int protection = access == Access::read ? PROT_READ : PROT_READ | PROT_WRITE;
    void* const address = mmap(nullptr, size, protection, MAP_SHARED, memory.get(), 0);
    if (address == MAP_FAILED)
        throw Error(name.text, "cannot map", errno, text(size, " bytes"));
    bytes_ = {static_cast<std::byte*>(address), size};
}

MemoryMapping::~MemoryMapping() {
    if (!bytes_.empty())
        munmap(bytes_.data(), bytes_.size());
}

} // namespace ipc
