// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "object/family.hpp"
#include "object/name.hpp"

namespace ipc {

/// A shared memory object of either family that takes stdin. A POSIX object grows as is needed, by
/// descriptor, so that nothing ends us by SIGBUS; a System V segment has the size that it has.
/// Functions throw Error that names the object or stdin, and signals::Ended.
class MemoryTarget {
  public:
    virtual ~MemoryTarget() = default;
    MemoryTarget(const MemoryTarget&) = delete;
    MemoryTarget& operator=(const MemoryTarget&) = delete;

    const Name& name() const noexcept { return name_; }

    /// What becomes of what the object has behind the bytes that are stored.
    enum class Rest : std::uint8_t { stays, goes };

    /// What is stored begins at `offset`, and has `length` bytes as far as that is known: refuses
    /// what does not fit, and reserves that and all before it, of which what was not there is zero.
    /// If it throws, nothing has changed. UsageError if the rest of a segment shall go.
    virtual void begin(std::int64_t offset, std::int64_t length, Rest rest) = 0;

    /// Keeps what try_create_memory_target() made, which else goes with us; returns false if there
    /// is another of that name by now. Until then nobody can find it, if it is a POSIX object.
    virtual bool try_publish() = 0;

    /// Stores some more of stdin. Returns false at the end of input.
    virtual bool receive() = 0;

    /// How many bytes have been stored, also when receive() threw.
    std::int64_t stored() const noexcept { return stored_; }

    /// All is stored: does to the rest what shall be done.
    virtual void finish() = 0;

  protected:
    explicit MemoryTarget(Name name) : name_(std::move(name)) {}

    void add_stored(std::int64_t count) noexcept { stored_ += count; }

  private:
    Name name_;
    std::int64_t stored_ = 0;
};

/// Null if there is no such object. `existing` says whose will do where one was to be created.
std::unique_ptr<MemoryTarget> try_open_memory_target(const Name& name, Existing existing);

/// A new object of `size` bytes and mode 0600; null if there is one of that name already.
std::unique_ptr<MemoryTarget> try_create_memory_target(const Name& name, std::int64_t size);

} // namespace ipc
