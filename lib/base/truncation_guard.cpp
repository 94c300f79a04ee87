// SPDX-License-Identifier: MIT
#include "base/truncation_guard.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <sys/mman.h>

namespace ipc {

namespace {

// The handler touches these, errno, and makes two system calls.
std::span<std::byte> guarded;
std::atomic<bool> was_tripped{false};
struct sigaction before {};

void on_bus(int signal, siginfo_t* info, void*) noexcept {
    const int saved = errno;
    const auto* const address = static_cast<const std::byte*>(info->si_addr);
    const bool is_ours = address >= guarded.data() && address < guarded.data() + guarded.size() &&
                         mmap(guarded.data(), guarded.size(), PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
    if (is_ours)
        was_tripped = true;
    else
        ::signal(signal, SIG_DFL); // the instruction is tried again, and then it ends us
    errno = saved;
}

} // namespace

TruncationGuard::TruncationGuard(std::span<std::byte> pages) noexcept {
    guarded = pages;
    was_tripped = false;
    struct sigaction action {};
    action.sa_sigaction = on_bus;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGBUS, &action, &before);
    // It may have been blocked at the start, and then it would end us.
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGBUS);
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

TruncationGuard::~TruncationGuard() {
    sigaction(SIGBUS, &before, nullptr);
    guarded = {};
}

bool TruncationGuard::tripped() noexcept { return was_tripped; }

} // namespace ipc
