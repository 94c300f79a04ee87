// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <sys/shm.h>
#include <sys/types.h>
#include <utility>

#include "object/name.hpp"

/// Shared memory of System V: shmget(2), shmctl(2), shmop(2). Functions throw Error that names the
/// segment.
namespace ipc {

/// The identifier behind a key or an `id:`; whether it exists is known only for a key.
int sysv_memory_id(const Name& name);
/// The same where nothing may have that key: returns nothing then.
std::optional<int> try_sysv_memory_id(const Name& name);

/// shmctl(2) IPC_STAT, and where that is not permitted SHM_STAT_ANY.
shmid_ds sysv_memory_status(const Name& name, int id);

struct CreatedSegment {
    Name name; ///< it can be found by
    int id = -1;
};

/// A new segment of `size` bytes, all zero, and of this mode; nothing if its key is taken. What
/// limits it is named in the Error.
std::optional<CreatedSegment> try_create_sysv_memory(const Name& name, std::size_t size,
                                                     mode_t mode);

/// Returns how many attaches keep it alive until they are gone; nothing if it is not there.
std::optional<unsigned long> remove_sysv_memory(const Name& name);

/// Has a segment attached: shmat(2). Its size never changes.
class Attachment {
  public:
    enum class Access : std::uint8_t { read, read_write };

    Attachment(const Name& name, int id, Access access);
    Attachment(Attachment&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
    Attachment& operator=(Attachment&& other) noexcept {
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    Attachment(const Attachment&) = delete;
    Attachment& operator=(const Attachment&) = delete;
    ~Attachment();

    std::span<char> bytes() const noexcept { return bytes_; }

    /// How much of it to touch before what was touched is forgotten.
    static constexpr std::size_t window = std::size_t{1} << 20U;

    /// A window of it: at most `length` bytes from `offset` on, as many as there are.
    std::span<char> part(std::int64_t offset, std::size_t length = window) const noexcept;

    /// Has our page tables forget a part: it no more counts as our memory, and stays as it is.
    void forget(std::span<char> part) const noexcept;

  private:
    std::span<char> bytes_;
};

} // namespace ipc
