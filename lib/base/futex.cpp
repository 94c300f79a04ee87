// SPDX-License-Identifier: MIT
#include "base/futex.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ipc::futex {

void wait(const Word& word, std::uint32_t expected, nanoseconds at_most) noexcept {
    const timespec timeout = to_timespec(at_most);
    syscall(SYS_futex, &word, FUTEX_WAIT, expected, &timeout);
}

void wake(const Word& word, int count) noexcept { syscall(SYS_futex, &word, FUTEX_WAKE, count); }

} // namespace ipc::futex
