// SPDX-License-Identifier: MIT
#include "object/name.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <limits>
#include <optional>
#include <sys/ipc.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace ipc {

namespace {

struct KindInfo {
    std::string_view prefix;
    std::string_view described;
    std::size_t longest; ///< bytes behind the slash: NAME_MAX less what the C library puts before
};

constexpr std::array kinds = {
    KindInfo{"mq:", "a message queue", 255},
    KindInfo{"sem:", "a semaphore", 251},
    KindInfo{"shm:", "shared memory", 255},
    KindInfo{"fifo:", "a FIFO", 0},
};

const KindInfo& info(Kind kind) { return kinds[static_cast<std::size_t>(kind)]; }

[[noreturn]] void reject(std::string_view name, std::string_view reason) {
    throw UsageError(text("'", printable(name), "' ", reason));
}

bool take_prefix(std::string_view& text, std::string_view prefix) noexcept {
    if (!text.starts_with(prefix))
        return false;
    text.remove_prefix(prefix.size());
    return true;
}

/// The kind in front is dropped; another's is refused.
std::string_view without_kind(Kind kind, std::string_view name) {
    for (const KindInfo& other : kinds) {
        std::string_view rest = name;
        if (!take_prefix(rest, other.prefix))
            continue;
        if (&other != &info(kind))
            throw Error(
                {}, text(printable(name), " is ", other.described, ", not ", info(kind).described));
        return rest;
    }
    return name;
}

std::optional<std::int64_t> integer(std::string_view digits, int base) noexcept {
    std::int64_t value = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
    if (error != std::errc() || end != digits.data() + digits.size() || digits.starts_with('-'))
        return std::nullopt;
    return value;
}

key_t parse_key(std::string_view name, std::string_view digits) {
    std::string_view rest = digits;
    const bool negative = take_prefix(rest, "-");
    const int base = take_prefix(rest, "0x") || take_prefix(rest, "0X") ? 16
                     : rest.size() > 1 && rest.starts_with('0')         ? 8
                                                                        : 10;
    const auto value = integer(rest, base);
    if (!value)
        reject(name, "is not a key (such as key:0x4d2, key:1234 or key:02322)");
    const std::int64_t limit = negative ? -std::int64_t{std::numeric_limits<key_t>::min()}
                                        : std::int64_t{std::numeric_limits<std::uint32_t>::max()};
    if (*value > limit)
        reject(name, "is out of range; a key has 32 bits");
    if (*value == 0)
        reject(name, "means IPC_PRIVATE, which names no object");
    return static_cast<key_t>(negative ? -*value : *value);
}

int parse_small(std::string_view name, std::string_view digits, std::string_view what) {
    const auto value = integer(digits, 10);
    if (!value || *value > std::numeric_limits<int>::max())
        reject(name, text("is not ", what));
    return static_cast<int>(*value);
}

struct FtokArguments {
    std::string path;
    int id = 1;
};

/// What follows the last colon is the ID if it can be one: a number, else one character.
FtokArguments split_ftok(std::string_view name, std::string_view rest) {
    const std::size_t colon = rest.rfind(':');
    if (colon == std::string_view::npos)
        return {.path = std::string(rest)};
    const std::string_view id = rest.substr(colon + 1);
    const bool is_number = !id.empty() && std::all_of(id.begin(), id.end(),
                                                      [](char c) { return c >= '0' && c <= '9'; });
    if (!is_number && id.size() != 1)
        return {.path = std::string(rest)};
    const auto value = is_number ? integer(id, 10) : static_cast<unsigned char>(id[0]);
    if (!value || *value < 1 || *value > 255)
        reject(name, "has an ID that is neither one character nor a number from 1 to 255");
    return {.path = std::string(rest.substr(0, colon)), .id = static_cast<int>(*value)};
}

key_t ftok_key(std::string_view name, std::string_view rest) {
    const FtokArguments arguments = split_ftok(name, rest);
    errno = 0;
    const key_t key = ftok(arguments.path.c_str(), arguments.id);
    if (key == -1 && errno != 0) // -1 is a key as well
        throw Error(name, "cannot make a key of the path", errno);
    return key; // never IPC_PRIVATE: its highest byte is the ID
}

void check_posix(Kind kind, std::string_view name, std::string_view posix) {
    const std::string_view behind = posix.substr(1);
    if (behind.empty())
        reject(name, "has nothing behind its slash");
    if (behind.find('/') != std::string_view::npos)
        reject(name, "has a second slash; a POSIX name has the leading one alone");
    if (behind == "." || behind == "..")
        reject(name, "names a directory");
    if (behind.size() > info(kind).longest)
        reject(name, text("is too long; ", info(kind).longest, " bytes may follow the slash"));
}

Name parse_fifo(std::string_view name, std::string_view bare) {
    Name result{.form = Name::Form::path, .text = std::string(bare)};
    if (bare.empty())
        reject(name, "is not the path of a FIFO");
    for (const KindInfo& other : kinds)
        if (bare.starts_with(other.prefix))
            reject(name, "has two kinds in front; a path that begins with one needs ./");
    if (take_prefix(bare, "fd:")) {
        result.form = Name::Form::fd;
        result.number = parse_small(name, bare, "a descriptor (such as fd:3; a path needs ./)");
    }
    return result;
}

} // namespace

std::string key_name(key_t key) { return text("key:", hex32(static_cast<unsigned>(key))); }

std::string Name::canonical() const {
    switch (form) {
    case Form::key:
        return key_name(key);
    case Form::id:
        return ipc::text("id:", number);
    case Form::fd:
        return ipc::text("fd:", number);
    case Form::posix:
    case Form::private_key:
    case Form::path:
        break;
    }
    return text;
}

Name parse_name(Kind kind, std::string_view name, AllowPrivate allow_private) {
    const std::string_view bare = without_kind(kind, name);
    if (kind == Kind::fifo)
        return parse_fifo(name, bare);
    std::string_view rest = bare;
    using Form = Name::Form;
    Name result{.form = Form::posix, .text = std::string(bare)};
    if (rest.starts_with('/')) {
        check_posix(kind, name, rest);
    } else if (take_prefix(rest, "key:")) {
        result.form = Form::key;
        result.key = parse_key(name, rest);
    } else if (take_prefix(rest, "ftok:")) {
        result.form = Form::key;
        result.key = ftok_key(name, rest);
    } else if (take_prefix(rest, "id:")) {
        result.form = Form::id;
        result.number = parse_small(name, rest, "an identifier (such as id:7)");
    } else if (take_prefix(rest, "fd:")) {
        result.form = Form::fd;
        result.number = parse_small(name, rest, "a descriptor (such as fd:3)");
    } else if (rest == "private") {
        if (allow_private == AllowPrivate::no)
            reject(name, "is for create alone; it names no existing object");
        result.form = Form::private_key;
    } else if (rest.empty()) {
        reject(name, "is not a name (such as /jobs or key:0x4d2)");
    } else {
        reject(name,
               rest.find('/') == std::string_view::npos && rest.find(':') == std::string_view::npos
                   ? text("is not a name; did you mean '/", printable(rest), "'?")
                   : "is not a name (such as /jobs, key:0x4d2, ftok:PATH:ID, id:7 or fd:3)");
    }
    return result;
}

} // namespace ipc
