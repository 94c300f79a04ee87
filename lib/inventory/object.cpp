// SPDX-License-Identifier: MIT
#include "inventory/object.hpp"

#include <algorithm>
#include <iterator>
#include <span>

#include "base/text.hpp"

namespace ipc {

namespace {

struct KindInfo {
    const char* persistence;
    /// How names begin that already tell the kind; empty where none does.
    std::string_view own_prefix = {};
};

/// In the order of ObjectKind. A FIFO's name persists in its file system, though not what is in it.
constexpr KindInfo kinds[] = {
    {"kernel"},
    {"kernel"},
    {"kernel"},
    {"filesystem"},
    {"process", "pipe:["},
    {"process", "socket:["},
    {"process", "lock:"},
    {"process", "eventfd:"},
    {"process", "memfd:"},
    {"filesystem"},
    {"process", "sig:"},
};
static_assert(std::size(kinds) == object_kind_count);

const KindInfo& info(ObjectKind kind) noexcept { return kinds[static_cast<std::size_t>(kind)]; }

/// In the order of State.
constexpr const char* states[] = {
    "", "in-use", "unused", "idle", "orphan", "marked", "malformed", "unknown",
};
static_assert(std::size(states) == static_cast<std::size_t>(State::unknown) + 1);

} // namespace

const char* state_name(State state) noexcept { return states[static_cast<std::size_t>(state)]; }

std::optional<State> find_state(std::string_view name) noexcept {
    const auto judged = std::span(states).subspan(1);
    const auto found = std::ranges::find(judged, name);
    return found == judged.end() ? std::nullopt
                                 : std::optional(static_cast<State>(found - judged.begin() + 1));
}

std::string_view Object::detail(Detail which) const noexcept {
    const auto found = std::ranges::find(details, which, &std::pair<Detail, std::string>::first);
    return found == details.end() ? std::string_view() : std::string_view(found->second);
}

std::string Object::full_name() const {
    const std::string_view prefix = info(kind).own_prefix;
    if (!prefix.empty() && name.starts_with(prefix))
        return name;
    return text(kind_name(kind), ':', name);
}

const char* Object::persistence() const noexcept { return info(kind).persistence; }

} // namespace ipc
