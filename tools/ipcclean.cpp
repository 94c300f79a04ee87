// SPDX-License-Identifier: MIT
//
// ipcclean: remove the objects that nobody uses any more.
//
// What may go is decided by one listing; each object is examined again before it goes. Without -y
// it is only said. What stays among what was chosen or named is said on stderr, with the reason.
// Status: 0 done, 1 an object that was named is left or not there, 2 trouble.

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/io.hpp"
#include "base/parse.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "inventory/cleaning.hpp"
#include "inventory/inventory.hpp"
#include "inventory/removal.hpp"
#include "report/filter.hpp"
#include "report/name_set.hpp"
#include "tool/standard_options.hpp"
#include "tool/tool.hpp"
#include "tool/users.hpp"

namespace {

using namespace ipc;

struct Options {
    bool yes = false;
    std::optional<KindSet> kinds;
    std::optional<uid_t> owner;
    std::optional<std::vector<State>> states;
    std::optional<nanoseconds> older_than;
    const char* glob = nullptr;
    Data messages = Data::kept;
    std::optional<pid_t> namespace_of;
    NamesAs names_as = NamesAs::escaped_lines;
    bool verbose = false;
};

constexpr const char* synopsis[] = {
    "[OPTION]... [NAME]...",
    "[OPTION]... -",
};
constexpr const char* operands[] = {"object"};

constexpr Tool tool = {
    .name = "ipcclean",
    .summary = "Remove the IPC objects that nobody uses any more.",
    .synopsis = synopsis,
    .operands = operands,
};

KindSet parse_kept_kinds(const char* list) {
    const KindSet kinds = parse_kinds(list);
    for (std::size_t i = 0; i < object_kind_count; ++i)
        if (const auto kind = static_cast<ObjectKind>(i); kinds.has(kind) && !kept_kinds.has(kind))
            throw UsageError(text("'", kind_name(kind),
                                  "' goes with its processes; only mq, sem "
                                  "and shm can be removed"));
    return kinds;
}

std::vector<State> parse_removable_states(const char* list) {
    std::vector<State> states = parse_states(list);
    for (const State state : states)
        if (state == State::in_use || state == State::marked)
            throw UsageError(text("'", state_name(state),
                                  "' is used; only orphan, unused, idle, malformed and unknown can "
                                  "be removed"));
    return states;
}

// clang-format off
constexpr Option<Options> table[] = {
    {{.short_name = 'y', .long_name = "yes", .help = "remove, rather than say what would be"},
     [](Options& o, const char*) { o.yes = true; }},
    {{.short_name = 'k', .long_name = "kinds", .argument = Argument::required,
      .argument_name = "KIND,...", .value_kind = "kept-kinds", .help = "these kinds: mq sem shm"},
     [](Options& o, const char* a) { o.kinds = parse_kept_kinds(a); }},
    {standard::user({}),
     [](Options& o, const char* a) { o.owner = parse_owner(a).uid; }},
    {{.short_name = 's', .long_name = "state", .argument = Argument::required,
      .argument_name = "STATE,...", .value_kind = "removable-states",
      .help = "orphan (default) unused idle malformed unknown"},
     [](Options& o, const char* a) { o.states = parse_removable_states(a); }},
    {{.long_name = "older-than", .argument = Argument::required, .argument_name = "DURATION",
      .value_kind = "duration", .help = "not used for so long, 60 seconds by default"},
     [](Options& o, const char* a) { o.older_than = parse::duration(a); }},
    {{.long_name = "name", .argument = Argument::required, .argument_name = "GLOB",
      .help = "whose name, with its kind or without, matches"},
     [](Options& o, const char* a) { o.glob = a; }},
    {{.long_name = "with-data", .help = "queues that hold messages as well"},
     [](Options& o, const char*) { o.messages = Data::lost; }},
    {standard::namespace_of({}),
     [](Options& o, const char* a) {
         o.namespace_of = static_cast<pid_t>(parse::number(a, 1, std::numeric_limits<pid_t>::max()));
     }},
    {standard::null({.help = "names on stdin end with a NUL"}),
     [](Options& o, const char*) { o.names_as = NamesAs::nul; }},
    {standard::verbose({.help = "say of all others why they are left"}),
     [](Options& o, const char*) { o.verbose = true; }},
    help_option<Options>,
    version_option<Options>,
};
// clang-format on

CleaningRules rules_of(const Options& options) {
    CleaningRules rules;
    if (options.states)
        rules.states = *options.states;
    rules.older_than = options.older_than.value_or(rules.older_than);
    rules.messages = options.messages;
    return rules;
}

/// Names of objects, be it none on stdin: then all stay. Nothing if no operand was given.
std::optional<NameSet> take_names(const Options& options, Operands words) {
    const auto is_stdin = [](const char* name) { return name == std::string_view("-"); };
    NameSet names;
    if (std::any_of(words.begin(), words.end(), is_stdin)) {
        if (words.size() > 1)
            throw UsageError("-: names from stdin and other names do not go together");
        add_names_from_stdin(options.names_as, names);
        return names;
    }
    if (options.names_as == NamesAs::nul)
        throw UsageError("--null needs the operand -");
    for (const char* const name : words)
        names.add(name);
    return words.empty() ? std::nullopt : std::optional(std::move(names));
}

/// An idle object may have a neighbour in use of any kind.
KindSet kinds_to_list(const Options& options, const std::optional<NameSet>& names) {
    const bool has_idle =
        options.states && std::any_of(options.states->begin(), options.states->end(), [](State s) {
            return s == State::idle || s == State::unknown;
        });
    if (has_idle)
        return kept_kinds;
    return names ? names->kinds() : options.kinds.value_or(kept_kinds);
}

/// Whether there is somebody at the other end who may go.
bool is_read_by_somebody(int fd) noexcept {
    struct stat status {};
    return fstat(fd, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

class Run {
  public:
    Run(const Options& options, std::optional<NameSet> names, const std::vector<Place>& places)
        : options_(options), names_(std::move(names)), rules_(rules_of(options)),
          inventory_(take_inventory(
              {.kinds = kinds_to_list(options, names_), .process = {}, .places = &places})),
          cleaning_(rules_, inventory_.objects, time(nullptr)),
          remover_(places.front(),
                   cleaning_.is_chosen(State::unknown) ? Proof::waived : Proof::required) {}

    int operator()() {
        tell_troubles();
        // Before anything is gone that could not be told.
        if ((fcntl(STDOUT_FILENO, F_GETFL) & O_ACCMODE) == O_RDONLY)
            throw Error("stdout", "cannot write", EBADF);
        for (const Object& object : inventory_.objects) {
            if (signals::ended() != 0)
                tell_removed();
            signals::check();
            if (!names_ || names_->find(object))
                deal_with(object);
        }
        write_stdout(lines_);
        if (names_)
            for (const std::string_view name : names_->missing())
                fail(text(printable(name), ": there is no such object"), exit_not_now);
        if (options_.verbose && !inventory_.scan.is_complete())
            report("not all processes could be examined");
        return status_;
    }

  private:
    void tell_troubles() {
        const bool is_plain = !options_.kinds && !options_.owner && !options_.states &&
                              options_.glob == nullptr && !names_;
        for (const Trouble& trouble : inventory_.troubles)
            fail(trouble.line, is_plain ? exit_done : exit_trouble);
    }

    void fail(std::string_view line, ExitStatus status) {
        report(line);
        status_ = std::max<int>(status_, status);
    }

    bool is_selected(const Object& object) const {
        if (options_.kinds && !options_.kinds->has(object.kind))
            return false;
        if (options_.owner && (!object.has_owner || object.owner != *options_.owner))
            return false;
        return options_.glob == nullptr || fnmatch(options_.glob, object.name.c_str(), 0) == 0 ||
               fnmatch(options_.glob, object.full_name().c_str(), 0) == 0;
    }

    void deal_with(const Object& object) {
        if (!is_selected(object)) {
            if (names_)
                leave(object, "other options leave it out");
        } else if (!cleaning_.is_chosen(object.state)) {
            if (names_ || options_.verbose)
                leave(object, describe_state(object, inventory_.scan));
        } else if (const std::string why = cleaning_.why_kept(object); !why.empty()) {
            leave(object, why);
        } else {
            const std::string line =
                text("remove", options_.yes ? "d " : " ", printable(object.full_name()), ": ",
                     cleaning_.describe(object), '\n');
            if (options_.yes)
                remove(object, line);
            else
                lines_ += text("would ", line);
        }
    }

    void leave(const Object& object, std::string_view why) {
        fail(text("left ", printable(object.full_name()), ": ", why),
             names_ ? exit_not_now : exit_done);
    }

    void tell_removed() const {
        if (options_.yes)
            report(text(removed_, " removed before the signal, all others left"));
    }

    /// The line follows what it says; before that nothing may be known to keep it from being read.
    void remove(const Object& object, std::string_view line) {
        if (has_reader_ && is_writer_cut_off(STDOUT_FILENO))
            throw Error("stdout", "cannot write", EPIPE);
        try {
            if (const std::string why = remover_.remove(object); !why.empty()) {
                leave(object, why);
                return;
            }
        } catch (const Error& error) {
            fail(error.what(), exit_trouble);
            return;
        } catch (const signals::Ended&) { // it looked at all processes
            tell_removed();
            throw;
        }
        ++removed_;
        std::size_t written = 0;
        if (const int error = write_patiently(STDOUT_FILENO, line, written))
            throw Error("stdout", "cannot write", error,
                        text(line.substr(0, line.size() - 1), "; all others left"));
    }

    const Options& options_;
    std::optional<NameSet> names_;
    CleaningRules rules_;
    Inventory inventory_;
    Cleaning cleaning_;
    Remover remover_;
    std::string lines_; ///< of what would be removed
    std::size_t removed_ = 0;
    const bool has_reader_ = is_read_by_somebody(STDOUT_FILENO);
    int status_ = exit_done;
};

int run(const Options& options, const Invocation& invocation) {
    std::optional<NameSet> names = take_names(options, invocation.operands);
    std::vector<Place> places;
    places.push_back(options.namespace_of ? place_of(*options.namespace_of) : own_place());
    Run clean(options, std::move(names), places);
    const Visit visit(places.front());
    // Until here there is nothing that a signal could leave half done, however long it takes.
    signals::hold();
    return clean();
}

} // namespace

int main(int argc, char** argv) { return ipc::tool_main<tool, table, run, Options>(argc, argv); }
