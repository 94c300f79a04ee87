// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "base/deadline.hpp"
#include "object/name.hpp"

namespace ipc {

/// A shared memory object of either family, open for reading. A POSIX object is read by descriptor,
/// so that nobody who shortens it meanwhile can end us by SIGBUS; a System V segment, which never
/// gets shorter, where it is attached. Functions throw Error that names the object or stdout, and
/// signals::Ended.
class MemorySource {
  public:
    virtual ~MemorySource() = default;
    MemorySource(const MemorySource&) = delete;
    MemorySource& operator=(const MemorySource&) = delete;

    const Name& name() const noexcept { return name_; }

    /// In bytes, as of now.
    virtual std::int64_t size() const = 0;

    /// Copies what there is from `offset` on. Returns how many bytes; 0 where the object ends.
    virtual std::size_t read(std::span<char> into, std::int64_t offset) = 0;

    /// Where, from `offset` on, there may be other bytes than zeros; the largest number if nowhere.
    virtual std::int64_t data_from(std::int64_t offset) { return offset; }

    /// Writes up to `length` bytes to stdout with as few copies as it takes: stores into the object
    /// may still show in what is in a pipe. Returns how many bytes; 0 where the object ends.
    virtual std::int64_t send(std::int64_t offset, std::int64_t length) = 0;

    /// Whether its name is gone since we opened it, or a segment marked for removal.
    virtual bool is_removed() const = 0;

    /// To be polled for input, and then drained: is_removed() may have changed. -1 if there is
    /// none, which poll(2) ignores.
    virtual int poll_fd() const noexcept = 0;
    virtual void drain() noexcept = 0;
    /// When to ask is_removed() again: `deadline` at most.
    virtual Deadline next_look(Deadline deadline) noexcept = 0;

  protected:
    explicit MemorySource(Name name) : name_(std::move(name)) {}

  private:
    Name name_;
};

std::unique_ptr<MemorySource> open_memory_source(const Name& name);

} // namespace ipc
