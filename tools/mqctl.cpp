// SPDX-License-Identifier: MIT
//
// mqctl: create, show, change and remove message queues of both families.
//
// A queue that is created is whole and its name printed, or it is not there. All operands are
// gone through; one that fails does not stop the others.
// Status: 0 done, 2 trouble with at least one queue.

#include <cerrno>
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "base/parse.hpp"
#include "base/signals.hpp"
#include "queue/control.hpp"
#include "queue/message_queue.hpp"
#include "tool/standard_options.hpp"
#include "tool/tool.hpp"
#include "tool/users.hpp"
#include "tool/verbs.hpp"

namespace {

using namespace ipc;

struct Options {
    Existing existing = Existing::ours;
    const char* mode = nullptr;
    QueueSettings settings;
    std::optional<Owner> owner;
    bool force = false;
    bool json = false;
};

constexpr const char* synopsis[] = {
    "create [OPTION]... QUEUE...",
    "show [-J] QUEUE...",
    "set [OPTION]... QUEUE...",
    "rm [-f] QUEUE...",
};
constexpr const char* operands[] = {"queue"};
constexpr Verb verbs[] = {
    {"create", "create queues and print their names"},
    {"show", "print the attributes of queues"},
    {"set", "change mode, owner or size of queues"},
    {"rm", "remove queues"},
};

constexpr Tool tool = {
    .name = "mqctl",
    .summary = "Create, show, change or remove message queues.",
    .synopsis = synopsis,
    .operands = operands,
    .verbs = verbs,
};

// clang-format off
constexpr Option<Options> table[] = {
    {standard::exclusive({.help = "fail if the queue is there already"}),
     [](Options& o, const char*) { o.existing = Existing::refused; }},
    {standard::owner_any({.verbs = "create"}),
     [](Options& o, const char*) { o.existing = Existing::any; }},
    {standard::mode({.verbs = "create,set", .help = "permissions, octal or symbolic"}),
     [](Options& o, const char* a) { parse::mode(a, 0); o.mode = a; }},
    {{.long_name = "maxmsg", .argument = Argument::required, .argument_name = "N",
      .value_kind = "number", .verbs = "create", .help = "messages a POSIX queue holds"},
     [](Options& o, const char* a) { o.settings.max_messages = parse::number(a, 1); }},
    {{.long_name = "msgsize", .argument = Argument::required,
      .argument_name = "SIZE",
      .value_kind = "size", .verbs = "create", .help = "bytes a message of a POSIX queue may have"},
     [](Options& o, const char* a) { o.settings.message_size = parse::size(a); }},
    {{.long_name = "maxbytes", .argument = Argument::required,
      .argument_name = "SIZE",
      .value_kind = "size", .verbs = "create,set", .help = "bytes a System V queue holds"},
     [](Options& o, const char* a) { o.settings.max_bytes = parse::size(a, most_max_bytes); }},
    {standard::owner({}),
     [](Options& o, const char* a) { o.owner = parse_owner(a); }},
    {standard::force({}),
     [](Options& o, const char*) { o.force = true; }},
    {standard::json({.verbs = "show", .help = "one json object for each queue"}),
     [](Options& o, const char*) { o.json = true; }},
    help_option<Options>,
    version_option<Options>,
};
// clang-format on

void create(const Options& options, const char* operand) {
    const Name name = parse_name(Kind::queue, operand, AllowPrivate::yes);
    QueueSettings settings = options.settings;
    if (options.mode != nullptr)
        settings.mode = parse::mode(options.mode, settings.mode);
    const Created created = create_queue(name, settings, options.existing);
    try {
        print_name(created.name);
    } catch (...) {
        if (created.queue)
            remove_queue(created.name);
        throw;
    }
}

void set(const Options& options, const char* operand) {
    change_queue(parse_name(Kind::queue, operand),
                 {.permissions = {.mode = options.mode, .owner = options.owner},
                  .max_bytes = options.settings.max_bytes});
}

void remove(const Options& options, const char* operand) {
    const Name name = parse_name(Kind::queue, operand);
    if (!remove_queue(name) && !options.force)
        throw Error(name.text, "cannot remove", ENOENT);
}

int run(const Options& options, const Invocation& invocation) {
    const std::string_view verb = invocation.verb;
    if (verb.empty())
        throw UsageError("a verb is missing: create, show, set or rm");
    if (invocation.operands.empty())
        throw UsageError("QUEUE is missing");
    if (verb == "set" && options.mode == nullptr && !options.owner && !options.settings.max_bytes)
        throw UsageError("set needs at least one of --mode, --owner and --maxbytes");
    if (verb == "create")
        signals::hold(); // a queue whose name could not be printed must go first
    Show show(options.json ? ShowAs::json : ShowAs::shell);
    return for_each_operand(invocation.operands, [&](const char* operand) {
        if (verb == "create")
            create(options, operand);
        else if (verb == "show")
            show(queue_attributes(parse_name(Kind::queue, operand)));
        else if (verb == "set")
            set(options, operand);
        else
            remove(options, operand);
    });
}

} // namespace

int main(int argc, char** argv) { return ipc::tool_main<tool, table, run, Options>(argc, argv); }
