// SPDX-License-Identifier: MIT
#include "report/filter.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "base/error.hpp"
#include "base/text.hpp"

namespace ipc {

namespace {

/// Calls `take` with each word between commas.
template <class Take> void for_each_word(std::string_view list, Take take) {
    for (;;) {
        const std::size_t comma = list.find(',');
        take(list.substr(0, comma));
        if (comma == std::string_view::npos)
            return;
        list.remove_prefix(comma + 1);
    }
}

struct Prefix {
    std::string_view text;
    ObjectKind object_kind;
    Kind name_kind;
};

constexpr Prefix prefixes[] = {
    {"mq:", ObjectKind::mq, Kind::queue},
    {"sem:", ObjectKind::sem, Kind::semaphore},
    {"shm:", ObjectKind::shm, Kind::shared_memory},
    {"fifo:", ObjectKind::fifo, Kind::fifo},
};

} // namespace

KindSet parse_kinds(std::string_view list) {
    KindSet kinds;
    for_each_word(list, [&](std::string_view word) {
        const auto kind = find_kind(word);
        if (!kind)
            throw UsageError(text("'", printable(word),
                                  "' is none of mq, sem, shm, fifo, pipe, unix, lock, eventfd, "
                                  "memfd, map and sig"));
        kinds.add(*kind);
    });
    return kinds;
}

std::vector<State> parse_states(std::string_view list) {
    std::vector<State> states;
    for_each_word(list, [&](std::string_view word) {
        const auto state = find_state(word);
        if (!state)
            throw UsageError(text("'", printable(word),
                                  "' is none of in-use, unused, idle, orphan, marked, malformed "
                                  "and unknown"));
        states.push_back(*state);
    });
    return states;
}

ObjectName::ObjectName(std::string_view text) : text_(text), listed_(text) {
    for (const Prefix& prefix : prefixes)
        if (text.starts_with(prefix.text)) {
            kinds_ = {prefix.object_kind};
            name_ = parse_name(prefix.name_kind, text);
        }
    for (std::size_t i = 0; kinds_.empty() && i < object_kind_count; ++i) {
        const auto kind = static_cast<ObjectKind>(i);
        if (!kept_kinds.has(kind) && kind != ObjectKind::fifo &&
            text.starts_with(ipc::text(kind_name(kind), ':')))
            kinds_ = {kind};
    }
    // Of these the name alone says what they are.
    if (text.starts_with("socket:["))
        kinds_ = {ObjectKind::unix_socket};
    if (kinds_.empty()) {
        kinds_ = kept_kinds;
        name_ = parse_name(Kind::queue, text);
    }
    if (kinds_.has_any({ObjectKind::fifo, ObjectKind::map, ObjectKind::lock}))
        find_file();
    if (name_ && name_->form == Name::Form::fd)
        throw UsageError(
            ipc::text("'", printable(text), "' is a descriptor; only names are listed"));
}

void ObjectName::find_file() {
    const std::size_t colon = text_.find(':');
    const std::unique_ptr<char, decltype(&free)> path(realpath(text_.c_str() + colon + 1, nullptr),
                                                      free);
    if (path)
        listed_ = ipc::text(text_.substr(0, colon + 1), path.get());
    name_.reset();
}

bool ObjectName::matches(const Object& object) const {
    if (!kinds_.has(object.kind))
        return false;
    if (!name_)
        return object.full_name() == listed_;
    switch (name_->form) {
    case Name::Form::id:
        return object.is_system_v() && object.figures.get(Figure::id) == name_->number;
    case Name::Form::key:
        return object.is_system_v() && object.figures.get(Figure::key) == name_->key;
    default:
        return !object.is_system_v() && object.name == name_->text;
    }
}

bool ObjectFilter::selects(const Object& object) const {
    if (owner && (!object.has_owner || object.owner != *owner))
        return false;
    if (process && !is_used_by(object, *process))
        return false;
    return names.empty() || std::any_of(names.begin(), names.end(), [&](const ObjectName& name) {
               return name.matches(object);
           });
}

bool ObjectFilter::has_state(State state) const noexcept {
    return states.empty() || std::find(states.begin(), states.end(), state) != states.end();
}

bool is_used_by(const Object& object, pid_t process) noexcept {
    return std::any_of(object.users.begin(), object.users.end(),
                       [process](const Use& use) { return use.pid == process; });
}

} // namespace ipc
