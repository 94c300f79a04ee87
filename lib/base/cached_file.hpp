// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <sys/stat.h>
#include <sys/types.h>

/// Status of files without a question to a server that might never answer (FUSE, NFS): paths are
/// those of others, who may have laid any link in them.
namespace ipc {

/// What statx(2) knows of an open file: device, inode, mode, links, owner, group, size, blocks.
std::optional<struct stat> try_stat_open(int fd) noexcept;

/// The same of what a path names, not following it at its end, as far as the kernel has all of that
/// at hand: it has what is mapped or bound. Nothing otherwise, nor before Linux 5.12 (openat2(2),
/// RESOLVE_CACHED).
std::optional<struct stat> try_cached_stat(const char* path) noexcept;

/// The same of a path as this process sees it.
std::optional<struct stat> try_cached_stat(pid_t pid, const char* path) noexcept;

} // namespace ipc
