// SPDX-License-Identifier: MIT
#include "inventory/cleaning.hpp"

#include <algorithm>
#include <ctime>

#include "base/text.hpp"

namespace ipc {

namespace {

constexpr std::uint32_t ftok_file_bits = 0xFFFFFF; ///< all but the letter: ftok(3)

/// On the wall clock as it is set now.
std::int64_t boot_time(std::int64_t now) noexcept {
    timespec since_boot{};
    clock_gettime(CLOCK_BOOTTIME, &since_boot);
    return now - since_boot.tv_sec - 1;
}

std::uint32_t key_of(const Object& object) noexcept {
    return static_cast<std::uint32_t>(object.figures.get_or(Figure::key, 0));
}

std::string describe_age(std::int64_t seconds) {
    constexpr std::int64_t minute = 60;
    constexpr std::int64_t hour = 60 * minute;
    constexpr std::int64_t day = 24 * hour;
    if (seconds < 2 * minute)
        return text(seconds, " s old");
    if (seconds < 2 * hour)
        return text(seconds / minute, " min old");
    return seconds < 2 * day ? text(seconds / hour, " h old") : text(seconds / day, " d old");
}

std::string count_of(std::int64_t count, const char* what) {
    return text(count, ' ', what, count == 1 ? "" : "s");
}

std::string how_known(const Object& object) {
    switch (object.state) {
    case State::orphan: {
        const auto creator = object.figures.get_or(Figure::cpid, 0);
        const auto last = object.figures.get_or(Figure::lastpid, 0);
        const std::string gone =
            last == 0 || last == creator
                ? text("creator ", creator, last == 0 ? " is" : ", also its last user, is")
                : text("creator ", creator, " and last user ", last, " are");
        return text(gone, " gone, nobody attached");
    }
    case State::unused:
        return object.is_system_v() ? "nobody attached" : "nobody has it open or mapped";
    case State::idle:
        return "no user was found";
    case State::malformed:
        return "it is not what its name says";
    default:
        return "processes that could not be examined may use it";
    }
}

/// What there is of it; empty where nothing is worth a word.
std::string describe_content(const Object& object) {
    const auto [figure, what] = object.kind == ObjectKind::mq ? std::pair(Figure::msgs, "message")
                                : object.kind == ObjectKind::sem
                                    ? std::pair(Figure::nsems, "semaphore")
                                    : std::pair(Figure::size, "byte");
    const auto count = object.figures.get(figure);
    return count ? text(", ", count_of(*count, what)) : std::string();
}

} // namespace

Cleaning::Cleaning(const CleaningRules& rules, const std::vector<Object>& objects, std::int64_t now)
    : rules_(rules), now_(now), booted_(boot_time(now)) {
    for (const Object& object : objects)
        if (object.is_system_v() && object.state == State::in_use && key_of(object) != 0) {
            const std::int64_t creator = object.figures.get_or(Figure::creator, -1);
            keys_in_use_.emplace_back(creator, key_of(object));
            files_in_use_.emplace_back(creator, key_of(object) & ftok_file_bits);
        }
    std::ranges::sort(keys_in_use_);
    std::ranges::sort(files_in_use_);
}

bool Cleaning::is_chosen(State state) const noexcept {
    return std::ranges::find(rules_.states, state) != rules_.states.end();
}

/// A program that has several queues and sets often has the keys of one file, or numbers them, and
/// need not wait in all of them at once.
bool Cleaning::has_neighbour_in_use(const Object& object) const {
    constexpr std::uint32_t reach = 2;
    const std::uint32_t key = key_of(object);
    if (!object.is_system_v() || key == 0)
        return false;
    const std::int64_t creator = object.figures.get_or(Figure::creator, -1);
    const std::uint32_t lowest = key > reach ? key - reach : 1;
    const auto near = std::ranges::lower_bound(keys_in_use_, std::pair(creator, lowest));
    if (near != keys_in_use_.end() && near->first == creator &&
        near->second - lowest <= key - lowest + reach)
        return true;
    return std::ranges::binary_search(files_in_use_, std::pair(creator, key & ftok_file_bits));
}

/// Nothing where no time can be believed: one that has not come yet, or was before the boot, tells
/// that the clock was set.
std::optional<std::int64_t> Cleaning::age(const Object& object) const noexcept {
    std::int64_t latest = 0;
    for (const Figure time : {Figure::ctime, Figure::mtime, Figure::send, Figure::recv,
                              Figure::attach, Figure::detach, Figure::operation})
        latest = std::max(latest, object.figures.get_or(time, 0));
    if (latest > now_ || latest < booted_)
        return std::nullopt;
    return now_ - latest;
}

std::string Cleaning::why_kept(const Object& object) const {
    if (!object.users.empty())
        return "is in use";
    if (rules_.older_than > std::chrono::nanoseconds::zero()) {
        const auto seconds = age(object);
        if (!seconds)
            return "its times are before the boot or not yet: how old it is cannot be told "
                   "(--older-than 0)";
        // The kernel's times lack what is behind the second.
        if (std::chrono::seconds(*seconds - 1) < rules_.older_than)
            return text(describe_age(*seconds), " only (--older-than)");
    }
    if (object.kind == ObjectKind::mq && rules_.messages == Data::kept) {
        const auto messages = object.figures.get(Figure::msgs);
        if (!messages)
            return "it may hold messages, which cannot be seen (--with-data)";
        if (*messages > 0)
            return text("holds ", count_of(*messages, "message"), " (--with-data)");
    }
    if (object.kind != ObjectKind::shm && has_neighbour_in_use(object))
        return "one of the same creator with a neighbouring key is in use";
    return {};
}

std::string Cleaning::describe(const Object& object) const {
    const auto seconds = age(object);
    return text(state_name(object.state), ": ", how_known(object), ", ",
                seconds ? describe_age(*seconds) : "of unknown age", describe_content(object));
}

std::string describe_state(const Object& object, const ProcessScan& scan) {
    constexpr std::size_t most = 3;
    if (object.state != State::in_use)
        return text("is ", state_name(object.state), ": ",
                    object.state == State::marked ? "removed already, and still attached"
                                                  : how_known(object));
    std::string line = "is in use";
    std::size_t named = 0;
    pid_t last = 0;
    for (const Use& use : object.users) {
        if (use.pid == last)
            continue;
        last = use.pid;
        if (named == most)
            return line + " and others";
        const std::string& command = scan.command(use.pid);
        line += text(named++ == 0 ? " by " : ", ", use.pid);
        if (!command.empty())
            line += text(" (", printable(command), ')');
    }
    return line;
}

} // namespace ipc
