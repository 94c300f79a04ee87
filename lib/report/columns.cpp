// SPDX-License-Identifier: MIT
#include "report/columns.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "base/format_size.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "tool/attributes.hpp"
#include "tool/users.hpp"

namespace ipc {

namespace {

using Cell = Table::Cell;

bool is_json(const Table& table) noexcept { return table.form() == TableForm::json; }

void add_word(Table& table, std::string_view word) {
    table.add(word.empty() ? Cell::absent : Cell::string, word);
}

template <Figure figure>
void number(Table& table, const Object& object, const ProcessScan&, const ColumnStyle&) {
    if (const auto value = object.figures.get(figure))
        table.add(*value);
    else
        table.add_absent();
}

/// Of processes: 0 is nobody, or one that is not visible from here.
template <Figure figure>
void process(Table& table, const Object& object, const ProcessScan& scan,
             const ColumnStyle& style) {
    if (object.figures.get_or(figure, 0) == 0)
        table.add_absent();
    else
        number<figure>(table, object, scan, style);
}

template <Figure figure>
void size(Table& table, const Object& object, const ProcessScan& scan, const ColumnStyle& style) {
    const auto value = object.figures.get(figure);
    if (value && !style.exact_sizes)
        table.add(Cell::string, short_size(*value));
    else
        number<figure>(table, object, scan, style);
}

/// 0 is never.
template <Figure figure>
void time_of(Table& table, const Object& object, const ProcessScan&, const ColumnStyle& style) {
    const std::int64_t value = object.figures.get_or(figure, 0);
    if (value == 0)
        table.add_absent();
    else if (style.times == TimeFormat::stamp)
        table.add(value);
    else
        table.add(Cell::string, format_time(value, style.times));
}

template <Detail detail>
void words(Table& table, const Object& object, const ProcessScan&, const ColumnStyle&) {
    add_word(table, object.detail(detail));
}

const char* role_name(Role role) noexcept {
    constexpr std::array names = {"opens", "reads", "writes", "both", "holds", "waits", "last"};
    return names[static_cast<std::size_t>(role)];
}

/// `pid:command`, and `pid` alone where its command is not known.
std::string describe_process(const ProcessScan& scan, pid_t pid) {
    std::string command = scan.command(pid);
    // A comma would seem to begin another process.
    std::replace(command.begin(), command.end(), ',', '?');
    return command.empty() ? text(pid) : text(pid, ':', command);
}

/// The users with one of these roles, or all.
template <Role... roles>
void users(Table& table, const Object& object, const ProcessScan& scan, const ColumnStyle&) {
    std::string& out = table.open_cell();
    const std::size_t begin = out.size();
    if (is_json(table))
        out += '[';
    bool is_first = true;
    pid_t last = 0;
    for (const Use& use : object.users) {
        if (sizeof...(roles) > 0 && ((use.role != roles) && ...))
            continue;
        if (is_json(table)) {
            JsonObject user;
            user.add("pid", std::int64_t{use.pid});
            user.add("command", "command_base64", scan.command(use.pid));
            user.add("role", "", role_name(use.role));
            std::string line = std::move(user).line();
            line.pop_back();
            out += is_first ? "" : ",";
            out += line;
        } else if (is_first || use.pid != last) {
            out += is_first ? "" : ",";
            out += describe_process(scan, use.pid);
        }
        last = use.pid;
        is_first = false;
    }
    if (is_json(table))
        out += ']';
    table.close_cell(is_json(table)       ? Cell::json
                     : out.size() > begin ? Cell::string
                                          : Cell::absent);
}

void kind(Table& table, const Object& object, const ProcessScan&, const ColumnStyle&) {
    table.add(Cell::string, kind_name(object.kind));
}

void name(Table& table, const Object& object, const ProcessScan&, const ColumnStyle&) {
    table.add(Cell::string, object.full_name());
}

/// Names of users are looked up once each.
const std::string& cached_user_name(uid_t uid) {
    thread_local std::unordered_map<uid_t, std::string> names;
    const auto [place, is_new] = names.try_emplace(uid);
    if (is_new)
        place->second = user_name(uid);
    return place->second;
}

void owner(Table& table, const Object& object, const ProcessScan&, const ColumnStyle&) {
    if (object.has_owner)
        table.add(Cell::string, cached_user_name(object.owner));
    else
        table.add_absent();
}

void group(Table& table, const Object& object, const ProcessScan&, const ColumnStyle&) {
    if (object.has_owner)
        table.add(Cell::string, group_name(object.group));
    else
        table.add_absent();
}

void creator(Table& table, const Object& object, const ProcessScan&, const ColumnStyle&) {
    if (const auto uid = object.figures.get(Figure::creator))
        table.add(Cell::string, cached_user_name(static_cast<uid_t>(*uid)));
    else
        table.add_absent();
}

void perms(Table& table, const Object& object, const ProcessScan&, const ColumnStyle&) {
    if (object.has_owner && object.has_perms && object.kind != ObjectKind::sig)
        table.add(Cell::string, mode_text(object.perms));
    else
        table.add_absent();
}

void state(Table& table, const Object& object, const ProcessScan&, const ColumnStyle&) {
    add_word(table, state_name(object.state));
}

void key(Table& table, const Object& object, const ProcessScan&, const ColumnStyle&) {
    if (const auto value = object.figures.get(Figure::key))
        table.add(Cell::string, hex32(static_cast<unsigned>(*value)));
    else
        table.add_absent();
}

/// How full a queue is, in percent: by bytes or by messages, whichever is nearer to its end.
std::optional<std::int64_t> fill_of(const Object& object) {
    constexpr std::int64_t all = 100;
    std::optional<std::int64_t> percent;
    constexpr std::pair<Figure, Figure> ratios[] = {{Figure::used, Figure::limit},
                                                    {Figure::msgs, Figure::maxmsg}};
    for (const auto& [part, whole] : ratios) {
        const auto some = object.figures.get(part);
        const auto most = object.figures.get(whole);
        if (some && most && *most > 0)
            percent = std::max(percent.value_or(0),
                               static_cast<std::int64_t>(static_cast<double>(*some) * all /
                                                         static_cast<double>(*most)));
    }
    return percent;
}

void fill(Table& table, const Object& object, const ProcessScan&, const ColumnStyle&) {
    constexpr std::int64_t bar = 10;
    constexpr std::int64_t all = 100;
    const auto percent = fill_of(object);
    if (!percent) {
        table.add_absent();
    } else if (table.form() != TableForm::table) {
        table.add(*percent);
    } else {
        const auto marks =
            static_cast<std::size_t>(std::min((*percent * bar + all - 1) / all, bar));
        std::string line(marks, '#');
        line.resize(bar, '.');
        table.add(Cell::string, line);
    }
}

void persistence(Table& table, const Object& object, const ProcessScan&, const ColumnStyle&) {
    table.add(Cell::string, object.persistence());
}

// clang-format off
constexpr ObjectColumn columns[] = {
    {"KIND", "kind of object", Align::left, Needs::name, kind},
    {"NAME", "its name, as every tool accepts it", Align::left, Needs::name, name},
    {"OWNER", "who owns it", Align::left, Needs::name, owner},
    {"GROUP", "the group that owns it", Align::left, Needs::name, group},
    {"PERMS", "permissions", Align::left, Needs::name, perms},
    {"USED", "bytes in it", Align::right, Needs::figures, size<Figure::used>},
    {"STATE", "whether somebody uses it", Align::left, Needs::users, state},
    {"KEY", "System V key", Align::left, Needs::name, key},
    {"ID", "System V identifier", Align::right, Needs::name, number<Figure::id>},
    {"LIMIT", "the most bytes that it takes", Align::right, Needs::figures, size<Figure::limit>},
    {"FILL", "how full a queue is, in percent", Align::right, Needs::figures, fill},
    {"MSGS", "messages queued", Align::right, Needs::figures, number<Figure::msgs>},
    {"MAXMSG", "the most messages", Align::right, Needs::figures, number<Figure::maxmsg>},
    {"MSGSIZE", "the longest message", Align::right, Needs::figures, size<Figure::msgsize>},
    {"VALUE", "value of a semaphore or eventfd", Align::right, Needs::members, number<Figure::value>},
    {"WAITERS", "how many wait", Align::right, Needs::members, number<Figure::waiters>},
    {"NSEMS", "members of a set", Align::right, Needs::name, number<Figure::nsems>},
    {"SIZE", "size of memory", Align::right, Needs::figures, size<Figure::size>},
    {"NATTCH", "attaches of a segment", Align::right, Needs::name, number<Figure::nattch>},
    {"CTIME", "last change of owner or mode", Align::left, Needs::figures, time_of<Figure::ctime>},
    {"MTIME", "last change of the content", Align::left, Needs::figures, time_of<Figure::mtime>},
    {"SEND", "last message sent", Align::left, Needs::name, time_of<Figure::send>},
    {"RECV", "last message received", Align::left, Needs::name, time_of<Figure::recv>},
    {"ATTACH", "last attach", Align::left, Needs::name, time_of<Figure::attach>},
    {"DETACH", "last detach", Align::left, Needs::name, time_of<Figure::detach>},
    {"OTIME", "last operation on a set", Align::left, Needs::name, time_of<Figure::operation>},
    {"CREATOR", "who created it", Align::left, Needs::name, creator},
    {"CPID", "process that created a segment", Align::right, Needs::name, process<Figure::cpid>},
    {"SENDER", "process that sent last", Align::right, Needs::name, process<Figure::sender>},
    {"RECEIVER", "process that received last", Align::right, Needs::name, process<Figure::receiver>},
    {"LASTPID", "process of the last operation", Align::right, Needs::members, process<Figure::lastpid>},
    {"INODE", "inode of its file", Align::right, Needs::name, number<Figure::inode>},
    {"NS", "inode of its IPC namespace", Align::right, Needs::name, number<Figure::ns>},
    {"FD", "a descriptor of it, in its first user", Align::right, Needs::users, number<Figure::fd>},
    {"NOTIFY", "process that is notified", Align::right, Needs::figures, process<Figure::notify>},
    {"PERSISTENCE", "how long it lives", Align::left, Needs::name, persistence},
    {"TYPE", "type of a lock, socket or mapping", Align::left, Needs::name, words<Detail::type>},
    {"PEER", "the other end of a socket", Align::left, Needs::name, words<Detail::peer>},
    {"REGION", "bytes that are locked", Align::left, Needs::name, words<Detail::region>},
    {"PENDING", "signals that wait for delivery", Align::left, Needs::name, words<Detail::pending>},
    {"BLOCKED", "signals that are blocked", Align::left, Needs::name, words<Detail::blocked>},
    {"IGNORED", "signals that are ignored", Align::left, Needs::name, words<Detail::ignored>},
    {"CAUGHT", "signals that are caught", Align::left, Needs::name, words<Detail::caught>},
    {"READERS", "who reads a pipe, FIFO or POSIX queue", Align::left, Needs::users, users<Role::reads, Role::both>},
    {"WRITERS", "who writes a pipe, FIFO or POSIX queue", Align::left, Needs::users, users<Role::writes, Role::both>},
    {"HOLDERS", "who holds a lock", Align::left, Needs::users, users<Role::holds>},
    {"WAITING", "who waits", Align::left, Needs::users, users<Role::waits>},
    {"USERS", "who uses it", Align::left, Needs::users, users<>},
};
// clang-format on

const ObjectColumn& find(std::string_view name) {
    const auto same = [](char a, char b) {
        return (a >= 'a' && a <= 'z' ? static_cast<char>(a - 'a' + 'A') : a) == b;
    };
    for (const ObjectColumn& column : columns)
        if (std::equal(name.begin(), name.end(), column.name,
                       column.name + std::string_view(column.name).size(), same))
            return column;
    std::string names;
    for (const ObjectColumn& column : columns)
        names += text(names.empty() ? "" : " ", column.name);
    throw UsageError(text("there is no column '", printable(name), "'; there are ", names));
}

} // namespace

std::span<const ObjectColumn> object_columns() noexcept { return columns; }

Columns default_columns() { return parse_columns("KIND,NAME,OWNER,PERMS,USED,STATE,USERS", {}); }

Columns all_columns() {
    Columns all;
    for (const ObjectColumn& column : columns)
        all.push_back(&column);
    return all;
}

Columns parse_columns(std::string_view list, Columns chosen) {
    if (list.starts_with('+'))
        list.remove_prefix(1);
    else
        chosen.clear();
    for (;;) {
        const std::size_t comma = list.find(',');
        const ObjectColumn& column = find(list.substr(0, comma));
        if (std::find(chosen.begin(), chosen.end(), &column) == chosen.end())
            chosen.push_back(&column);
        if (comma == std::string_view::npos)
            return chosen;
        list.remove_prefix(comma + 1);
    }
}

Needs needs_of(const Columns& chosen) noexcept {
    Needs needs = Needs::name;
    for (const ObjectColumn* const column : chosen)
        needs = std::max(needs, column->needs);
    return needs;
}

std::vector<TableColumn> table_columns(const Columns& chosen) {
    std::vector<TableColumn> headings;
    for (const ObjectColumn* const column : chosen)
        headings.push_back({.name = column->name, .align = column->align, .may_shrink = true});
    return headings;
}

void add_row(Table& table, const Columns& chosen, const Object& object, const ProcessScan& scan,
             const ColumnStyle& style) {
    for (const ObjectColumn* const column : chosen)
        column->fill(table, object, scan, style);
}

} // namespace ipc
