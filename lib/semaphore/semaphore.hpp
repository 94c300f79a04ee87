// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <sys/types.h>
#include <utility>

#include "base/deadline.hpp"
#include "object/family.hpp"
#include "object/name.hpp"

namespace ipc {

/// How a wait for semaphores came out.
enum class Waited : std::uint8_t {
    done,
    timed_out, ///< the deadline passed
    removed,   ///< the semaphore was removed while we waited
};

/// A semaphore that is open for changing: of POSIX, or one member of a System V set. Functions
/// throw Error, naming it and the limit that was met, for what Waited does not say.
class Semaphore {
  public:
    virtual ~Semaphore() = default;
    Semaphore(const Semaphore&) = delete;
    Semaphore& operator=(const Semaphore&) = delete;

    const Name& name() const noexcept { return name_; }

    /// Adds `count` at once: sem_post(3), semop(2).
    virtual void post(std::uint64_t count) = 0;
    /// Subtracts `count` once that is possible: all of it, or nothing. A deadline that has passed
    /// means one attempt. With signals::hold(), throws signals::Ended when the process shall end.
    virtual Waited take(std::uint64_t count, Deadline deadline) = 0;
    /// The same for as long as this process lives, over execve(2). However it ends, SIGKILL
    /// included, what was taken is given back.
    virtual Waited take_for_life(std::uint64_t count, Deadline deadline) = 0;
    /// Gives it this value at once: semctl(2) SETVAL.
    virtual void set(std::int64_t value) = 0;

  protected:
    explicit Semaphore(Name name) : name_(std::move(name)) {}

    [[noreturn]] void fail(std::string_view action, int error, std::string_view detail = {}) const;

  private:
    Name name_;
};

/// `member` of a System V set, or its first; UsageError for a POSIX semaphore, which has none.
std::unique_ptr<Semaphore> open_semaphore(const Name& name, std::optional<std::int64_t> member);

/// The value it has now; no permission but to read is needed.
std::int64_t semaphore_value(const Name& name, std::optional<std::int64_t> member);

/// What semop(2) does to one member of a set.
struct Operation {
    unsigned short member;
    short change; ///< 0: wait until the value is zero
};

/// `INDEX+N`, `INDEX-N` or `INDEX=0`. Throws UsageError.
Operation parse_operation(std::string_view text);

/// All of them at once, as soon as that is possible. Throws UsageError for a POSIX semaphore.
Waited operate(const Name& name, std::span<const Operation> operations, Deadline deadline);

/// What a new semaphore shall be.
struct SemaphoreSettings {
    mode_t mode = 0600; ///< exact, whatever the umask
    std::int64_t value = 0;
    std::optional<std::int64_t> members; ///< of a System V set: 1 unless given
};

struct CreatedSemaphore {
    Name name;            ///< it can be found by
    bool is_ours = false; ///< it was not there before
};

/// Makes the semaphore, or finds that it is there. Nobody gets in before it has its value.
CreatedSemaphore create_semaphore(const Name& name, const SemaphoreSettings& settings,
                                  Existing existing);

/// Removes it: sem_unlink(3), semctl(2). Returns false if nothing is there.
bool remove_semaphore(const Name& name);

} // namespace ipc
