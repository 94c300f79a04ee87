// SPDX-License-Identifier: MIT
#include "process/look.hpp"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <tuple>
#include <unistd.h>
#include <utility>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "process/calls.hpp"
#include "process/maps.hpp"
#include "process/procfs.hpp"

namespace ipc {

namespace {

std::optional<dev_t> device_of_memfd(unsigned flags) noexcept {
    const UniqueFd memory(memfd_create("ipctools", MFD_CLOEXEC | flags));
    struct stat status = {};
    if (!memory.is_open() || fstat(memory.get(), &status) != 0)
        return std::nullopt;
    return status.st_dev;
}

} // namespace

MemoryDevices find_memory_devices() noexcept {
    return {.shm = device_of_memfd(0), .huge = device_of_memfd(MFD_HUGETLB)};
}

/// Throws Error where the reason is a want of ours.
ProcessLook::Look ProcessLook::outcome(pid_t pid, const char* what, int error) {
    if (is_shortage(error))
        throw Error(text("/proc/", pid, what[0] == '\0' ? "" : "/", what), "cannot read", error,
                    explain_error(error));
    switch (error) {
    case 0:
        return Look::seen;
    case ENOENT:
    case ESRCH:
    case ENOTDIR:
        return Look::nothing;
    default:
        return Look::refused;
    }
}

void ProcessLook::examine(pid_t pid) {
    const UniqueFd directory(
        open(text("/proc/", pid).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!directory.is_open()) {
        if (outcome(pid, "", errno) == Look::refused)
            processes.push_back({.pid = pid});
        return;
    }
    Process process{.pid = pid, .is_examined = true, .calls_examined = true};
    has_descriptors_ = false;
    const std::size_t first_mapping = mappings.size();
    Look opened = Look::seen;
    Look mapped = Look::seen;
    if (wants_descriptors())
        opened = look_at_descriptors(pid, directory.get(), "fd");
    if (wants_mappings())
        mapped = look_at_mappings(pid, directory.get(), "maps");
    process.is_examined = opened != Look::refused && mapped != Look::refused;

    // Where the first thread has ended, the process lives on in the others.
    const bool may_be_zombie = !has_descriptors_ && mappings.size() == first_mapping &&
                               (wants_descriptors() || wants_mappings());
    if (may_be_zombie) {
        const auto stat = procfs::stat(pid);
        if (stat && stat->state == 'Z') {
            process.is_examined = true;
            look_at_threads(process, directory.get());
        }
    }

    if (request_.system_v_calls || request_.system_v_mappings) {
        struct statx status = {};
        if (statx(directory.get(), "ns/ipc", AT_STATX_DONT_SYNC, STATX_INO, &status) == 0)
            process.ipc_namespace = status.stx_ino;
    }
    if (request_.system_v_calls)
        process.calls_examined = read_calls(pid, directory.get(), calls);
    processes.push_back(process);
}

void ProcessLook::look_at_threads(Process& process, int directory) {
    for (const pid_t thread : procfs::list(text("/proc/", process.pid, "/task"))) {
        if (thread == process.pid)
            continue;
        const std::string path = text("task/", thread, "/");
        if (wants_descriptors() &&
            look_at_descriptors(process.pid, directory, (path + "fd").c_str()) == Look::refused)
            process.is_examined = false;
        if (wants_mappings() &&
            look_at_mappings(process.pid, directory, (path + "maps").c_str()) == Look::refused)
            process.is_examined = false;
    }
}

ProcessLook::Look ProcessLook::look_at_descriptors(pid_t pid, int directory, const char* path) {
    const UniqueFd entries(
        openat(directory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!entries.is_open())
        return outcome(pid, path, errno);
    Look result = Look::seen;
    alignas(dirent64) char block[8192];
    for (;;) {
        const ssize_t count = getdents64(entries.get(), block, sizeof block);
        if (count < 0)
            return outcome(pid, path, errno);
        if (count == 0)
            return result;
        for (ssize_t at = 0; at < count;) {
            const void* const record = block + at;
            const auto* const entry = static_cast<const dirent64*>(record);
            at += entry->d_reclen;
            if (entry->d_name[0] == '.')
                continue;
            has_descriptors_ = true;
            if (look_at_descriptor(pid, entries.get(), entry->d_name) == Look::refused)
                result = Look::refused;
        }
    }
}

ProcessLook::Look ProcessLook::look_at_descriptor(pid_t pid, int directory, const char* name) {
    // Not to be kept waiting by a server that does not answer.
    struct statx status = {};
    char link[4096];
    if (statx(directory, name, AT_STATX_DONT_SYNC,
              STATX_TYPE | STATX_MODE | STATX_INO | STATX_NLINK, &status) != 0) {
        const Look result = outcome(pid, "fd", errno);
        // A file system of a user (FUSE) may refuse its files to us; such are none of ours.
        return result == Look::refused && readlinkat(directory, name, link, sizeof link) >= 0
                   ? Look::seen
                   : result;
    }
    const mode_t type = status.stx_mode & S_IFMT;
    Descriptor descriptor{.pid = pid,
                          .fd = 0,
                          .file = {.device = makedev(status.stx_dev_major, status.stx_dev_minor),
                                   .inode = static_cast<ino_t>(status.stx_ino)},
                          .type = type,
                          .is_removed = status.stx_nlink == 0,
                          .role = Role::opens,
                          .link = {}};
    const bool is_memory = type == S_IFREG && wants_type(0) && devices_.has(descriptor.file.device);
    bool is_wanted = wants_type(type);
    if (is_wanted || is_memory) {
        const ssize_t length = readlinkat(directory, name, link, sizeof link);
        if (length < 0)
            return outcome(pid, "fd", errno);
        const std::string_view target(link, static_cast<std::size_t>(length));
        if (is_wanted || target.starts_with("/memfd:")) {
            is_wanted = true;
            descriptor.link = target;
        }
    }
    if (!is_wanted &&
        !std::binary_search(request_.files.begin(), request_.files.end(), descriptor.file))
        return Look::seen;
    std::from_chars(name, name + std::strlen(name), descriptor.fd);
    if ((type == S_IFIFO || type == S_IFREG) &&
        statx(directory, name, AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC, STATX_MODE, &status) ==
            0) {
        const unsigned access = status.stx_mode & 0600U;
        descriptor.role = access == 0400   ? Role::reads
                          : access == 0200 ? Role::writes
                          : access == 0600 ? Role::both
                                           : Role::opens; // O_PATH
    }
    descriptors.push_back(std::move(descriptor));
    return Look::seen;
}

ProcessLook::Look ProcessLook::look_at_mappings(pid_t pid, int directory, const char* path) {
    const UniqueFd maps(openat(directory, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!maps.is_open())
        return outcome(pid, path, errno);
    const bool wants_files = request_.mappings && !request_.files.empty();
    const auto is_asked_for = [&](const MappedRange& range) {
        return wants_files &&
               std::binary_search(request_.files.begin(), request_.files.end(), range.file);
    };
    const auto wants_path = [&](const MappedRange& range) {
        return range.is_shared && (request_.shared_mappings ||
                                   (request_.system_v_mappings && devices_.has(range.file.device)));
    };
    const std::size_t first = mappings.size();
    const auto add = [&](const MappedRange& range) {
        const bool is_memory = devices_.has(range.file.device);
        const bool is_system_v =
            request_.system_v_mappings && is_memory && is_system_v_path(range.path);
        // What is shared without a file, and segments, have paths there too.
        const bool has_name =
            request_.shared_mappings && range.path.starts_with(is_memory ? "/memfd:" : "/");
        if (!is_system_v && !has_name && !is_asked_for(range))
            return;
        mappings.push_back({.pid = pid,
                            .file = range.file,
                            .is_system_v = is_system_v,
                            .is_writable = range.is_writable,
                            .size = range.end - range.start,
                            .path = has_name ? std::string(range.path) : std::string()});
    };
    const int error =
        read_maps(maps.get(), wants_files ? MapKinds::all : MapKinds::shared, wants_path, add);

    const auto begin = mappings.begin() + static_cast<std::ptrdiff_t>(first);
    std::sort(begin, mappings.end(), [](const Mapping& a, const Mapping& b) {
        return std::tie(a.is_system_v, a.file) < std::tie(b.is_system_v, b.file);
    });
    auto kept = begin;
    for (auto next = begin; next != mappings.end(); ++next) {
        if (next == begin)
            continue;
        if (next->is_system_v == kept->is_system_v && next->file == kept->file) {
            kept->size += next->size;
            kept->is_writable = kept->is_writable || next->is_writable;
            if (kept->path.empty())
                kept->path = std::move(next->path);
        } else if (++kept != next) {
            *kept = std::move(*next);
        }
    }
    if (begin != mappings.end())
        mappings.erase(std::next(kept), mappings.end());
    return error == 0 ? Look::seen : outcome(pid, path, error);
}

} // namespace ipc
