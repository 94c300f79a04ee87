// SPDX-License-Identifier: MIT
//
// shmctl: create, show, resize, change and remove shared memory objects of both families.
//
// An object that is created is whole, reserved and its name printed, or it is not there. All
// operands are gone through; one that fails does not stop the others.
// Status: 0 done, 2 trouble with at least one object.

#include <cerrno>
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "base/parse.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "memory/control.hpp"
#include "memory/shared_memory.hpp"
#include "tool/standard_options.hpp"
#include "tool/tool.hpp"
#include "tool/users.hpp"
#include "tool/verbs.hpp"

namespace {

using namespace ipc;

struct Options {
    Existing existing = Existing::ours;
    const char* mode = nullptr;
    std::optional<std::int64_t> size;
    std::optional<Owner> owner;
    std::optional<Swapping> swapping;
    bool force = false;
    bool json = false;
};

constexpr const char* synopsis[] = {
    "create [OPTION]... -s SIZE OBJECT...",
    "show [-J] OBJECT...",
    "set [OPTION]... OBJECT...",
    "rm [-f] OBJECT...",
};
constexpr const char* operands[] = {"memory"};
constexpr Verb verbs[] = {
    {"create", "create objects and print their names"},
    {"show", "print the attributes of objects"},
    {"set", "change size, mode, owner or locking"},
    {"rm", "remove objects"},
};

constexpr Tool tool = {
    .name = "shmctl",
    .summary = "Create, show, change or remove shared memory objects.",
    .synopsis = synopsis,
    .operands = operands,
    .verbs = verbs,
};

// clang-format off
constexpr Option<Options> table[] = {
    {standard::exclusive({.help = "fail if the object is there already"}),
     [](Options& o, const char*) { o.existing = Existing::refused; }},
    {standard::owner_any({.verbs = "create"}),
     [](Options& o, const char*) { o.existing = Existing::any; }},
    {standard::mode({.verbs = "create,set", .help = "permissions, octal or symbolic"}),
     [](Options& o, const char* a) { parse::mode(a, 0); o.mode = a; }},
    {{.short_name = 's', .long_name = "size", .argument = Argument::required,
      .argument_name = "SIZE", .value_kind = "size", .verbs = "create,set",
      .help = "bytes that the object has"},
     [](Options& o, const char* a) { o.size = parse::size(a); }},
    {standard::owner({}),
     [](Options& o, const char* a) { o.owner = parse_owner(a); }},
    {{.long_name = "lock", .verbs = "set", .group = 'l',
      .help = "System V: keep it from being swapped out"},
     [](Options& o, const char*) { o.swapping = Swapping::locked; }},
    {{.long_name = "unlock", .verbs = "set", .group = 'l',
      .help = "System V: let it be swapped out again"},
     [](Options& o, const char*) { o.swapping = Swapping::allowed; }},
    {standard::force({}),
     [](Options& o, const char*) { o.force = true; }},
    {standard::json({.verbs = "show", .help = "one json object for each object"}),
     [](Options& o, const char*) { o.json = true; }},
    help_option<Options>,
    version_option<Options>,
};
// clang-format on

void create(const Options& options, const char* operand) {
    constexpr mode_t private_mode = 0600;
    const Name name = parse_name(Kind::shared_memory, operand, AllowPrivate::yes);
    const mode_t mode =
        options.mode == nullptr ? private_mode : parse::mode(options.mode, private_mode);
    const CreatedMemory created = create_memory(name, *options.size, mode, options.existing);
    try {
        print_name(created.name);
    } catch (...) {
        if (created.is_new)
            remove_memory(created.name);
        throw;
    }
}

void set(const Options& options, const char* operand) {
    change_memory(parse_name(Kind::shared_memory, operand),
                  {.permissions = {.mode = options.mode, .owner = options.owner},
                   .size = options.size,
                   .swapping = options.swapping});
}

void remove(const Options& options, const char* operand) {
    const Name name = parse_name(Kind::shared_memory, operand);
    const auto attached = remove_memory(name);
    if (!attached && !options.force)
        throw Error(name.text, "cannot remove", ENOENT);
    if (attached.value_or(0) > 0)
        report(text(printable(name.text), ": removed, and lives on until it is detached (",
                    *attached, *attached == 1 ? " attach)" : " attaches)"));
}

int run(const Options& options, const Invocation& invocation) {
    const std::string_view verb = invocation.verb;
    if (verb.empty())
        throw UsageError("a verb is missing: create, show, set or rm");
    if (invocation.operands.empty())
        throw UsageError("OBJECT is missing");
    if (verb == "create" && !options.size)
        throw UsageError("create needs --size");
    if (verb == "set" && options.mode == nullptr && !options.owner && !options.size &&
        !options.swapping)
        throw UsageError("set needs at least one of --size, --mode, --owner, --lock and --unlock");
    if (verb == "create" || verb == "set")
        signals::hold(); // what is half done must be finished or undone first
    Show show(options.json ? ShowAs::json : ShowAs::shell);
    return for_each_operand(invocation.operands, [&](const char* operand) {
        if (verb == "create")
            create(options, operand);
        else if (verb == "show")
            show(memory_attributes(parse_name(Kind::shared_memory, operand)));
        else if (verb == "set")
            set(options, operand);
        else
            remove(options, operand);
    });
}

} // namespace

int main(int argc, char** argv) { return ipc::tool_main<tool, table, run, Options>(argc, argv); }
