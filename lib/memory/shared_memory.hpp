// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <utility>

#include "base/fd.hpp"
#include "object/family.hpp"
#include "object/name.hpp"

/// POSIX shared memory by descriptor: shm_overview(7). Its objects are files in /dev/shm, or have
/// no name (memfd_create(2)) and are handed down. Functions throw Error that names the object.
namespace ipc {

/// Whether there is shared memory of that name; what else may be there is an Error, and that nobody
/// lets us look.
bool memory_exists(const Name& name);

/// Opens what is there, with O_RDONLY or O_RDWR. Never blocks, follows no symlink, and refuses what
/// is no regular file, without opening it where that can be told before.
UniqueFd open_memory(const Name& name, int flags);

/// The same where it may be missing: returns nothing then.
std::optional<UniqueFd> try_open_memory(const Name& name, int flags);

/// A descriptor for its status, mode and owner alone, which needs no permission on the object: one
/// of O_PATH (open(2)) where it may not be read.
UniqueFd refer_to_memory(const Name& name);

struct stat memory_status(const Name& name, const UniqueFd& memory);

/// Throws Error unless an existing object will do where one was to be created: check_owner().
void check_memory_owner(const Name& name, const UniqueFd& memory, Existing existing);

/// Throws Error if `fd`, which is called `other`, is the object itself: copying one to the other
/// need never end.
void refuse_itself(const Name& name, const UniqueFd& memory, int fd, std::string_view other);

/// New memory without a name, open for reading and writing, of size 0, and of this very mode
/// whatever the umask. `name` is what it will be called: nobody can find it, and nothing is left
/// should we die, until try_publish_memory() has named it.
UniqueFd make_memory(const Name& name, mode_t mode);

/// Gives it its name, in one step. Returns false, and changes nothing, if there is something of
/// that name already, whatever it is.
bool try_publish_memory(const Name& name, const UniqueFd& memory);

/// Both: a new object of size 0, or nothing if there is something of that name.
std::optional<UniqueFd> try_create_memory(const Name& name, mode_t mode);

/// What becomes of the size when room is reserved behind it.
enum class Grow : std::uint8_t { no, yes };

/// Sees to it that these bytes have memory of their own, so that storing into them cannot fail, as
/// a mapping does with SIGBUS: fallocate(2). If there is not enough, nothing has changed, and the
/// Error names the size, what is free, and the file system. Throws signals::Ended, too.
void reserve_memory(const Name& name, const UniqueFd& memory, std::int64_t offset,
                    std::int64_t length, Grow grow = Grow::yes);

/// What stands behind an errno value of fallocate(2) or write(2) for `length` bytes more: the room
/// that is free and where, or the limit.
std::string explain_reserve(const Name& name, const UniqueFd& memory, std::int64_t length,
                            int error);

/// Gives back what was reserved of these bytes beyond the end of the object, if it was.
void release_reserved(const UniqueFd& memory, std::int64_t offset, std::int64_t length) noexcept;

/// Makes it smaller or larger; if it grows, what is new is reserved.
void resize_memory(const Name& name, const UniqueFd& memory, std::int64_t size);

/// Removes the object of either family: shm_unlink(3), shmctl(2). Returns nothing if it is not
/// there. Those who have it attached or mapped keep it until they are done; how many attaches there
/// are is returned for System V, 0 for POSIX, where the kernel does not tell.
std::optional<unsigned long> remove_memory(const Name& name);

/// Removes the name of a POSIX object if it still is that of this very one.
void remove_memory_exactly(const Name& name, const UniqueFd& memory);

/// Owns a shared mapping of a whole number of bytes from the start of an object: mmap(2). Whoever
/// may write to the object can shorten it, and then touching what is gone is SIGBUS.
class MemoryMapping {
  public:
    enum class Access : std::uint8_t { read, read_write };

    MemoryMapping(const Name& name, const UniqueFd& memory, std::size_t size, Access access);
    MemoryMapping(MemoryMapping&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
    MemoryMapping& operator=(MemoryMapping&& other) noexcept {
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    MemoryMapping(const MemoryMapping&) = delete;
    MemoryMapping& operator=(const MemoryMapping&) = delete;
    ~MemoryMapping();

    std::span<std::byte> bytes() const noexcept { return bytes_; }

  private:
    std::span<std::byte> bytes_;
};

} // namespace ipc
