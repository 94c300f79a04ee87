// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/deadline.hpp"
#include "base/futex.hpp"

namespace ipc {

/// A copy of a semaphore of the C library, which is what a file of sem_overview(7) holds: on
/// machines with atomic operations on 64 bits, glibc keeps the value in the low half of the first
/// word, the number of those that wait in the high half, and behind them how it is shared.
struct SemaphoreImage {
    /// glibc's mark of a semaphore that processes share: what it takes away from
    /// FUTEX_PRIVATE_FLAG.
    static constexpr std::uint32_t between_processes = 128;

    std::uint64_t word = 0;
    std::uint32_t sharing = between_processes;
    std::array<std::uint32_t, 5> unused{};

    std::uint32_t value() const noexcept { return static_cast<std::uint32_t>(word); }
    std::uint32_t waiters() const noexcept { return static_cast<std::uint32_t>(word >> 32U); }

    /// What it holds that no semaphore can; empty if it is one.
    std::string fault() const;
};

/// The same in memory that others may change at any moment. glibc would take the operation for
/// futex(2) from `sharing`, which a peer can forge; here the operations are constant, and they are
/// those that glibc uses for what processes share, so that both wake each other.
class SemaphoreWord {
  public:
    /// `image` stays the caller's.
    explicit SemaphoreWord(SemaphoreImage& image) noexcept : word_(image.word) {}

    std::uint32_t value() const noexcept;

    /// Subtracts one; false if it is 0.
    bool try_take() noexcept;
    /// Adds all of `count`, and wakes as many; false if more than SEM_VALUE_MAX would be there.
    bool try_post(std::uint64_t count) noexcept;
    void set(std::uint32_t value) noexcept;

    /// While one lives, posts wake one that sleeps.
    class Waiter {
      public:
        explicit Waiter(SemaphoreWord& semaphore) noexcept;
        Waiter(const Waiter&) = delete;
        Waiter& operator=(const Waiter&) = delete;
        ~Waiter();

        /// Sleeps while the value is 0, as futex::wait() does.
        void sleep(nanoseconds at_most) const noexcept;

      private:
        SemaphoreWord& semaphore_;
    };

  private:
    const futex::Word& value_half() const noexcept;
    /// Changes the value to what `change` makes of it; false if that is nothing.
    template <class Change> bool exchange(Change change) noexcept;

    std::uint64_t& word_;
};

} // namespace ipc
