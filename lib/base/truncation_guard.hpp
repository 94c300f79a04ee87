// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>

namespace ipc {

/// While one lives, touching a mapping whose object was shortened by somebody does not end the
/// process (SIGBUS): the mapping becomes private memory, all zero, and the guard tells. One at a
/// time.
class TruncationGuard {
  public:
    /// `pages` is all or the beginning of a mapping, whole pages of it; it stays the caller's.
    explicit TruncationGuard(std::span<std::byte> pages) noexcept;
    TruncationGuard(const TruncationGuard&) = delete;
    TruncationGuard& operator=(const TruncationGuard&) = delete;
    ~TruncationGuard();

    static bool tripped() noexcept;
};

} // namespace ipc
