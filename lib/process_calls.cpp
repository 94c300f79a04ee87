// SPDX-License-Identifier: MIT
#include "process_calls.hpp"

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <fcntl.h>
#include <optional>
#include <string_view>
#include <sys/syscall.h>
#include <unistd.h>

#include "error.hpp"
#include "fd.hpp"
#include "limits.hpp"
#include "procfs.hpp"
#include "text.hpp"

namespace ipc {

namespace {

std::optional<ObjectKind> kind_of_call(long number, std::uint64_t& id,
                                       std::uint64_t second) noexcept {
    switch (number) {
#ifdef __NR_msgsnd
    case __NR_msgsnd:
    case __NR_msgrcv:
        return ObjectKind::mq;
#endif
#ifdef __NR_semop
    case __NR_semop:
#endif
#ifdef __NR_semtimedop
    case __NR_semtimedop:
#endif
#ifdef __NR_semtimedop_time64
    case __NR_semtimedop_time64:
#endif
#if defined __NR_semop || defined __NR_semtimedop || defined __NR_semtimedop_time64
        return ObjectKind::sem;
#endif
#ifdef __NR_ipc
    case __NR_ipc: {
        const std::uint64_t call = id & 0xffff; // the version of the call is above
        id = second;
        if (call == 1 || call == 4) // SEMOP, SEMTIMEDOP
            return ObjectKind::sem;
        if (call == 11 || call == 12) // MSGSND, MSGRCV
            return ObjectKind::mq;
        return std::nullopt;
    }
#endif
    default:
        static_cast<void>(id);
        static_cast<void>(second);
        return std::nullopt;
    }
}

/// Takes a word of `NUMBER 0xARGUMENT… 0xSTACK 0xCOUNTER`.
std::optional<std::uint64_t> take_hex(std::string_view& rest) noexcept {
    if (!rest.starts_with(" 0x"))
        return std::nullopt;
    rest.remove_prefix(3);
    std::uint64_t value = 0;
    const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), value, 16);
    if (parsed.ec != std::errc())
        return std::nullopt;
    rest.remove_prefix(static_cast<std::size_t>(parsed.ptr - rest.data()));
    return value;
}

/// Whether the thread could be examined.
bool read_call(pid_t pid, std::string_view line, std::vector<BlockedCall>& calls) {
    if (line.starts_with("running"))
        return true;
    long number = 0;
    const auto parsed = std::from_chars(line.data(), line.data() + line.size(), number);
    if (parsed.ec != std::errc())
        return false;
    if (number < 0) // blocked, and not by a call
        return true;
    line.remove_prefix(static_cast<std::size_t>(parsed.ptr - line.data()));
    std::uint64_t values[7] = {}; // six arguments, the stack pointer
    for (std::uint64_t& value : values) {
        const auto word = take_hex(line);
        if (!word)
            return false;
        value = *word;
    }
    if (sizeof(long) > 4 && values[6] <= UINT32_MAX)
        return false;
    std::uint64_t id = values[0];
    if (const auto kind = kind_of_call(number, id, values[1]))
        calls.push_back({.pid = pid, .kind = *kind, .id = static_cast<int>(id)});
    return true;
}

} // namespace

bool read_calls(pid_t pid, int directory, std::vector<BlockedCall>& calls) {
    bool is_complete = true;
    for (const pid_t thread : procfs::list(text("/proc/", pid, "/task"))) {
        const UniqueFd file(
            openat(directory, text("task/", thread, "/syscall").c_str(), O_RDONLY | O_CLOEXEC));
        char line[256];
        const ssize_t count = file.is_open() ? read(file.get(), line, sizeof line) : -1;
        if (count < 0) {
            const int error = errno;
            if (error == EMFILE || error == ENFILE || error == ENOMEM)
                throw Error(text("/proc/", pid, "/task/", thread, "/syscall"), "cannot read", error,
                            explain_error(error));
            is_complete = is_complete && (error == ENOENT || error == ESRCH);
        } else if (count > 0) {
            is_complete =
                read_call(pid, {line, static_cast<std::size_t>(count)}, calls) && is_complete;
        }
    }
    return is_complete;
}

} // namespace ipc
