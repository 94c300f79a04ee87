// SPDX-License-Identifier: MIT
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace ipc {

/// The value of a limit under /proc/sys, by its sysctl(8) name such as "fs.mqueue.msg_max";
/// nothing where it cannot be read.
std::optional<long> kernel_limit(const char* name);

/// `NAME = VALUE; raise it with: sysctl NAME=WANTED`, or `NAME` alone where it cannot be read.
/// Nothing above `ceiling`, which the kernel has built in, is advised.
std::string describe_limit(const char* name, long wanted,
                           long ceiling = std::numeric_limits<long>::max());

/// `NAME = VALUE; raise it with: ulimit -OPTION`, of getrlimit(2).
std::string describe_rlimit(const char* name, int resource, char ulimit_option);

/// The limit on open descriptors if `error` is EMFILE, else empty.
std::string explain_error(int error);

/// Whether EMFILE means that the process has no descriptor left (RLIMIT_NOFILE), which several
/// IPC calls also say of quite different limits.
bool is_out_of_descriptors() noexcept;

} // namespace ipc
