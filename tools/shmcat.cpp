// SPDX-License-Identifier: MIT
//
// shmcat: bytes of a shared memory object <-> stdout / stdin.
//
// Objects are read and written by descriptor, so that nobody who shortens one meanwhile can end us
// by SIGBUS. What cannot be stored whole is refused where that is known beforehand; otherwise
// stderr says how much was stored.
// Status: 0 done, 2 trouble.

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "base/byte_range.hpp"
#include "base/error.hpp"
#include "base/escape.hpp"
#include "base/io.hpp"
#include "base/parse.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "memory/follower.hpp"
#include "memory/source.hpp"
#include "memory/target.hpp"
#include "tool/standard_options.hpp"
#include "tool/tool.hpp"

namespace {

using namespace ipc;

struct Options {
    ByteRange range;
    std::optional<nanoseconds> interval;
    bool literal = false;
    bool writes = false;
    bool creates = false;
    Existing existing = Existing::ours;
    std::optional<std::int64_t> create_size;
    MemoryTarget::Rest rest = MemoryTarget::Rest::stays;
};

constexpr const char* synopsis[] = {
    "[OPTION]... OBJECT",
    "-W [OPTION]... OBJECT",
};
constexpr const char* operands[] = {"memory"};

constexpr Tool tool = {
    .name = "shmcat",
    .summary = "Copy shared memory to standard output, or standard input to shared memory.",
    .synopsis = synopsis,
    .operands = operands,
};

nanoseconds parse_interval(const char* argument) {
    const nanoseconds interval =
        argument == nullptr ? nanoseconds(std::chrono::seconds(1)) : parse::duration(argument);
    if (interval == nanoseconds::zero())
        throw UsageError("an interval is longer than 0");
    return interval;
}

// clang-format off
constexpr Option<Options> table[] = {
    {{.short_name = 'o', .long_name = "offset", .argument = Argument::required,
      .argument_name = "OFFSET", .value_kind = "size", .help = "begin at this byte (default 0)"},
     [](Options& o, const char* a) { o.range.offset = parse::size(a); }},
    {{.short_name = 'l', .long_name = "length", .argument = Argument::required,
      .argument_name = "LENGTH", .value_kind = "size", .group = 'W',
      .help = "read so many bytes (default: all)"},
     [](Options& o, const char* a) { o.range.length = parse::size(a); }},
    {{.short_name = 'f', .long_name = "follow", .argument = Argument::optional,
      .argument_name = "INTERVAL", .value_kind = "duration",
      .help = "print again when a look finds a change"},
     [](Options& o, const char* a) { o.interval = parse_interval(a); }},
    {standard::literal({}),
     [](Options& o, const char*) { o.literal = true; }},
    {{.short_name = 'W', .long_name = "write", .group = 'W',
      .help = "store standard input"},
     [](Options& o, const char*) { o.writes = true; }},
    {{.long_name = "create", .argument = Argument::optional, .argument_name = "SIZE",
      .value_kind = "size", .needs = "write",
      .help = "make the object if it is not there"},
     [](Options& o, const char* a) {
         o.creates = true;
         if (a != nullptr)
             o.create_size = parse::size(a);
     }},
    {standard::owner_any({.needs = "create"}),
     [](Options& o, const char*) { o.existing = Existing::any; }},
    {{.long_name = "truncate", .needs = "write",
      .help = "let the object end where the input does"},
     [](Options& o, const char*) { o.rest = MemoryTarget::Rest::goes; }},
    help_option<Options>,
    version_option<Options>,
};
// clang-format on

void check(const Options& options, const Invocation& invocation) {
    if (invocation.operands.empty())
        throw UsageError("OBJECT is missing");
    if (invocation.operands.size() > 1)
        throw UsageError(text("unexpected operand '", printable(invocation.operands[1]), "'"));
    if (options.writes && (options.interval || options.literal))
        throw UsageError("--follow and --literal are for reading, not for --write");
}

// ---- Reading ----

/// Returns where it came to its end.
std::int64_t send_all(MemorySource& source, std::int64_t at, std::int64_t end) {
    enlarge_pipe(STDOUT_FILENO);
    while (at < end) {
        const std::int64_t count = source.send(at, end - at);
        if (count == 0)
            break;
        at += count;
    }
    return at;
}

std::int64_t show_all(MemorySource& source, std::int64_t at, std::int64_t end) {
    constexpr std::int64_t most_at_once = std::int64_t{64} << 10U;
    std::vector<char> buffer(most_at_once);
    Escaper escaper;
    while (at < end) {
        const auto size = static_cast<std::size_t>(std::min(end - at, most_at_once));
        const std::size_t count = source.read({buffer.data(), size}, at);
        if (count == 0)
            break;
        write_stdout(escaper.add({buffer.data(), count}));
        at += static_cast<std::int64_t>(count);
    }
    write_stdout(escaper.finish());
    return at;
}

void read_range(MemorySource& source, const ByteRange& range, bool escapes) {
    const std::string& name = source.name().text;
    const std::int64_t size = source.size();
    if (range.offset > size)
        throw Error(name, text("offset ", range.offset, " is past the end; the object has ", size,
                               " bytes"));
    const std::int64_t end = range.end_in(size);
    const std::int64_t reached =
        escapes ? show_all(source, range.offset, end) : send_all(source, range.offset, end);
    if (reached < end)
        throw Error(name, text("it was shortened while it was read; ", end - reached,
                               " bytes are missing"));
    if (const std::int64_t missing = range.missing_in(size); missing > 0)
        throw Error(name, text("the object has ", size, " bytes; ", missing, " of the ",
                               *range.length, " from offset ", range.offset, " on are missing"));
}

int read(const Options& options, const Name& name) {
    const auto source = open_memory_source(name);
    const bool is_terminal = isatty(STDOUT_FILENO) == 1;
    const bool escapes = is_terminal && !options.literal;
    if (!options.interval) {
        read_range(*source, options.range, escapes);
        return exit_done;
    }
    using Output = MemoryFollower::Output;
    MemoryFollower(*source, options.range, *options.interval, escapes,
                   is_terminal ? Output::terminal : Output::plain)
        .run();
    return exit_done;
}

// ---- Writing ----

/// How much stdin has to give, if it is a file.
std::optional<std::int64_t> input_length() noexcept {
    struct stat status {};
    if (fstat(STDIN_FILENO, &status) != 0 || !S_ISREG(status.st_mode))
        return std::nullopt;
    const std::int64_t at = lseek(STDIN_FILENO, 0, SEEK_CUR);
    return status.st_size > at ? status.st_size - at : 0;
}

/// The size of a new object: a segment cannot grow.
std::int64_t new_size(const Options& options, const Name& name,
                      std::optional<std::int64_t> length) {
    if (options.create_size || !name.is_system_v())
        return options.create_size.value_or(0);
    if (!length)
        throw UsageError(name.text, "--create needs =SIZE for a segment, unless stdin is a file");
    return bounded_sum(options.range.offset, *length);
}

/// Ready to take what is stored at the offset.
std::unique_ptr<MemoryTarget> open_target(const Options& options, const Name& name) {
    const auto length = input_length();
    for (;;) {
        auto target =
            try_open_memory_target(name, options.creates ? options.existing : Existing::any);
        if (!target && !options.creates)
            throw Error(name.text, "cannot open", ENOENT);
        if (!target)
            target = try_create_memory_target(name, new_size(options, name, length));
        if (!target)
            continue; // somebody made it just now
        target->begin(options.range.offset, length.value_or(0), options.rest);
        if (target->try_publish())
            return target;
    }
}

void store(MemoryTarget& target) {
    const auto stored = [&] { return text(target.stored(), " bytes stored, the rest not"); };
    try {
        while (target.receive()) {
        }
        target.finish();
    } catch (Error& error) {
        error.append(text("; ", stored()));
        throw;
    } catch (const signals::Ended&) {
        report(text(printable(target.name().text), ": ", stored()));
        throw;
    }
}

/// The same words, without memory.
void report_stored(std::int64_t count) noexcept {
    constexpr std::string_view words = " bytes stored, the rest not";
    std::array<char, std::numeric_limits<std::int64_t>::digits10 + 1 + words.size()> line{};
    char* const end = std::to_chars(line.begin(), line.end(), count).ptr;
    report(std::string_view(line.data(), std::copy(words.begin(), words.end(), end)));
}

int write(const Options& options, const Name& name) {
    const auto target = open_target(options, name);
    try {
        store(*target);
    } catch (const std::bad_alloc&) {
        report_stored(target->stored());
        throw;
    }
    return exit_done;
}

int run(const Options& options, const Invocation& invocation) {
    check(options, invocation);
    const Name name = parse_name(Kind::shared_memory, invocation.operands[0]);
    signals::hold();
    return options.writes ? write(options, name) : read(options, name);
}

} // namespace

int main(int argc, char** argv) { return ipc::tool_main<tool, table, run, Options>(argc, argv); }
