// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>

#include "base/deadline.hpp"

/// Words on which processes that share the memory sleep and wake each other: futex(2).
namespace ipc::futex {

using Word = std::atomic<std::uint32_t>;
static_assert(Word::is_always_lock_free && sizeof(Word) == sizeof(std::uint32_t));

/// Sleeps while the word is `expected`, until a wake, a signal, or `at_most` later; the caller
/// looks again whichever it was.
void wait(const Word& word, std::uint32_t expected, nanoseconds at_most) noexcept;

/// Wakes so many of those who sleep on it.
void wake(const Word& word, int count = std::numeric_limits<int>::max()) noexcept;

} // namespace ipc::futex
