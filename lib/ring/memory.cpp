// SPDX-License-Identifier: MIT
#include "ring/memory.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "memory/shared_memory.hpp"
#include "memory/sysv.hpp"
#include "object/foreign.hpp"

namespace ipc {

namespace {

/// Whether the first page of an object is that of a ring. False for memory as the kernel makes it,
/// where that was given to us for a ring; throws for anything else.
bool has_ring(const Name& name, std::span<const std::byte> page) {
    std::uint64_t magic = 0;
    if (page.size() >= sizeof magic)
        std::memcpy(&magic, page.data(), sizeof magic);
    if (magic == RingHeader::magic_value)
        return true;
    const bool is_new =
        std::all_of(page.begin(), page.end(), [](std::byte byte) { return byte == std::byte{0}; });
    // We never publish a POSIX object without its ring.
    if (!is_new || name.form == Name::Form::posix)
        throw Error(name.text, "this holds something else than a ring of shmpipe");
    return false;
}

/// A POSIX object, or any memory that was handed down as a descriptor.
class RingFile final : public RingMemory {
  public:
    RingFile(Name name, UniqueFd fd, bool has_name)
        : name_(std::move(name)), fd_(std::move(fd)), has_name_(has_name),
          header_(name_, fd_, ring_offset(), MemoryMapping::Access::read_write) {}

    bool try_publish() override { return has_name_ = try_publish_memory(name_, fd_); }
    std::span<std::byte> header_page() const noexcept override { return header_.bytes(); }
    void prepare(std::optional<std::size_t> size, std::size_t usual) override;
    std::span<std::byte> map_ring() override;
    bool is_removed() const override {
        return has_name_ && memory_status(name_, fd_).st_nlink == 0;
    }
    void remove() const override {
        if (has_name_)
            remove_memory_exactly(name_, fd_);
    }

  private:
    std::size_t ring_size() const {
        return ring_size_in(static_cast<std::size_t>(memory_status(name_, fd_).st_size));
    }

    Name name_;
    UniqueFd fd_;
    bool has_name_;
    MemoryMapping header_;
    std::optional<MemoryMapping> whole_;
};

void RingFile::prepare(std::optional<std::size_t> size, std::size_t usual) {
    const std::size_t present = ring_size();
    const std::size_t wanted = size.value_or(present != 0 ? present : usual);
    const auto whole = static_cast<std::int64_t>(ring_offset() + wanted);
    if (present != wanted)
        resize_memory(name_, fd_, whole);
    reserve_memory(name_, fd_, 0, whole); // it may have had holes
}

std::span<std::byte> RingFile::map_ring() {
    const std::size_t size = ring_size();
    if (size == 0)
        return {};
    whole_.emplace(name_, fd_, ring_offset() + size, MemoryMapping::Access::read_write);
    return whole_->bytes().subspan(ring_offset());
}

std::vector<std::byte> first_page(const Name& name, const UniqueFd& fd) {
    std::vector<std::byte> page(ring_offset());
    ssize_t count = 0;
    while ((count = pread(fd.get(), page.data(), page.size(), 0)) == -1)
        if (errno != EINTR)
            throw Error(name.text, "cannot read", errno);
    page.resize(static_cast<std::size_t>(count));
    return page;
}

std::unique_ptr<RingMemory> try_open_file(const Name& name, RingSide side, Existing existing) {
    auto fd = try_open_memory(name, O_RDWR);
    if (!fd)
        return nullptr;
    check_memory_owner(name, *fd, existing);
    const auto page = first_page(name, *fd);
    const bool is_ready = has_ring(name, page) && page.size() == ring_offset();
    if (!is_ready && side == RingSide::reader)
        return nullptr;
    if (!is_ready)
        reserve_memory(name, *fd, 0, static_cast<std::int64_t>(ring_offset()));
    return std::make_unique<RingFile>(name, std::move(*fd), name.form == Name::Form::posix);
}

class RingSegment final : public RingMemory {
  public:
    RingSegment(const Name& name, int id)
        : self_{.form = Name::Form::id, .text = name.text, .number = id},
          attachment_(self_, id, Attachment::Access::read_write) {}

    std::span<std::byte> header_page() const noexcept override {
        return bytes().first(ring_offset());
    }
    void prepare(std::optional<std::size_t> size, std::size_t usual) override;
    std::span<std::byte> map_ring() override {
        return bytes().subspan(ring_offset(), ring_size_in(bytes().size()));
    }
    bool is_removed() const override {
        return (sysv_memory_status(self_, self_.number).shm_perm.mode & SHM_DEST) != 0;
    }
    void remove() const override { remove_memory(self_); }

  private:
    std::span<std::byte> bytes() const noexcept {
        return std::as_writable_bytes(attachment_.bytes());
    }

    Name self_; ///< by its identifier: the key may be another's meanwhile
    Attachment attachment_;
};

void RingSegment::prepare(std::optional<std::size_t> size, std::size_t) {
    const std::size_t present = ring_size_in(bytes().size());
    if (size.value_or(present) != present)
        throw Error(self_.text, text("this segment is there already, with a ring of ", present,
                                     " bytes, and cannot have one of ", *size));
}

std::unique_ptr<RingMemory> attach_new(const Name& name, int id) try {
    return std::make_unique<RingSegment>(name, id);
} catch (...) {
    remove_memory({.form = Name::Form::id, .text = name.text, .number = id});
    throw;
}

std::unique_ptr<RingMemory> try_open_segment(const Name& name, RingSide side,
                                             Existing existing) try {
    const int id = sysv_memory_id(name);
    check_owner(name, sysv_memory_status(name, id).shm_perm, existing);
    const Attachment look(name, id, Attachment::Access::read);
    const auto bytes = std::as_bytes(look.bytes());
    if (ring_size_in(bytes.size()) == 0)
        throw Error(name.text, text("this segment is too small for a ring: ", bytes.size(),
                                    " bytes, and the least is ", 2 * ring_offset()));
    if (!has_ring(name, bytes.first(ring_offset())) && side == RingSide::reader)
        return nullptr;
    return std::make_unique<RingSegment>(name, id);
} catch (const Error& error) {
    // Not there, or just removed; and only a key can come again.
    if (name.form != Name::Form::key || error.code().value() != ENOENT)
        throw;
    return nullptr;
}

} // namespace

std::size_t ring_offset() noexcept {
    static const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    return page;
}

std::size_t ring_size_in(std::size_t object_size) noexcept {
    return object_size < 2 * ring_offset() ? 0 : std::bit_floor(object_size - ring_offset());
}

RingHeader& RingMemory::header() const noexcept {
    return *static_cast<RingHeader*>(static_cast<void*>(header_page().data()));
}

std::unique_ptr<RingMemory> RingMemory::try_open(const Name& name, RingSide side,
                                                 Existing existing) {
    return name.is_system_v() ? try_open_segment(name, side, existing)
                              : try_open_file(name, side, existing);
}

std::unique_ptr<RingMemory> RingMemory::try_create(const Name& name, std::size_t size,
                                                   mode_t mode) {
    if (name.is_system_v()) {
        const auto segment = try_create_sysv_memory(name, ring_offset() + size, mode);
        return segment ? attach_new(name, segment->id) : nullptr;
    }
    UniqueFd fd = make_memory(name, mode);
    resize_memory(name, fd, static_cast<std::int64_t>(ring_offset() + size));
    return std::make_unique<RingFile>(name, std::move(fd), false);
}

} // namespace ipc
