// SPDX-License-Identifier: MIT
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace ipc {

/// The value of a limit under /proc/sys, by its sysctl(8) name such as "fs.mqueue.msg_max";
/// nothing where it cannot be read.
std::optional<long> kernel_limit(const char* name);

/// `NAME = VALUE; raise it with: sysctl NAME=WANTED`, or `NAME` alone where it cannot be read.
/// Where more than `ceiling`, which the kernel has built in, would be wanted, it says so instead.
std::string describe_limit(const char* name, long wanted,
                           long ceiling = std::numeric_limits<long>::max());

/// The same for how many System V objects of a kind there may be, "kernel.msgmni" or
/// "kernel.shmmni": twice as many are wanted, below the kernel's ceiling.
std::string describe_count_limit(const char* name);

/// A limit of getrlimit(2), and what prlimit(1) calls it.
struct ResourceLimit {
    const char* name;
    int resource;
    const char* option;
};

/// `NAME = VALUE; raise it with: prlimit --pid $$ --OPTION=WANTED`, which any shell understands,
/// for `more` than the value; it says so where the hard limit leaves that to root, or where there
/// is no limit, so that it was another one. Of another process with its `pid`, then with this
/// instead of `$$`; its NAME alone where it may not be read.
std::string describe_rlimit(const ResourceLimit& limit, unsigned long more, pid_t pid = 0);

/// The limit on open descriptors if `error` is EMFILE, else empty.
std::string explain_error(int error);
/// Whether it is a want of ours, of descriptors or memory, that tells nothing of what was asked
/// for.
bool is_shortage(int error) noexcept;

/// Whether EMFILE means that the process has no descriptor left (RLIMIT_NOFILE), which several
/// IPC calls also say of quite different limits.
bool is_out_of_descriptors() noexcept;

} // namespace ipc
