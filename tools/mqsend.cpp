// SPDX-License-Identifier: MIT
//
// mqsend: stream of records -> message queue.
//
// A record is sent as soon as it is complete. Whatever ends mqsend early, each record was either
// sent or is still in the input: a seekable stdin is left at the first one not sent, and of any
// other stdin the diagnostic says how many were.
// Status: 0 all sent, 1 the queue is full (-n), 2 trouble, 124 it stayed full (-w).

#include <algorithm>
#include <cerrno>
#include <memory>
#include <new>
#include <optional>
#include <sched.h>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>

#include "base/buffer.hpp"
#include "base/deadline.hpp"
#include "base/error.hpp"
#include "base/parse.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "queue/message_queue.hpp"
#include "record/reader.hpp"
#include "tool/progress.hpp"
#include "tool/standard_options.hpp"
#include "tool/tool.hpp"

namespace {

using namespace ipc;

struct Options {
    std::optional<long> priority;
    bool with_priority = false;
    Format format = Format::line;
    bool nonblock = false;
    std::optional<nanoseconds> timeout;
    bool pack = false;
    bool create = false;
    Existing existing = Existing::ours;
    QueueSettings settings;
    bool progress = false;
    bool verbose = false;
};

constexpr const char* synopsis[] = {
    "[OPTION]... QUEUE [MESSAGE]...",
};
constexpr const char* operands[] = {"queue", "message"};

constexpr Tool tool = {
    .name = "mqsend",
    .summary = "Send each record of standard input, or each MESSAGE, to a message queue.",
    .synopsis = synopsis,
    .operands = operands,
};

// clang-format off
constexpr Option<Options> table[] = {
    {{.short_name = 'p', .long_name = "priority", .argument = Argument::required,
      .argument_name = "N", .value_kind = "number", .group = 'p',
      .help = "POSIX priority (default 0) or System V type (1)"},
     [](Options& o, const char* a) { o.priority = parse::number(a); }},
    {{.short_name = 'P', .long_name = "with-priority", .group = 'p',
      .help = "each record begins with its priority and a tab"},
     [](Options& o, const char*) { o.with_priority = true; }},
    {standard::format({}),
     [](Options& o, const char* a) { o.format = parse_format(a); }},
    {standard::format_null({}),
     [](Options& o, const char*) { o.format = Format::nul; }},
    {standard::format_json({}),
     [](Options& o, const char*) { o.format = Format::json; }},
    {standard::nonblock({.help = "do not wait for room in the queue"}),
     [](Options& o, const char*) { o.nonblock = true; }},
    {standard::timeout({.help = "wait at most that long for room each time"}),
     [](Options& o, const char* a) { o.timeout = parse::duration(a); }},
    {{.long_name = "pack",
      .help = "fill messages with whole records"},
     [](Options& o, const char*) { o.pack = true; }},
    {{.long_name = "create", .help = "create the queue if it is not there"},
     [](Options& o, const char*) { o.create = true; }},
    {standard::owner_any({.needs = "create"}),
     [](Options& o, const char*) { o.existing = Existing::any; }},
    {standard::mode({.needs = "create", .help = "permissions of a new queue (0600)"}),
     [](Options& o, const char* a) { o.settings.mode = parse::mode(a, o.settings.mode); }},
    {{.long_name = "maxmsg", .argument = Argument::required, .argument_name = "N",
      .value_kind = "number", .needs = "create", .help = "messages a new POSIX queue holds"},
     [](Options& o, const char* a) { o.settings.max_messages = parse::number(a, 1); }},
    {{.long_name = "msgsize", .argument = Argument::required,
      .argument_name = "SIZE", .value_kind = "size", .needs = "create",
      .help = "bytes a message of a new POSIX queue may have"},
     [](Options& o, const char* a) { o.settings.message_size = parse::size(a); }},
    {standard::progress({.help = "say each second how much was sent"}),
     [](Options& o, const char*) { o.progress = true; }},
    {standard::verbose({.help = "say at the end how many were sent"}),
     [](Options& o, const char*) { o.verbose = true; }},
    help_option<Options>,
    version_option<Options>,
};
// clang-format on

void check(const Options& options, const Invocation& invocation) {
    const bool has_messages = invocation.operands.size() > 1;
    if (invocation.operands.empty())
        throw UsageError("QUEUE is missing");
    if (options.with_priority &&
        (options.format == Format::json || options.format == Format::whole))
        throw UsageError("--with-priority goes with line, nul and netstring alone");
    if (options.pack && (!is_delimited(options.format) || options.with_priority || has_messages))
        throw UsageError("--pack goes with line and nul records of stdin alone, "
                         "without --with-priority");
    if (has_messages && (options.with_priority || options.format != Format::line))
        throw UsageError("a format and --with-priority are for records of stdin");
}

/// Open what is there before creating, so that O_CREAT never meets an existing queue.
std::unique_ptr<MessageQueue> open(const Options& options, const Name& name) {
    while (options.create) {
        try {
            return open_queue(name, Access::send, options.existing);
        } catch (const Error& error) {
            if (error.code().value() != ENOENT)
                throw;
        }
        if (auto queue = create_queue(name, options.settings, Existing::any).queue)
            return queue;
    }
    return open_queue(name, Access::send);
}

/// Sends messages one by one and knows what to say of each that cannot be sent.
class Sender {
  public:
    Sender(const Options& options, MessageQueue& queue, Progress& progress)
        : options_(options), queue_(queue), progress_(progress),
          default_priority_(options.priority.value_or(queue.default_priority())) {}

