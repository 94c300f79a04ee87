// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "base/fd.hpp"

namespace ipc {

/// Copies what is in a pipe into other pipes, and moves it on to an output of any kind, without
/// touching a byte: tee(2), splice(2).
class PipeTee {
  public:
    /// Whoever has to wait meanwhile.
    struct Waiter {
        virtual ~Waiter() = default;
        /// Waits until there may be room in the target, or it has failed, or a signal comes.
        virtual void wait_for_room(int target) = 0;
    };

    /// `source` stays the caller's, and nobody else reads from it. So does the waiter, whose
    /// errors are thrown by all that follows.
    PipeTee(int source, Waiter& waiter) noexcept;

    /// How many bytes are in the source; 0 if it is no pipe, or this is not possible.
    std::size_t available() noexcept;

    struct Target {
        int fd = -1;
        int error = 0; ///< an errno value, once it has failed
    };

    /// Copies some of the bytes that are in the source, at most `count`, and leaves them there.
    /// Waits until there is room in the target. Returns how many: 0 if that fails. Throws
    /// signals::Ended.
    std::size_t copy_some(Target& target, std::size_t count);

    /// The same for all of them; fewer if it fails. Throws Error, and signals::Ended.
    void copy(Target& target, std::size_t count);

    /// Moves as many bytes out of the source. Returns how many: fewer if the target has failed.
    std::size_t move(Target& target, std::size_t count) { return move(source_, target, count); }

    /// Takes as many bytes out of the source. Throws Error, and signals::Ended.
    void discard(std::size_t count) { discard(source_, count); }

  private:
    template <class Call> std::size_t once(Target& target, Call call);
    std::size_t move(int from, Target& target, std::size_t count);
    void discard(int from, std::size_t count);
    bool has_scratch() noexcept;

    int source_;
    Waiter& waiter_;
    bool is_pipe_;
    UniqueFd scratch_in_;
    UniqueFd scratch_out_;
    UniqueFd nowhere_;
};

} // namespace ipc
