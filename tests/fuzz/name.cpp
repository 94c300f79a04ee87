// SPDX-License-Identifier: MIT
// Names: what is accepted is printed as a name of the same object; a kind in front changes nothing,
// another's is refused.

#include <algorithm>

#include "fuzz.hpp"
#include "object/name.hpp"

namespace {

using ipc::AllowPrivate;
using ipc::Kind;
using ipc::Name;
using Form = ipc::Name::Form;

struct Prefixed {
    Kind kind;
    std::string_view prefix;
    std::size_t longest; ///< bytes of a POSIX name behind its slash
};

constexpr Prefixed kinds[] = {
    {Kind::queue, "mq:", 255},
    {Kind::semaphore, "sem:", 251},
    {Kind::shared_memory, "shm:", 255},
    {Kind::fifo, "fifo:", 0},
};

bool is_same(const Name& one, const Name& other) {
    return one.form == other.form && one.key == other.key && one.number == other.number &&
           one.canonical() == other.canonical();
}

/// What must hold of any name that was accepted.
void check_form(const Prefixed& kind, const Name& name) {
    const std::string_view behind =
        name.form == Form::posix ? std::string_view(name.text).substr(1) : std::string_view();
    switch (name.form) {
    case Form::posix:
        fuzz::require(name.text.front() == '/' && !behind.empty() && behind != "." &&
                          behind != ".." && behind.find('/') == std::string_view::npos,
                      "a POSIX name has its slash, and is no directory");
        fuzz::require(behind.size() <= kind.longest, "a POSIX name is not too long");
        break;
    case Form::key:
        fuzz::require(name.key != 0, "no key is IPC_PRIVATE");
        break;
    case Form::id:
    case Form::fd:
        fuzz::require(name.number >= 0, "no identifier or descriptor is negative");
        break;
    case Form::private_key:
        fuzz::require(name.text == "private", "a new object is called private");
        break;
    case Form::path:
        fuzz::require(kind.kind == Kind::fifo && !name.text.empty(), "a path is a FIFO's");
        break;
    }
    fuzz::require((name.form == Form::path || name.form == Form::fd) || kind.kind != Kind::fifo,
                  "a FIFO is a path or a descriptor");
    fuzz::require(name.is_system_v() == (name.form != Form::posix && name.form != Form::fd &&
                                         name.form != Form::path),
                  "a name says which family it is of");
}

void check(const Prefixed& kind, std::string_view word) {
    const auto parse = [&](std::string_view text, AllowPrivate allow = AllowPrivate::no) {
        return fuzz::accepted([&] { return ipc::parse_name(kind.kind, text, allow); });
    };
    const auto to_create = parse(word, AllowPrivate::yes);
    const auto name = parse(word);
    const bool is_private = to_create && to_create->form == Form::private_key;
    fuzz::require(name.has_value() == (to_create && !is_private),
                  "private alone depends on whether it is allowed");
    if (!name)
        return;
    check_form(kind, *name);
    fuzz::require(is_same(*name, *to_create), "a name is the same to create and to use");
    const auto again = parse(name->canonical());
    fuzz::require(again && is_same(*again, *name), "a name printed and parsed again is the same");
    const auto in_front = parse(ipc::text(kind.prefix, name->canonical()));
    fuzz::require(in_front && is_same(*in_front, *name), "a kind in front changes nothing");
    for (const Prefixed& other : kinds)
        fuzz::require(other.kind == kind.kind || !parse(ipc::text(other.prefix, name->canonical())),
                      "another's kind in front is refused");
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view word = fuzz::Input(data, size).word();
    for (const Prefixed& kind : kinds)
        check(kind, word);
    return 0;
}