    /// done, not_now or timed_out.
    Outcome send(const Record& record) {
        if (record.size > queue_.message_limit())
            refuse(EMSGSIZE, too_long(record));
        const long priority = record.priority.value_or(default_priority_);
        if (priority < queue_.lowest_priority() || priority > queue_.highest_priority())
            refuse(EINVAL,
                   text("record ", number(), " has the priority ", priority, ", the queue takes ",
                        queue_.lowest_priority(), " to ", queue_.highest_priority()));
        const Outcome outcome =
            options_.nonblock ? queue_.try_send(record.data, priority)
                              : queue_.send(record.data, priority,
                                            Deadline::after(options_.timeout), Interruptible::yes);
        if (outcome == Outcome::removed)
            refuse(EIDRM);
        if (outcome == Outcome::done)
            progress_.add(record.count, record.size);
        return outcome;
    }

    /// A POSIX queue that has been removed takes messages that nobody will find. System V says so
    /// itself.
    void check_queue() const {
        if (queue_.family() == Family::posix && queue_.is_removed())
            refuse(EIDRM);
    }

    /// When all is sent, only what is still in such a queue matters.
    void check_delivered() const {
        if (queue_.family() != Family::posix || !queue_.is_removed())
            return;
        if (const std::size_t left = queue_.count(); left > 0)
            throw Error(queue_.name().text,
                        text("the queue was removed; messages still in it: ", left));
    }

    std::string account() const {
        return text(progress_.records(), " sent, record ", number(), " not");
    }

  private:
    std::uint64_t number() const noexcept { return progress_.records() + 1; }

    std::string too_long(const Record& record) const {
        const std::size_t limit = queue_.message_limit();
        const bool is_counted = record.size <= std::max(limit, RecordReader::longest_count);
        const std::string cause = queue_.explain_limit(record.size);
        return text("record ", number(), " is ", is_counted ? "" : "more than ",
                    is_counted ? record.size : RecordReader::longest_count,
                    " bytes, the queue takes ", limit, cause.empty() ? "" : ", ", cause);
    }

    [[noreturn]] void refuse(int error, std::string_view detail = {}) const {
        throw Error(queue_.name().text, "cannot send", error, detail);
    }

    const Options& options_;
    MessageQueue& queue_;
    Progress& progress_;
    long default_priority_;
};

Outcome send_operands(Sender& sender, Operands messages) {
    for (const std::string_view message : messages) {
        Buffer buffer;
        buffer.append(message);
        const Outcome outcome =
            sender.send({.data = buffer.span(0, message.size()), .size = message.size()});
        if (outcome != Outcome::done)
            return outcome;
    }
    return Outcome::done;
}

Outcome send_records(const Options& options, Sender& sender, RecordReader& reader) {
    std::uint64_t blocks = 0;
    while (const Record* const record = options.pack ? reader.next_pack() : reader.next()) {
        if (std::exchange(blocks, reader.blocks()) != reader.blocks())
            sender.check_queue();
        const Outcome outcome = sender.send(*record);
        if (outcome != Outcome::done)
            return outcome;
        reader.consume();
    }
    return Outcome::done;
}

/// When we wake, whoever writes our input goes on first, so that more records are at hand:
/// sched(7).
void let_input_gather() noexcept {
    const sched_param none{};
    if (sched_getscheduler(0) == SCHED_OTHER)
        sched_setscheduler(0, SCHED_BATCH, &none);
}

int run(const Options& options, const Invocation& invocation) {
    check(options, invocation);
    const Name name = parse_name(Kind::queue, invocation.operands[0]);
    const auto queue = open(options, name);
    const Operands messages = invocation.operands.subspan(1);

    signals::hold();
    if (options.pack)
        let_input_gather();
    Progress progress(tool.name, options.progress ? Periodic::yes : Periodic::no);
    Sender sender(options, *queue, progress);
    RecordReader reader(STDIN_FILENO, options.format, options.with_priority,
                        queue->message_limit());
    const auto say_where_it_stopped = [&] {
        if (!messages.empty() || !reader.reposition())
            report(text(printable(name.text), ": ", sender.account()));
    };
    Outcome outcome = Outcome::done;
    try {
        outcome = messages.empty() ? send_records(options, sender, reader)
                                   : send_operands(sender, messages);
    } catch (Error& error) {
        reader.reposition();
        error.append(text("; ", sender.account()));
        throw;
    } catch (const std::bad_alloc&) {
        say_where_it_stopped();
        throw;
    } catch (const signals::Ended&) {
        say_where_it_stopped();
        throw;
    }
    if (outcome != Outcome::done) {
        say_where_it_stopped();
        return outcome == Outcome::timed_out ? exit_timed_out : exit_not_now;
    }
    sender.check_delivered();
    if (options.verbose)
        report(text(printable(name.text), ": ", progress.records(),
                    progress.records() == 1 ? " record sent" : " records sent"));
    return exit_done;
}

} // namespace

int main(int argc, char** argv) { return ipc::tool_main<tool, table, run, Options>(argc, argv); }
