// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <sys/types.h>

#include "base/fd.hpp"
#include "base/file_id.hpp"
#include "object/family.hpp"
#include "object/name.hpp"

namespace ipc {

enum class Keep : std::uint8_t { no, yes };

/// A FIFO in the file system, or an inherited descriptor of a FIFO or pipe: fifo(7). The file is
/// made if it is missing, and what was made goes with the object unless it is to be kept. Nothing
/// is opened that is no FIFO, and no symbolic link is followed but those of /proc to descriptors,
/// such as the shell's >(COMMAND).
class Fifo {
  public:
    /// `mode` is exact, whatever the umask. One that is there already, in a directory where all may
    /// make files, must be `existing`. Throws Error.
    Fifo(Name name, mode_t mode, Keep keep, Existing existing);
    Fifo(Fifo&& other) noexcept;
    Fifo(const Fifo&) = delete;
    Fifo& operator=(Fifo&&) = delete;
    Fifo& operator=(const Fifo&) = delete;
    ~Fifo() { remove(); }

    /// Removes the file, if it is to be removed. It goes before our end of it is closed: whoever
    /// opened it in between would wait for a peer for ever.
    void remove() noexcept;

    const Name& name() const noexcept { return name_; }
    const std::string& path() const noexcept { return path_; }

    /// open(2) with these flags, without ever waiting for the other end. Not open, with errno set,
    /// if it cannot be: ENXIO where it is for writing alone and there is no reader.
    UniqueFd try_open(int flags) const noexcept;

    /// Whether `fd` is open on this very FIFO.
    bool is(int fd) const noexcept;
    /// Whether both are the same FIFO, whatever their names.
    bool is(const Fifo& other) const noexcept { return identity_ == other.identity_; }
    /// Whether it is a pipe that no path leads to: nobody can open it but those who have it.
    bool is_anonymous() const noexcept { return is_anonymous_; }

  private:
    bool find(Existing existing);
    bool make(mode_t mode, int tries) const;

    Name name_;
    UniqueFd inherited_;
    std::string path_;
    bool is_link_ = false; ///< of /proc, to a descriptor
    bool is_anonymous_ = false;
    bool is_ours_ = false; ///< to be removed
    FileId identity_;
};

} // namespace ipc
