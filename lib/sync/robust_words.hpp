// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <linux/futex.h>
#include <span>

#include "base/futex.hpp"

namespace ipc {

/// Words in shared memory that this process holds, which the kernel gives back when it dies, by
/// SIGKILL too: get_robust_list(2). A word holds its holder's thread id; one without any, whatever
/// its flags, is free. Who sleeps on a word that has FUTEX_WAITERS is woken by the holder's death.
///
/// The list that the kernel goes through lies in memory of our own, where no peer can forge it.
/// One of them at a time, in a process of one thread that uses no robust mutexes.
class RobustWords {
  public:
    static constexpr std::size_t largest_block = 512; ///< in bytes

    /// `block` has all the words, each aligned to 8 bytes; it stays the caller's, and mapped. Needs
    /// no memory of its own, so that it cannot fail.
    explicit RobustWords(std::span<std::byte, largest_block> block) noexcept;
    RobustWords(const RobustWords&) = delete;
    RobustWords& operator=(const RobustWords&) = delete;
    /// Gives back what is still held.
    ~RobustWords();

    static bool is_held(std::uint32_t value) noexcept { return holder(value) != 0; }
    static pid_t holder(std::uint32_t value) noexcept {
        return static_cast<pid_t>(value & FUTEX_TID_MASK);
    }

    /// False if somebody else holds it. FUTEX_WAITERS stays: who sleeps on it is still to be woken.
    bool try_take(futex::Word& word) noexcept;
    /// Gives it back, and wakes who sleeps on it.
    void release(futex::Word& word) noexcept;

  private:
    robust_list& node_of(const futex::Word& word) noexcept;
    futex::Word& word_of(const robust_list& node) const noexcept;
    void link(robust_list& node) noexcept;
    void unlink(const robust_list& node) noexcept;

    std::byte* block_;
    /// As far from each other as the words are.
    std::array<robust_list, largest_block / sizeof(robust_list)> nodes_{};
    robust_list_head head_{};
    std::uint32_t thread_;
};

} // namespace ipc
