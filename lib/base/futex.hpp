// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>

#include "base/deadline.hpp"

/// Words on which processes that share the memory sleep and wake each other: futex(2).
namespace ipc::futex {

using Word = std::atomic<std::uint32_t>;
static_assert(Word::is_always_lock_free && sizeof(Word) == sizeof(std::uint32_t));

/// Sleeps while the word is `expected`, until a wake, a signal, or `at_most` later; the caller
/// looks again whichever it was.
void wait(const Word& word, std::uint32_t expected, nanoseconds at_most) noexcept;

/// Wakes all who sleep on it.
void wake(const Word& word) noexcept;

} // namespace ipc::futex
