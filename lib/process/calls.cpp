// SPDX-License-Identifier: MIT
#include "process/calls.hpp"

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <fcntl.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/limits.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "process/procfs.hpp"

namespace ipc {

namespace {

/// What a thread is blocked in.
struct Call {
    long number = 0;
    std::uint64_t first = 0;  ///< argument
    std::uint64_t second = 0; ///< the next one
    std::uint64_t stack = 0;  ///< its pointer
};

struct Target {
    ObjectKind kind = ObjectKind::mq;
    std::uint64_t id = 0;
};

/// Of ipc(2), which is all of these calls in one.
[[maybe_unused]] std::optional<Target> target_of_ipc(const Call& call) noexcept {
    switch (call.first & 0xffff) { // the version of the call is above
    case 1:                        // SEMOP
    case 4:                        // SEMTIMEDOP
        return Target{.kind = ObjectKind::sem, .id = call.second};
    case 11: // MSGSND
    case 12: // MSGRCV
        return Target{.kind = ObjectKind::mq, .id = call.second};
    default:
        return std::nullopt;
    }
}

#if defined __x86_64__ || defined __i386__

/// A thread can make calls by the numbers of either word size, whatever its own (int $0x80), and
/// which they are does not show. So both count: another call by one of these numbers, such as
/// setresuid(2), keeps no thread for long.
std::optional<Target> target_of(const Call& call) noexcept {
    constexpr long x32 = 0x40000000;
    switch (call.number & ~x32) {
    case 69:  // x86-64: msgsnd
    case 70:  // x86-64: msgrcv
    case 400: // i386: msgsnd
    case 401: // i386: msgrcv
        return Target{.kind = ObjectKind::mq, .id = call.first};
    case 65:  // x86-64: semop
    case 220: // x86-64: semtimedop
    case 420: // i386: semtimedop_time64
        return Target{.kind = ObjectKind::sem, .id = call.first};
    case 117: // i386: ipc
        return target_of_ipc(call);
    default:
        return std::nullopt;
    }
}

bool has_known_numbers(const Call& /*call*/) noexcept { return true; }

#else

std::optional<Target> target_of(const Call& call) noexcept {
    switch (call.number) {
#ifdef __NR_msgsnd
    case __NR_msgsnd:
    case __NR_msgrcv:
        return Target{.kind = ObjectKind::mq, .id = call.first};
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
        return Target{.kind = ObjectKind::sem, .id = call.first};
#endif
#ifdef __NR_ipc
    case __NR_ipc:
        return target_of_ipc(call);
#endif
    default:
        return std::nullopt;
    }
}

/// Not those of threads of the other word size.
bool has_known_numbers(const Call& call) noexcept {
    return (sizeof(long) > 4) == (call.stack > UINT32_MAX);
}

#endif

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

enum class Look : std::uint8_t { blocked, free, refused };

/// Sets `target` if the thread is blocked in a call on a System V object.
Look read_call(std::string_view line, Target& target) noexcept {
    if (line.starts_with("running"))
        return Look::free;
    Call call;
    const auto parsed = std::from_chars(line.data(), line.data() + line.size(), call.number);
    if (parsed.ec != std::errc())
        return Look::refused;
    if (call.number < 0) // blocked, and not by a call
        return Look::free;
    line.remove_prefix(static_cast<std::size_t>(parsed.ptr - line.data()));
    std::uint64_t values[7] = {}; // six arguments, the stack pointer
    for (std::uint64_t& value : values) {
        const auto word = take_hex(line);
        if (!word)
            return Look::refused;
        value = *word;
    }
    call.first = values[0];
    call.second = values[1];
    call.stack = values[6];
    if (!has_known_numbers(call))
        return Look::refused;
    const auto found = target_of(call);
    if (!found)
        return Look::free;
    target = *found;
    return Look::blocked;
}

/// Whether the thread could be examined, or is gone. `directory` is /proc/PID.
bool read_thread(pid_t pid, pid_t thread, int directory, std::vector<BlockedCall>& calls) {
    const std::string path = text("task/", thread, '/');
    const UniqueFd file(openat(directory, (path + "syscall").c_str(), O_RDONLY | O_CLOEXEC));
    char line[256];
    const ssize_t count = file.is_open() ? read(file.get(), line, sizeof line) : -1;
    if (count < 0) {
        const int error = errno;
        if (is_shortage(error))
            throw Error(text("/proc/", pid, '/', path, "syscall"), "cannot read", error,
                        explain_error(error));
        return error == ENOENT || error == ESRCH;
    }
    Target target;
    const Look look = read_call({line, static_cast<std::size_t>(count)}, target);
    if (look == Look::blocked) {
        struct statx status = {};
        const bool is_known = statx(directory, (path + "ns/ipc").c_str(), AT_STATX_DONT_SYNC,
                                    STATX_INO, &status) == 0;
        calls.push_back({.pid = pid,
                         .kind = target.kind,
                         .id = static_cast<int>(target.id),
                         .ipc_namespace = is_known ? status.stx_ino : 0});
    }
    return look != Look::refused || count == 0;
}

} // namespace

bool read_calls(pid_t pid, int directory, std::vector<BlockedCall>& calls) {
    const std::vector<pid_t> threads = procfs::list(text("/proc/", pid, "/task"));
    bool is_complete = true;
    for (const pid_t thread : threads) {
        signals::check();
        is_complete = read_thread(pid, thread, directory, calls) && is_complete;
    }
    if (threads.empty()) // gone, or not for us to see
        is_complete =
            faccessat(directory, "task", R_OK, 0) != 0 && (errno == ENOENT || errno == ESRCH);
    return is_complete;
}

} // namespace ipc
