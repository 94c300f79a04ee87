// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace ipc {

/// The kinds of objects there are. The first three outlive every process; the others live as long
/// as the processes that have them open.
enum class ObjectKind : std::uint8_t {
    mq,
    sem,
    shm,
    fifo,
    pipe,
    unix_socket,
    lock,
    eventfd,
    memfd,
    map,
    sig,
};

constexpr std::size_t object_kind_count = 11;

/// `mq`, `unix`: as option -k and the column KIND have it.
const char* kind_name(ObjectKind kind) noexcept;
std::optional<ObjectKind> find_kind(std::string_view name) noexcept;

/// A set of kinds.
class KindSet {
  public:
    constexpr KindSet() noexcept = default;
    constexpr KindSet(std::initializer_list<ObjectKind> kinds) noexcept {
        for (const ObjectKind kind : kinds)
            add(kind);
    }
    constexpr void add(ObjectKind kind) noexcept { bits_ |= 1U << static_cast<unsigned>(kind); }
    constexpr bool has(ObjectKind kind) const noexcept {
        return (bits_ >> static_cast<unsigned>(kind) & 1U) != 0;
    }
    constexpr void add(KindSet kinds) noexcept { bits_ |= kinds.bits_; }
    /// Whether at least one of these is in it.
    constexpr bool has_any(KindSet of) const noexcept { return (bits_ & of.bits_) != 0; }
    constexpr bool empty() const noexcept { return bits_ == 0; }
    constexpr KindSet operator|(KindSet more) const noexcept {
        more.bits_ |= bits_;
        return more;
    }

  private:
    unsigned bits_ = 0;
};

/// What outlives processes: listed by default.
constexpr KindSet kept_kinds = {ObjectKind::mq, ObjectKind::sem, ObjectKind::shm};
constexpr KindSet all_kinds = {ObjectKind::mq,   ObjectKind::sem,     ObjectKind::shm,
                               ObjectKind::fifo, ObjectKind::pipe,    ObjectKind::unix_socket,
                               ObjectKind::lock, ObjectKind::eventfd, ObjectKind::memfd,
                               ObjectKind::map,  ObjectKind::sig};

} // namespace ipc
