// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <sys/types.h>

#include "base/deadline.hpp"
#include "object/name.hpp"
#include "ring/end.hpp"

/// A stream of bytes from one process to another through a ring in shared memory. One writer, one
/// reader, in either order; the object is there from the writer's start to the end of both.
///
/// The writer gives each stream a number, odd while it is prepared. A reader joins a stream once
/// and none that another has joined; a writer prepares the next one only when nobody reads the
/// last. So whoever takes the place of one that died begins anew, and never goes on with half a
/// stream.
///
/// Bytes. `head` counts what the writer has put in, `tail` what the reader has taken out. Each is
/// stored by one side with release, after the bytes were stored or read, and loaded by the other
/// with acquire, before it reads or overwrites them: so the reader never sees a byte before it is
/// there, and the writer never touches one that is still wanted. The side's own counter is kept in
/// its own memory; a peer that forges one makes us fail, and nothing else.
namespace ipc {

struct RingSettings {
    std::optional<std::size_t> size;    ///< of the ring, a power of two
    mode_t mode = 0600;                 ///< of an object that is made
    Existing existing = Existing::ours; ///< of objects that are there already
    bool lockstep = false;
    std::optional<nanoseconds> timeout; ///< for each wait
};

constexpr std::size_t usual_ring_size = std::size_t{1} << 20U;

/// All members throw Error, RingTimeout and signals::Ended. When it is destroyed before it has
/// finished, the reader is told.
class RingWriter : public RingEnd {
  public:
    /// Takes the writer's place, and makes the object if it is not there.
    RingWriter(const Name& name, const RingSettings& settings);
    RingWriter(const RingWriter&) = delete;
    RingWriter& operator=(const RingWriter&) = delete;
    ~RingWriter();

    /// Where the next bytes go, as far as there is room in one piece. Waits for room: once the ring
    /// is full, until half of it is empty; in lockstep until all is.
    std::span<std::byte> room();
    /// The first `count` bytes of it are there.
    void put(std::size_t count);

    /// Sleeps until read(2) on `fd` has something to tell. Throws if the reader goes meanwhile.
    void await_input(int fd);

    /// The end of input: returns when the reader has taken all.
    void finish();

    /// What to throw when read(2) could not store into the room.
    Error cannot_store() const { return shortened(); }

  private:
    enum class Reader : std::uint8_t { none, reading, finished, gone };

    void enter();
    void prepare();
    Reader look() const noexcept;
    std::size_t used() const;
    bool has_room(bool was_full) const;
    void check_reader() const;
    [[noreturn]] void fail() const;

    RingSettings settings_;
    std::span<std::byte> ring_;
    std::uint64_t stream_ = 0;
    std::uint64_t head_ = 0;
    bool has_finished_ = false;
};

class RingReader : public RingEnd {
  public:
    /// Takes the reader's place if the object is there.
    RingReader(const Name& name, std::optional<nanoseconds> timeout);

    /// Waits for a writer, and joins its stream.
    void join();

    /// The next bytes, as far as they lie in one piece; waits for some. Empty at the end of the
    /// stream.
    std::span<const std::byte> bytes();
    /// The first `count` of them are done with.
    void take(std::size_t count);

    /// The stream was read to its end, and the writer may know.
    void finish();

    /// What to throw when write(2) could not read the bytes.
    Error cannot_load() const { return shortened(); }

  private:
    bool try_enter_existing();
    bool try_join();
    bool is_writer_gone() const noexcept;

    std::span<std::byte> ring_;
    std::uint64_t stream_ = 0;
    std::uint64_t head_ = 0; ///< as it was last seen
    std::uint64_t tail_ = 0;
    bool is_lockstep_ = false;
};

} // namespace ipc
