// SPDX-License-Identifier: MIT
//
// ipcstat: list every IPC object, what is in it, and who uses it.
//
// Nothing is unused that only could not be seen to be used, and what cannot be listed is said.
// Status: 0 listed, 1 an object that was named is not there, 2 trouble: something that was asked
// for could not be listed, or a filter could not be decided.

#include <optional>
#include <string>
#include <vector>

#include "base/deadline.hpp"
#include "base/io.hpp"
#include "base/parse.hpp"
#include "base/text.hpp"
#include "inventory/inventory.hpp"
#include "inventory/ipc_limits.hpp"
#include "report/columns.hpp"
#include "report/filter.hpp"
#include "report/graph.hpp"
#include "report/limits_table.hpp"
#include "report/open_metrics.hpp"
#include "report/redraw.hpp"
#include "report/select.hpp"
#include "report/table.hpp"
#include "tool/standard_options.hpp"
#include "tool/tool.hpp"
#include "tool/users.hpp"

namespace {

using namespace ipc;

enum class View : std::uint8_t { objects, limits, graph, metrics };

struct Options {
    std::optional<KindSet> kinds;
    bool all_kinds = false;
    ObjectFilter filter;
    std::optional<pid_t> namespace_of;
    bool all_namespaces = false;
    std::optional<Columns> columns;
    TableForm form = TableForm::table;
    Headings headings = Headings::shown;
    bool exact_sizes = false;
    std::optional<TimeFormat> times;
    View view = View::objects;
    std::optional<nanoseconds> interval;
    bool verbose = false;
};

constexpr const char* synopsis[] = {
    "[OPTION]... [NAME]...",
};
constexpr const char* operands[] = {"object"};

constexpr Tool tool = {
    .name = "ipcstat",
    .summary = "List IPC objects, what is in them, and who uses them.",
    .synopsis = synopsis,
    .operands = operands,
};

pid_t parse_process(const char* word) {
    return static_cast<pid_t>(parse::number(word, 1, std::numeric_limits<pid_t>::max()));
}

nanoseconds parse_interval(const char* word) {
    const nanoseconds interval = parse::duration(word);
    if (interval <= nanoseconds::zero())
        throw UsageError(text("'", printable(word), "' is no interval: at least 1ns is needed"));
    return interval;
}

// clang-format off
constexpr Option<Options> table[] = {
    {{.short_name = 'k', .long_name = "kinds", .argument = Argument::required,
      .argument_name = "KIND,...", .value_kind = "kinds",
      .help = "of these kinds, such as mq or pipe"},
     [](Options& o, const char* a) { o.kinds = parse_kinds(a); }},
    {{.short_name = 'a', .long_name = "all", .help = "all kinds, not only mq, sem and shm"},
     [](Options& o, const char*) { o.all_kinds = true; }},
    {standard::user({}),
     [](Options& o, const char* a) { o.filter.owner = parse_owner(a).uid; }},
    {{.short_name = 'p', .long_name = "process", .argument = Argument::required,
      .argument_name = "PID", .value_kind = "process",
      .help = "what this process uses, of all kinds"},
     [](Options& o, const char* a) { o.filter.process = parse_process(a); }},
    {{.short_name = 's', .long_name = "state", .argument = Argument::required,
      .argument_name = "STATE,...", .value_kind = "states",
      .help = "in these states, such as in-use or unused"},
     [](Options& o, const char* a) { o.filter.states = parse_states(a); }},
    {standard::namespace_of({.group = 'n'}),
     [](Options& o, const char* a) { o.namespace_of = parse_process(a); }},
    {{.long_name = "all-namespaces", .group = 'n', .help = "the IPC namespaces of all processes"},
     [](Options& o, const char*) { o.all_namespaces = true; }},
    {{.short_name = 'o', .long_name = "output", .argument = Argument::required,
      .argument_name = "COL,...", .value_kind = "columns", .group = 'o',
      .help = "these columns; +COL,...: besides the default ones"},
     [](Options& o, const char* a) { o.columns = parse_columns(a, default_columns()); }},
    {{.long_name = "output-all", .group = 'o', .help = "all columns"},
     [](Options& o, const char*) { o.columns = all_columns(); }},
    {standard::json({.group = 'f', .help = "json"}),
     [](Options& o, const char*) { o.form = TableForm::json; }},
    {{.short_name = 'r', .long_name = "raw", .group = 'f',
      .help = "blanks between columns, special bytes as \\xNN"},
     [](Options& o, const char*) { o.form = TableForm::raw; }},
    {{.short_name = 'e', .long_name = "export", .group = 'f', .help = "COL=\"value\" pairs"},
     [](Options& o, const char*) { o.form = TableForm::pairs; }},
    {{.short_name = 'y', .long_name = "shell", .group = 'f',
      .help = "the same, each COL fit for a variable of the shell"},
     [](Options& o, const char*) { o.form = TableForm::shell; }},
    {standard::null({.group = 'f', .help = "NUL behind each row, bytes as they are"}),
     [](Options& o, const char*) { o.form = TableForm::nul; }},
    {{.long_name = "noheadings", .help = "no line of headings"},
     [](Options& o, const char*) { o.headings = Headings::left_out; }},
    {{.short_name = 'b', .long_name = "bytes", .help = "exact sizes, not 4K"},
     [](Options& o, const char*) { o.exact_sizes = true; }},
    {{.long_name = "time-format", .argument = Argument::required,
      .argument_name = "FORMAT", .value_kind = "time-format",
      .help = "short, full, iso or timestamp"},
     [](Options& o, const char* a) { o.times = parse_time_format(a); }},
    {{.long_name = "limits", .group = 'v', .help = "limits, and how much of them is used"},
     [](Options& o, const char*) { o.view = View::limits; }},
    {{.long_name = "graph", .group = 'v', .help = "a graph for dot(1)"},
     [](Options& o, const char*) { o.view = View::graph; }},
    {{.long_name = "openmetrics", .group = 'v', .help = "figures as OpenMetrics text"},
     [](Options& o, const char*) { o.view = View::metrics; }},
    {{.long_name = "watch", .argument = Argument::required, .argument_name = "DURATION",
      .value_kind = "duration", .help = "again at this interval, showing what changed"},
     [](Options& o, const char* a) { o.interval = parse_interval(a); }},
    {standard::verbose({.help = "say what could not be examined"}),
     [](Options& o, const char*) { o.verbose = true; }},
    help_option<Options>,
    version_option<Options>,
};
// clang-format on

/// What is to be listed, once the operands are known.
struct Plan {
    InventoryRequest request;
    KindSet kinds; ///< what is shown of it
    bool has_limits = false;
    ObjectFilter filter;
    Columns columns;
    ColumnStyle style;
    bool is_plain = true; ///< nothing in particular was asked for
    int least_status = exit_done;
};

KindSet kinds_of(const Options& options, const ObjectFilter& filter) {
    if (options.kinds)
        return *options.kinds;
    if (options.all_kinds || filter.process)
        return all_kinds;
    KindSet kinds;
    for (const ObjectName& name : filter.names)
        kinds.add(name.kinds());
    return kinds.empty() ? kept_kinds : kinds;
}

Depth depth_of(Needs needs) noexcept {
    return needs == Needs::name      ? Depth::names
           : needs == Needs::figures ? Depth::figures
                                     : Depth::members;
}

Plan make_plan(const Options& options, Operands names) {
    Plan plan;
    plan.filter = options.filter;
    for (const char* const name : names)
        plan.filter.names.emplace_back(name);
    plan.is_plain = !options.kinds && !options.filter.process && !options.filter.owner &&
                    options.filter.states.empty() && plan.filter.names.empty() &&
                    !options.all_namespaces && options.view != View::limits;
    plan.columns = options.columns.value_or(
        options.interval && options.form == TableForm::table && terminal_width() > 0
            ? parse_columns("KIND,NAME,OWNER,MSGS,USED,FILL,STATE,USERS", {})
            : default_columns());
    const bool is_for_people = options.form == TableForm::table;
    plan.style = {.times =
                      options.times.value_or(is_for_people ? TimeFormat::brief : TimeFormat::stamp),
                  .exact_sizes = options.exact_sizes || !is_for_people};

    const Needs needs = options.view == View::objects  ? needs_of(plan.columns)
                        : options.view == View::limits ? Needs::figures
                                                       : Needs::users;
    const bool is_judged = needs == Needs::users || options.filter.process ||
                           !options.filter.states.empty() || options.verbose;
    plan.kinds = options.view == View::limits ? kept_kinds : kinds_of(options, plan.filter);
    plan.has_limits = options.view == View::limits || options.view == View::metrics;
    plan.request = {.kinds = plan.has_limits ? plan.kinds | kept_kinds : plan.kinds,
                    .depth = depth_of(is_judged ? Needs::users : needs),
                    .judged = is_judged && options.view != View::limits ? Judged::yes : Judged::no,
                    .process = options.filter.process,
                    .places = nullptr};
    return plan;
}

/// Of several places, the first.
std::vector<LimitUse> limits_of(const Plan& plan, Inventory& inventory) {
    return plan.request.places == nullptr
               ? ipc_limits(inventory.objects, inventory.troubles)
               : ipc_limits(plan.request.places->front(), inventory.objects, inventory.troubles);
}

Table make_table(const Options& options, const Plan& plan, const Inventory& inventory,
                 const std::vector<LimitUse>& limits) {
    if (options.view == View::limits)
        return limits_table(limits, options.form, options.headings, plan.style.exact_sizes);
    Table rows("ipc", table_columns(plan.columns), options.form, options.headings);
    if (plan.request.judged == Judged::yes) {
        rows.add_member("unexamined", text(inventory.scan.unexamined));
        rows.add_member("hidden", inventory.scan.some_hidden ? "true" : "false");
    }
    for (const Object& object : inventory.objects)
        add_row(rows, plan.columns, object, inventory.scan, plan.style);
    return rows;
}

/// Writes one listing; `screen` is where it was drawn before, if it was.
int show(const Options& options, const Plan& plan, Redraw* screen) {
    Inventory inventory = take_inventory(plan.request);
    Remarks remarks{.lines = {}, .status = plan.least_status};
    // Before a filter leaves out what uses them.
    const std::vector<LimitUse> limits =
        plan.has_limits ? limits_of(plan, inventory) : std::vector<LimitUse>();
    for (Trouble& trouble : inventory.troubles)
        remarks.add(std::move(trouble.line), plan.is_plain ? exit_done : exit_trouble);
    select_objects(inventory, plan.kinds, plan.filter, remarks);
    if (options.verbose)
        note_unexamined(inventory.scan, remarks);
    if (screen != nullptr) {
        screen->draw(make_table(options, plan, inventory, limits),
                     options.view == View::limits ? "limit" : "object", remarks.lines);
        return remarks.status;
    }
    for (const std::string& line : remarks.lines)
        report(line);
    write_stdout(options.view == View::graph ? graph(inventory.objects, inventory.scan)
                 : options.view == View::metrics
                     ? open_metrics(inventory.objects, limits, inventory.scan.unexamined)
                     : make_table(options, plan, inventory, limits).text(terminal_width()));
    return remarks.status;
}

/// What goes with one view alone.
void check(const Options& options, Operands names) {
    const bool is_table = options.view == View::objects || options.view == View::limits;
    if (!is_table && (options.form != TableForm::table || options.interval))
        throw UsageError("--graph and --openmetrics are texts of their own, not tables");
    if (options.view != View::objects && options.columns)
        throw UsageError("only objects have columns to choose from");
    if (options.view != View::limits)
        return;
    if (options.all_namespaces)
        throw UsageError("the limits are those of one namespace; choose it with --namespace");
    if (options.kinds || options.all_kinds || options.filter.owner || options.filter.process ||
        !options.filter.states.empty() || !names.empty())
        throw UsageError("the limits are not those of some objects; --limits shows all");
}

int run(const Options& options, const Invocation& invocation) {
    check(options, invocation.operands);
    Plan plan = make_plan(options, invocation.operands);
    std::vector<Place> places;
    if (options.namespace_of)
        places.push_back(place_of(*options.namespace_of));
    if (options.all_namespaces) {
        std::vector<Trouble> troubles;
        places = all_places(troubles);
        for (const Trouble& trouble : troubles)
            report(trouble.line);
        if (!troubles.empty())
            plan.least_status = exit_trouble;
    }
    if (!places.empty())
        plan.request.places = &places;
    if (!options.interval)
        return show(options, plan, nullptr);
    Redraw screen;
    for (;;) {
        show(options, plan, &screen);
        screen.wait(*options.interval);
    }
}

} // namespace

int main(int argc, char** argv) { return ipc::tool_main<tool, table, run, Options>(argc, argv); }
