// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <iterator>
#include <optional>
#include <string_view>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <tuple>
#include <unistd.h>
#include <utility>

#include "base/fd.hpp"
#include "base/signals.hpp"
#include "process/look.hpp"

namespace ipc {

ProcessLook::Look ProcessLook::look_at_descriptors(const Sameness::Item& task, int directory,
                                                   const char* path) {
    const UniqueFd entries(
        openat(directory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!entries.is_open())
        return outcome(task.process, path, errno);
    Look result = Look::seen;
    const std::size_t first = descriptors.size();
    std::size_t seen = 0;
    alignas(dirent64) char block[8192];
    for (;;) {
        const ssize_t count = getdents64(entries.get(), block, sizeof block);
        if (count < 0)
            result = outcome(task.process, path, errno);
        if (count <= 0)
            break;
        for (ssize_t at = 0; at < count;) {
            const void* const record = block + at;
            const auto* const entry = static_cast<const dirent64*>(record);
            at += entry->d_reclen;
            if (entry->d_name[0] == '.')
                continue;
            has_descriptors_ = true;
            if (++seen == many && is_shared(tables_, task, table_sharers)) {
                descriptors.resize(first);
                return Look::seen;
            }
            if (look_at_descriptor(task.process, entries.get(), entry->d_name) == Look::refused)
                result = Look::refused;
        }
        signals::check();
    }
    if (result != Look::seen)
        tables_.remove(task);
    merge_descriptors(task, first);
    return result;
}

void ProcessLook::merge_descriptors(const Sameness::Item& task, std::size_t first) {
    const auto& wanted = request_.open_files;
    if (descriptors.size() - first < (wanted.empty() ? many : 2))
        return;
    const auto key = [](const Descriptor& one) { return std::tie(one.file, one.role); };
    const auto begin = descriptors.begin() + static_cast<std::ptrdiff_t>(first);
    std::sort(begin, descriptors.end(), [&](const Descriptor& a, const Descriptor& b) {
        return key(a) != key(b) ? key(a) < key(b) : a.fd < b.fd;
    });
    std::optional<Sameness> opened; // of that file, if it is wanted
    auto end = begin;               // of those that are kept
    for (auto next = begin; next != descriptors.end(); ++next) {
        const bool is_first = end == begin || key(*std::prev(end)) != key(*next);
        if (is_first) {
            opened.reset();
            if (std::binary_search(wanted.begin(), wanted.end(), next->file))
                opened.emplace(Sameness::Of::open_files);
        }
        const bool is_another =
            opened &&
            !opened->find_or_add({.task = task.task, .fd = next->fd, .process = task.process});
        // Anonymous inodes are all one.
        if (!is_first && !is_another && next->type != 0)
            continue;
        if (end != next)
            *end = std::move(*next);
        ++end;
    }
    descriptors.erase(end, descriptors.end());
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

} // namespace ipc
