// SPDX-License-Identifier: MIT
#include "semaphore/word.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <climits>
#include <optional>
#include <semaphore.h>

#include "base/text.hpp"

namespace ipc {

namespace {

static_assert(sizeof(SemaphoreImage) == sizeof(sem_t), "another layout of semaphores");

using Word = std::atomic_ref<std::uint64_t>;
static_assert(Word::is_always_lock_free);

constexpr std::uint64_t one_waiter = std::uint64_t{1} << 32U;

constexpr std::uint32_t value_of(std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>(word);
}

} // namespace

std::string SemaphoreImage::fault() const {
    if (value() > SEM_VALUE_MAX)
        return text("holds ", value(), ", SEM_VALUE_MAX = ", SEM_VALUE_MAX);
    if (sharing != between_processes)
        return text("is marked ", sharing, ", a semaphore that processes share ",
                    between_processes);
    return {};
}

std::uint32_t SemaphoreWord::value() const noexcept { return value_of(Word(word_).load()); }

template <class Change> bool SemaphoreWord::exchange(Change change) noexcept {
    const Word word(word_);
    std::uint64_t seen = word.load();
    for (;;) {
        const std::optional<std::uint32_t> value = change(value_of(seen));
        if (!value)
            return false;
        if (!word.compare_exchange_weak(seen, seen - value_of(seen) + *value))
            continue;
        if (*value > value_of(seen) && seen >= one_waiter)
            futex::wake(value_half(), static_cast<int>(std::min<std::uint32_t>(
                                          *value - value_of(seen), INT_MAX)));
        return true;
    }
}

bool SemaphoreWord::try_take() noexcept {
    return exchange(
        [](std::uint32_t value) { return value > 0 ? std::optional(value - 1) : std::nullopt; });
}

bool SemaphoreWord::try_post(std::uint64_t count) noexcept {
    return exchange([count](std::uint32_t value) {
        return value <= SEM_VALUE_MAX && count <= SEM_VALUE_MAX - value
                   ? std::optional(value + static_cast<std::uint32_t>(count))
                   : std::nullopt;
    });
}

void SemaphoreWord::set(std::uint32_t value) noexcept {
    exchange([value](std::uint32_t) { return std::optional(value); });
}

const futex::Word& SemaphoreWord::value_half() const noexcept {
    constexpr int half = std::endian::native == std::endian::little ? 0 : 1;
    return reinterpret_cast<const futex::Word*>(&word_)[half];
}

SemaphoreWord::Waiter::Waiter(SemaphoreWord& semaphore) noexcept : semaphore_(semaphore) {
    Word(semaphore_.word_).fetch_add(one_waiter);
}

SemaphoreWord::Waiter::~Waiter() { Word(semaphore_.word_).fetch_sub(one_waiter); }

void SemaphoreWord::Waiter::sleep(nanoseconds at_most) const noexcept {
    futex::wait(semaphore_.value_half(), 0, at_most);
}

} // namespace ipc
