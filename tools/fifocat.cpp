// SPDX-License-Identifier: MIT
//
// fifocat: many FIFOs -> stdout.
//
// Records of different FIFOs are never mixed, and writers come and go. What was made is removed,
// however it ends.
// Status: 0 done, 2 trouble, 124 nothing came in time (-w).

#include <unistd.h>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/parse.hpp"
#include "base/signals.hpp"
#include "fifo/fan_in.hpp"
#include "fifo/fifo.hpp"
#include "fifo/reader.hpp"
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
    FanInPolicy policy;
    bool literal = false;
    bool progress = false;
    int ready_fd = -1;
};

constexpr const char* synopsis[] = {"[OPTION]... FIFO..."};
constexpr const char* operands[] = {"fifo"};

constexpr Tool tool = {
    .name = "fifocat",
    .summary = "Copy the records of FIFOs, whose writers come and go, to standard output.",
    .synopsis = synopsis,
    .operands = operands,
};

// clang-format off
constexpr Option<Options> table[] = {
    {standard::mode({.help = "permissions of FIFOs that are made (default 0600)"}),
     [](Options& o, const char* a) { o.mode = parse::mode(a, 0600); }},
    {standard::owner_any({}),
     [](Options& o, const char*) { o.existing = Existing::any; }},
    {{.short_name = 'k', .long_name = "keep", .help = "leave the FIFOs that were made"},
     [](Options& o, const char*) { o.keep = Keep::yes; }},
    {standard::null({.help = "NUL ends a record, not newline"}),
     [](Options& o, const char*) { o.policy.delimiter = '\0'; }},
    {{.short_name = 'L', .long_name = "label", .help = "begin each record with its FIFO and a tab"},
     [](Options& o, const char*) { o.policy.labels = true; }},
    {standard::count({.help = "end after N records"}),
     [](Options& o, const char* a) { o.policy.count = parse::count(a); }},
    {standard::timeout({.help = "wait at most that long for each record"}),
     [](Options& o, const char* a) { o.policy.timeout = parse::duration(a); }},
    {{.long_name = "once", .help = "end when each FIFO has had writers and lost them"},
     [](Options& o, const char*) { o.policy.once = true; }},
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

std::vector<FifoReader> open_fifos(const Options& options, Operands paths) {
    std::vector<FifoReader> readers;
    readers.reserve(paths.size());
    for (const char* const path : paths) {
        Fifo fifo(parse_name(Kind::fifo, path), options.mode, options.keep, options.existing);
        if (fifo.is(STDOUT_FILENO))
            throw Error(fifo.name().text, "this is standard output");
        for (const FifoReader& reader : readers)
            if (fifo.is(reader.fifo()))
                throw Error(fifo.name().text, "this FIFO was given before");
        readers.emplace_back(std::move(fifo));
    }
    return readers;
}

/// What was taken, and is no record: that is lost.
void report_begun(const std::vector<FifoReader>& readers) {
    for (const FifoReader& reader : readers)
        if (!reader.begun.empty())
            report(text(printable(reader.fifo().name().text),
                        ": ended within a record, of which bytes had come: ", reader.begun.size()));
}

int run(const Options& options, const Invocation& invocation) {
    if (invocation.operands.empty())
        throw UsageError("FIFO is missing");
    signals::hold();
    auto readers = open_fifos(options, invocation.operands);
    say_ready(options.ready_fd);
    FanInPolicy policy = options.policy;
    policy.escapes = !options.literal && isatty(STDOUT_FILENO) == 1;
    Progress progress(tool.name, options.progress ? Periodic::yes : Periodic::no, Unit::bytes);
    FanIn fan_in(readers, policy, progress);
    try {
        const bool is_done = fan_in.run();
        report_begun(readers);
        return is_done ? exit_done : exit_timed_out;
    } catch (...) {
        report_begun(readers);
        throw;
    }
}

} // namespace

int main(int argc, char** argv) { return ipc::tool_main<tool, table, run, Options>(argc, argv); }
