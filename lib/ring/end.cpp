// SPDX-License-Identifier: MIT
#include "ring/end.hpp"

#include <cerrno>
#include <chrono>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

#include "base/text.hpp"
#include "tool/tool.hpp"

namespace ipc {

namespace {

using namespace std::chrono_literals;

/// A sleeper looks around that often: for what no wake tells of, as an object removed or shortened.
constexpr nanoseconds look_interval = 1s;

static_assert(sizeof(RingHeader) <= RobustWords::largest_block);

} // namespace

futex::Word& RingEnd::own() const noexcept {
    return side_ == RingSide::writer ? header().writer : header().reader;
}

futex::Word& RingEnd::peer() const noexcept {
    return side_ == RingSide::writer ? header().reader : header().writer;
}

bool RingEnd::try_enter(std::unique_ptr<RingMemory> memory) {
    memory_ = std::move(memory);
    guard_.emplace(memory_->header_page());
    words_.emplace(memory_->header_page().first<RobustWords::largest_block>());
    // Before anything else is in it: what is neither empty nor has this is not a ring.
    if (side_ == RingSide::writer)
        header().magic.store(RingHeader::magic_value);
    if (words_->try_take(own())) {
        has_entered_ = true;
        // Now that our place is taken: see above.
        if (!RobustWords::is_held(header().remover.load()) && !memory_->is_removed())
            return true;
        has_entered_ = false;
        words_->release(own());
    } else if (!RobustWords::is_held(header().remover.load())) {
        const auto holder = RobustWords::holder(own().load());
        throw Error(name_.text, text("there is a ", side_ == RingSide::writer ? "writer" : "reader",
                                     " already, process ", holder));
    }
    forget();
    return false;
}

void RingEnd::forget() noexcept {
    words_.reset();
    guard_.reset();
    memory_.reset();
}

void RingEnd::leave() noexcept {
    if (!std::exchange(has_entered_, false))
        return;
    words_->release(own());
    try {
        while (!is_peer_there() && try_remove()) {
        }
    } catch (const Error& error) {
        report(error);
    }
    forget();
}

/// True if it is worth another try, because somebody came and may have gone.
bool RingEnd::try_remove() {
    futex::Word& remover = header().remover;
    if (!words_->try_take(remover))
        return false;
    const bool is_free = !RobustWords::is_held(own().load()) && !is_peer_there();
    if (is_free && !memory_->is_removed())
        memory_->remove();
    words_->release(remover);
    return !is_free && !RobustWords::is_held(own().load());
}

void RingEnd::notify() const noexcept {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if ((own().load(std::memory_order_relaxed) & FUTEX_WAITERS) == 0)
        return;
    own().fetch_and(~std::uint32_t{FUTEX_WAITERS});
    futex::wake(own());
}

/// Returns the value of the peer's word to sleep on.
std::uint32_t RingEnd::announce_sleep() const noexcept {
    // Also while nobody is there: who comes and is gone again before we sleep leaves the word
    // without it, and so another than the one to sleep on.
    std::uint32_t seen = peer().load();
    while ((seen & FUTEX_WAITERS) == 0)
        if (peer().compare_exchange_weak(seen, seen | FUTEX_WAITERS))
            seen |= FUTEX_WAITERS;
    std::atomic_thread_fence(std::memory_order_seq_cst);
    return seen;
}

void RingEnd::sleep(std::uint32_t seen, Deadline deadline) const {
    if (TruncationGuard::tripped())
        throw shortened();
    if (!RobustWords::is_held(seen) && memory_->is_removed())
        throw Error(name_.text, "the object was removed while it was waited for another process");
    futex::wait(peer(), seen, deadline.or_after(look_interval).left());
}

void RingEnd::pause(std::string_view late, nanoseconds time, Deadline deadline) const {
    signals::check();
    if (deadline.passed())
        throw RingTimeout(name_.text, late);
    const timespec left = to_timespec(deadline.or_after(time).left());
    ppoll(nullptr, 0, &left, nullptr);
    signals::check();
}

void RingEnd::sleep_for_input(int fd) {
    signals::check();
    const pid_t id = RobustWords::holder(peer().load());
    if (id != std::exchange(peer_id_, id))
        peer_process_ = UniqueFd(id == 0 ? -1 : static_cast<int>(syscall(SYS_pidfd_open, id, 0)));
    pollfd poll_fds[] = {{.fd = fd, .events = POLLIN, .revents = 0},
                         {.fd = peer_process_.get(), .events = POLLIN, .revents = 0}};
    const timespec at_most = to_timespec(peer_process_.is_open() ? look_interval : looks_.next());
    // The number may mean another process in another PID namespace. The word tells the truth, but
    // wakes nobody here.
    if (ppoll(poll_fds, std::size(poll_fds), &at_most, nullptr) > 0 && poll_fds[1].revents != 0)
        peer_process_ = UniqueFd();
}

Error RingEnd::trouble(std::string_view message) const {
    return TruncationGuard::tripped() ? shortened() : Error(name_.text, message);
}

Error RingEnd::shortened() const { return {name_.text, "somebody has shortened the object"}; }

} // namespace ipc
