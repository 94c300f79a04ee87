// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/deadline.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/signals.hpp"
#include "base/truncation_guard.hpp"
#include "object/name.hpp"
#include "ring/header.hpp"
#include "ring/memory.hpp"
#include "sync/robust_words.hpp"

namespace ipc {

/// Times to sleep when nothing will wake us: they double, up to a second.
class Pauses {
  public:
    nanoseconds next() noexcept {
        const nanoseconds now = next_;
        next_ = std::min<nanoseconds>(2 * next_, std::chrono::seconds(1));
        return now;
    }

  private:
    nanoseconds next_ = std::chrono::milliseconds(1);
};

/// The time of -w ran out before the other side did its part.
class RingTimeout : public Error {
  public:
    using Error::Error;
    ExitStatus status() const noexcept override { return exit_timed_out; }
};

/// What writer and reader have in common: a place in an object, which the kernel takes back should
/// we die, and sleeping until the peer has done something, or is gone.
///
/// Sleeping. Each side sleeps on the word by which the *peer* holds its place, so that one sleep
/// ends when the peer makes progress and when it dies. Who wants to sleep sets FUTEX_WAITERS there
/// and then looks at the counters once more; who has moved a counter then looks whether its own
/// word has FUTEX_WAITERS. Each does a store, a sequentially consistent fence, a load, so at least
/// one of the two sees the store of the other (Dekker): no wake is lost.
///
/// Leaving. Who leaves gives its place back first and then looks whether the other is free: of two
/// that leave at once, at least one finds both free and removes the object, holding the word
/// `remover`. Who enters takes its place first and then looks whether somebody holds `remover`. So
/// nobody enters what is being removed, and nothing is removed that somebody has entered.
class RingEnd {
  public:
    RingEnd(const RingEnd&) = delete;
    RingEnd& operator=(const RingEnd&) = delete;

  protected:
    RingEnd(Name name, RingSide side, std::optional<nanoseconds> timeout)
        : name_(std::move(name)), side_(side), timeout_(timeout) {}
    ~RingEnd() { leave(); }

    /// Takes our place in the object. False if it is being removed: then there will soon be none.
    /// Throws Error if somebody has it.
    bool try_enter(std::unique_ptr<RingMemory> memory);
    /// Gives it back; the last one removes the object. Failing to remove it is reported.
    void leave() noexcept;
    /// Forgets an object that was not entered.
    void forget() noexcept;

    bool has_entered() const noexcept { return has_entered_; }
    RingMemory& memory() const noexcept { return *memory_; }
    RingHeader& header() const noexcept { return memory_->header(); }
    const Name& name() const noexcept { return name_; }

    futex::Word& own() const noexcept;
    futex::Word& peer() const noexcept;
    bool is_peer_there() const noexcept { return RobustWords::is_held(peer().load()); }

    /// Wakes the peer if it sleeps; after whatever it may wait for was stored.
    void notify() const noexcept;

    /// Returns when `is_ready()`; it must become so by what a peer does, or by its end. Throws
    /// RingTimeout with what `late()` says, signals::Ended.
    template <class Late, class Ready> void wait_until(Late late, Ready is_ready) const {
        // Waking a process that sleeps takes far longer than it takes the peer to move a little.
        for (int spin = 0; spin < most_spins; ++spin) {
            if (is_ready())
                return;
            relax();
        }
        const Deadline deadline = deadline_of_wait();
        while (!is_ready_or_sleep(is_ready, deadline))
            if (deadline.passed())
                throw RingTimeout(name_.text, late());
    }

    Deadline deadline_of_wait() const noexcept { return Deadline::after(timeout_); }

    /// Sleeps that long, for what cannot wake us. Throws as wait_until().
    void pause(std::string_view late, nanoseconds time, Deadline deadline) const;

    /// Sleeps until there is input on `fd`, or the peer may have come or ended: a second at most.
    void sleep_for_input(int fd);

    /// `message`, unless what was done to the object is the cause.
    Error trouble(std::string_view message) const;
    Error shortened() const;

  private:
    static constexpr int most_spins = 1000;

    static void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        asm volatile("yield");
#endif
    }

    template <class Ready> bool is_ready_or_sleep(Ready& is_ready, Deadline deadline) const {
        signals::check();
        const std::uint32_t seen = announce_sleep();
        if (is_ready())
            return true;
        sleep(seen, deadline);
        return false;
    }

    std::uint32_t announce_sleep() const noexcept;
    void sleep(std::uint32_t seen, Deadline deadline) const;
    bool try_remove();

    Name name_;
    RingSide side_;
    std::optional<nanoseconds> timeout_;
    std::unique_ptr<RingMemory> memory_;
    std::optional<TruncationGuard> guard_;
    std::optional<RobustWords> words_;
    bool has_entered_ = false;
    UniqueFd peer_process_;
    pid_t peer_id_ = 0; ///< whose descriptor that is, if it could be had
    Pauses looks_;      ///< for a peer that comes
};

} // namespace ipc
