// SPDX-License-Identifier: MIT
#include "object/object_kind.hpp"

#include <algorithm>
#include <iterator>

namespace ipc {

namespace {

/// In the order of ObjectKind.
constexpr const char* names[] = {
    "mq", "sem", "shm", "fifo", "pipe", "unix", "lock", "eventfd", "memfd", "map", "sig",
};
static_assert(std::size(names) == object_kind_count);

} // namespace

const char* kind_name(ObjectKind kind) noexcept { return names[static_cast<std::size_t>(kind)]; }

std::optional<ObjectKind> find_kind(std::string_view name) noexcept {
    const auto* const found = std::ranges::find(names, name);
    return found == std::end(names)
               ? std::nullopt
               : std::optional(static_cast<ObjectKind>(found - std::begin(names)));
}

} // namespace ipc
