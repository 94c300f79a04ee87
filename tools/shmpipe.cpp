// SPDX-License-Identifier: MIT
//
// shmpipe: a stream of bytes from one process to an unrelated one, through a ring in shared memory.
//
// What the writer reads from stdin, the reader writes to stdout, in order and whole; the writer is
// done when the reader has taken all. Whichever dies or leaves before, the other says so.
// Status: 0 all has arrived, 2 trouble, 124 the other side did nothing in time (-w).

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/io.hpp"
#include "base/parse.hpp"
#include "base/signals.hpp"
#include "ring/ring.hpp"
#include "tool/progress.hpp"
#include "tool/ready.hpp"
#include "tool/standard_options.hpp"
#include "tool/tool.hpp"

namespace {

using namespace ipc;

struct Options {
    std::optional<RingSide> side;
    RingSettings ring;
    bool progress = false;
    int ready_fd = -1;
};

constexpr const char* synopsis[] = {
    "-W [OPTION]... OBJECT",
    "-R [OPTION]... OBJECT",
};
constexpr const char* operands[] = {"memory"};

constexpr Tool tool = {
    .name = "shmpipe",
    .summary = "Pass a stream to another process through a ring in shared memory.",
    .synopsis = synopsis,
    .operands = operands,
};

constexpr std::int64_t largest_ring = std::int64_t{1} << 40U;

std::size_t parse_ring_size(const char* argument) {
    const auto size = static_cast<std::size_t>(parse::size(argument, largest_ring));
    return std::bit_ceil(std::max(size, ring_offset()));
}

// clang-format off
constexpr Option<Options> table[] = {
    {{.short_name = 'W', .long_name = "write", .group = 'W',
      .help = "write standard input into the ring"},
     [](Options& o, const char*) { o.side = RingSide::writer; }},
    {{.short_name = 'R', .long_name = "read", .group = 'W',
      .help = "read the ring to standard output"},
     [](Options& o, const char*) { o.side = RingSide::reader; }},
    {{.short_name = 's', .long_name = "size", .argument = Argument::required,
      .argument_name = "SIZE", .value_kind = "size", .needs = "write",
      .help = "size of the ring (default 1M)"},
     [](Options& o, const char* a) { o.ring.size = parse_ring_size(a); }},
    {standard::mode({.needs = "write", .help = "permissions of a new object"}),
     [](Options& o, const char* a) { o.ring.mode = parse::mode(a, o.ring.mode); }},
    {standard::owner_any({.needs = "write"}),
     [](Options& o, const char*) { o.ring.existing = Existing::any; }},
    {{.long_name = "lockstep", .needs = "write",
      .help = "take turns: one buffer, two semaphores"},
     [](Options& o, const char*) { o.ring.lockstep = true; }},
    {standard::timeout({.help = "wait at most that long for the other side"}),
     [](Options& o, const char* a) { o.ring.timeout = parse::duration(a); }},
    {standard::ready_fd({.help = "write a newline to FD once armed"}),
     [](Options& o, const char* a) { o.ready_fd = parse_ready_fd(a); }},
    {standard::progress({.help = "say each second how much was moved"}),
     [](Options& o, const char*) { o.progress = true; }},
    help_option<Options>,
    version_option<Options>,
};
// clang-format on

/// The most that one call moves: what is moved meanwhile by the other side is in the caches still.
constexpr std::size_t chunk = std::size_t{128} << 10U;

template <class Bytes> Bytes a_chunk_of(Bytes bytes) {
    return bytes.first(std::min(bytes.size(), chunk));
}

bool is_regular(int fd) {
    struct stat status {};
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

/// Bytes read from stdin into the room of the ring; 0 at the end of input.
std::size_t read_into(RingWriter& ring, std::span<std::byte> room, bool may_wait) try {
    if (may_wait)
        ring.await_input(STDIN_FILENO);
    return read_some(STDIN_FILENO, {reinterpret_cast<char*>(room.data()), room.size()}, "stdin");
} catch (const Error& error) {
    if (error.code().value() == EFAULT)
        throw ring.cannot_store();
    throw;
}

std::size_t write_from(const RingReader& ring, std::span<const std::byte> bytes) try {
    return write_some(STDOUT_FILENO, {reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                      "stdout");
} catch (const Error& error) {
    if (error.code().value() == EFAULT)
        throw ring.cannot_load();
    throw;
}

void write_side(const Options& options, const Name& name, Progress& progress) {
    RingWriter ring(name, options.ring);
    say_ready(options.ready_fd);
    enlarge_pipe(STDIN_FILENO);
    const bool may_wait = !is_regular(STDIN_FILENO);
    for (;;) {
        const std::size_t count = read_into(ring, a_chunk_of(ring.room()), may_wait);
        if (count == 0)
            break;
        ring.put(count);
        progress.add(0, count);
    }
    ring.finish();
}

void read_side(const Options& options, const Name& name, Progress& progress) {
    RingReader ring(name, options.ring.timeout);
    say_ready(options.ready_fd);
    enlarge_pipe(STDOUT_FILENO);
    ring.join();
    for (;;) {
        const auto bytes = a_chunk_of(ring.bytes());
        if (bytes.empty())
            break;
        const std::size_t count = write_from(ring, bytes);
        ring.take(count);
        progress.add(0, count);
    }
    ring.finish();
}

int run(const Options& options, const Invocation& invocation) {
    if (!options.side)
        throw UsageError("say --write or --read");
    if (invocation.operands.empty())
        throw UsageError("OBJECT is missing");
    if (invocation.operands.size() > 1)
        throw UsageError(text("unexpected operand '", printable(invocation.operands[1]), "'"));
    const Name name = parse_name(Kind::shared_memory, invocation.operands[0]);
    signals::hold();
    Progress progress(tool.name, options.progress ? Periodic::yes : Periodic::no, Unit::bytes);
    if (*options.side == RingSide::writer)
        write_side(options, name, progress);
    else
        read_side(options, name, progress);
    return exit_done;
}

} // namespace

int main(int argc, char** argv) { return ipc::tool_main<tool, table, run, Options>(argc, argv); }
