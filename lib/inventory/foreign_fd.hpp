// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <sys/stat.h>
#include <sys/types.h>

#include "inventory/object.hpp"

/// Descriptors of other processes, looked at without opening what they refer to. All of it takes
/// what ptrace(2) takes, and any of it may have changed since it was found.
namespace ipc::foreign_fd {

/// `/proc/PID/fd/N`
std::string path(pid_t pid, int fd);

/// stat(2) of the open file if it is still this one, without asking a server.
std::optional<struct stat> try_stat(pid_t pid, int fd, const FileId& file);

/// What readlink(2) shows of it; empty if it is gone.
std::string link(pid_t pid, int fd);

/// What the kernel tells of it, lines of `NAME:\tVALUE`; empty if it is gone. See proc(5).
std::string info(pid_t pid, int fd);

} // namespace ipc::foreign_fd
