// SPDX-License-Identifier: MIT
//
// fifotee: stdin -> stdout and many FIFOs.
//
// No reader can stop the rest by leaving, and one that comes back starts with a whole record. The
// FIFOs that were made are removed, however it ends.
// Status: 0 done, 2 trouble, 3 records were dropped or a reader was cut off.

#include <algorithm>
#include <unistd.h>
#include <vector>

#include "base/error.hpp"
#include "base/parse.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "fifo/fan_out.hpp"
#include "fifo/fifo.hpp"
#include "fifo/writer.hpp"
#include "tool/progress.hpp"
#include "tool/ready.hpp"
#include "tool/standard_options.hpp"
#include "tool/tool.hpp"

namespace {

using namespace ipc;

struct Options {
    mode_t mode = 0600;
    Existing existing = Existing::ours;
    Keep keep = Keep::no;
    bool waits_for_readers = true;
    WritePolicy policy;
    bool to_stdout = true;
    bool literal = false;
    bool progress = false;
    int ready_fd = -1;
};

constexpr const char* synopsis[] = {"[OPTION]... FIFO..."};
constexpr const char* operands[] = {"fifo"};

constexpr Tool tool = {
    .name = "fifotee",
    .summary = "Copy standard input to standard output and to FIFOs, whose readers come and go.",
    .synopsis = synopsis,
    .operands = operands,
};

bool parse_absent(std::string_view word) {
    if (word == "wait" || word == "skip")
        return word == "wait";
    throw UsageError(text("'", printable(word), "' is neither wait nor skip"));
}

Slow parse_slow(std::string_view word) {
    if (word == "block")
        return Slow::block;
    if (word == "drop")
        return Slow::drop;
    if (word == "disconnect")
        return Slow::disconnect;
    throw UsageError(text("'", printable(word), "' is none of block, drop and disconnect"));
}

// clang-format off
constexpr Option<Options> table[] = {
    {standard::mode({.help = "permissions of FIFOs that are made (default 0600)"}),
     [](Options& o, const char* a) { o.mode = parse::mode(a, 0600); }},
    {standard::owner_any({}),
     [](Options& o, const char*) { o.existing = Existing::any; }},
    {{.short_name = 'k', .long_name = "keep", .help = "leave the FIFOs that were made"},
     [](Options& o, const char*) { o.keep = Keep::yes; }},
    {{.long_name = "absent", .argument = Argument::required, .argument_name = "WHAT",
      .value_kind = "absent", .help = "no reader at the start: wait (default), skip"},
     [](Options& o, const char* a) { o.waits_for_readers = parse_absent(a); }},
    {{.long_name = "slow", .argument = Argument::required, .argument_name = "WHAT",
      .value_kind = "slow", .help = "a slow reader: block (default), drop, disconnect"},
     [](Options& o, const char* a) { o.policy.slow = parse_slow(a); }},
    {{.long_name = "buffer", .argument = Argument::required, .argument_name = "SIZE",
      .value_kind = "size", .help = "bytes to hold for each slow reader (default 0)"},
     [](Options& o, const char* a) { o.policy.buffer = static_cast<std::size_t>(parse::size(a)); }},
    {standard::null({.help = "NUL ends a record, not newline"}),
     [](Options& o, const char*) { o.policy.delimiter = '\0'; }},
    {{.long_name = "no-stdout", .help = "copy to the FIFOs alone"},
     [](Options& o, const char*) { o.to_stdout = false; }},
    {standard::literal({}),
     [](Options& o, const char*) { o.literal = true; }},
    {standard::progress({.help = "say each second how much was copied"}),
     [](Options& o, const char*) { o.progress = true; }},
    {standard::ready_fd({.help = "write a newline to FD once the FIFOs are open"}),
     [](Options& o, const char* a) { o.ready_fd = parse_ready_fd(a); }},
    help_option<Options>,
    version_option<Options>,
};
// clang-format on

/// The room that each of so many FIFOs shall have: 1 MiB, but not all of what the kernel grants to
/// a user (/proc/sys/fs/pipe-user-pages-soft).
int capacity(std::size_t count) {
    constexpr std::size_t most = std::size_t{1} << 20U;
    constexpr std::size_t least = std::size_t{64} << 10U;
    return static_cast<int>(std::clamp(16 * most / count, least, most));
}

std::vector<FifoWriter> open_fifos(const Options& options, Operands paths) {
    std::vector<FifoWriter> writers;
    writers.reserve(paths.size());
    for (const char* const path : paths) {
        Fifo fifo(parse_name(Kind::fifo, path), options.mode, options.keep, options.existing);
        if (fifo.is(STDIN_FILENO))
            throw Error(fifo.name().text, "this is standard input");
        for (const FifoWriter& writer : writers)
            if (fifo.is(writer.fifo()))
                throw Error(fifo.name().text, "this FIFO was given before");
        writers.emplace_back(std::move(fifo), options.policy, capacity(paths.size()));
    }
    return writers;
}

/// Says what readers missed. Returns the status.
int account_for(const std::vector<FifoWriter>& writers) {
    int status = exit_done;
    for (const FifoWriter& writer : writers) {
        const std::string name = printable(writer.fifo().name().text);
        if (writer.dropped() > 0)
            report(text(name, ": its reader was too slow; records dropped: ", writer.dropped()));
        if (writer.cut_offs() > 0)
            report(text(name, ": its reader was too slow; cut off: ", writer.cut_offs()));
        if (writer.dropped() > 0 || writer.cut_offs() > 0)
            status = exit_lost;
    }
    return status;
}

int copy(const Options& options, std::vector<FifoWriter>& writers) {
    Progress progress(tool.name, options.progress ? Periodic::yes : Periodic::no, Unit::bytes);
    const bool escapes = !options.literal && isatty(STDOUT_FILENO) == 1;
    FanOut fan_out(writers, options.policy,
                   !options.to_stdout ? FanOut::Stdout::none
                   : escapes          ? FanOut::Stdout::escaped
                                      : FanOut::Stdout::plain,
                   progress);
    if (options.waits_for_readers)
        fan_out.wait_for_readers();
    fan_out.run();
    fan_out.finish();
    return fan_out.stdout_failed() ? exit_trouble : exit_done;
}

int run(const Options& options, const Invocation& invocation) {
    if (invocation.operands.empty())
        throw UsageError("FIFO is missing");
    signals::hold();
    auto writers = open_fifos(options, invocation.operands);
    say_ready(options.ready_fd);
    int status = exit_done;
    try {
        status = copy(options, writers);
    } catch (...) {
        account_for(writers);
        throw;
    }
    const int losses = account_for(writers);
    return status == exit_done ? losses : status;
}

} // namespace

int main(int argc, char** argv) { return ipc::tool_main<tool, table, run, Options>(argc, argv); }
