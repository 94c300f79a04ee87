// SPDX-License-Identifier: MIT
#include "report/redraw.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

#include "base/display_width.hpp"
#include "base/io.hpp"
#include "base/text.hpp"
#include "tool/tool.hpp"

namespace ipc {

namespace {

constexpr std::string_view home = "\x1b[H";
constexpr std::string_view clear_line = "\x1b[K";
constexpr std::string_view clear_below = "\x1b[J";
constexpr std::string_view plain_style = "\x1b[0m";
constexpr char escape = '\x1b';

struct Screen {
    std::size_t rows = 0; ///< 0: not known
    std::size_t columns = 0;
};

Screen screen_size() noexcept {
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
        return {};
    return {.rows = size.ws_row, .columns = size.ws_col};
}

nanoseconds monotonic_now() noexcept {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return std::chrono::seconds(now.tv_sec) + nanoseconds(now.tv_nsec);
}

std::string time_of_day() {
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    char line[32];
    if (localtime_r(&now, &local) == nullptr)
        return {};
    return {line, std::strftime(line, sizeof line, "%Y-%m-%d %H:%M:%S", &local)};
}

/// A line of a table, with what makes cells stand out in it, on one line of the screen: one that
/// wrapped would push the others from their places.
void append_line(std::string& out, std::string_view line, std::size_t columns) {
    std::size_t used = 0;
    bool stands_out = false;
    while (!line.empty()) {
        if (line[0] == escape) {
            const std::size_t length = line.find('m') + 1;
            out += line.substr(0, length);
            stands_out = line.substr(0, length) != plain_style;
            line.remove_prefix(length);
            continue;
        }
        const std::size_t length = std::max<std::size_t>(utf8_sequence(line), 1);
        const std::size_t width = display_width(line.substr(0, length));
        if (columns > 0 && used + width > columns)
            break;
        out += line.substr(0, length);
        line.remove_prefix(length);
        used += width;
    }
    if (stands_out)
        out += plain_style;
    // Behind the last column, it would take the character there.
    if (columns == 0 || used < columns)
        out += clear_line;
    out += '\n';
}

/// Each row by the cell that names it; where names repeat, or there are none, by their order too.
std::unordered_map<std::string, std::size_t> index_rows(const Table& table) {
    const std::vector<TableColumn>& columns = table.columns();
    const auto name = std::find_if(columns.begin(), columns.end(), [](const TableColumn& column) {
        return column.name == std::string_view("NAME") ||
               column.name == std::string_view("RESOURCE");
    });
    const auto column = static_cast<std::size_t>(name - columns.begin());
    std::unordered_map<std::string, std::size_t> rows;
    std::unordered_map<std::string_view, std::size_t> counts;
    for (std::size_t row = 0; row < table.row_count(); ++row) {
        const std::string_view key =
            column < columns.size() ? table.cell(row, column) : std::string_view();
        rows.emplace(text(counts[key]++, ' ', key), row);
    }
    return rows;
}

/// Of the lines of a table, as many as there is room for, the last one telling how many are left.
void append_lines(std::string& out, std::string_view lines, const Screen& screen,
                  std::size_t room) {
    auto left = static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n'));
    while (left > 0 && (left <= room || room > 1)) {
        const std::size_t length = lines.find('\n');
        append_line(out, lines.substr(0, length), screen.columns);
        lines.remove_prefix(length + 1);
        --left;
        --room;
    }
    if (left > 0)
        append_line(out, text("\u2026 ", left, " more"), screen.columns);
}

} // namespace

Redraw::Redraw() noexcept : start_(monotonic_now()) {}

void Redraw::draw(Table table, const char* what, const std::vector<std::string>& remarks) {
    const bool is_drawn = table.form() == TableForm::table && isatty(STDOUT_FILENO) == 1;
    const bool has_remarks = is_drawn && isatty(STDERR_FILENO) == 1;
    if (!has_remarks)
        for (const std::string& line : remarks)
            report(line);
    if (!is_drawn) {
        write_stdout(table.text());
        return;
    }
    const Screen screen = screen_size();
    // One line tells the time, and the cursor stays below the last.
    const std::size_t other_lines = 2 + (has_remarks ? remarks.size() : 0);
    const std::size_t room = screen.rows == 0            ? table.row_count() + 1
                             : screen.rows > other_lines ? screen.rows - other_lines
                                                         : 1;
    Rows rows = index_rows(table);
    std::string out;
    if (previous_)
        mark_changes(table, rows, room);
    else
        out.append(screen.rows, '\n'); // what is on the screen can be scrolled back to
    out += home;
    append_line(
        out,
        text(time_of_day(), "  ", table.row_count(), ' ', what, table.row_count() == 1 ? "" : "s"),
        screen.columns);
    append_lines(out, table.text(screen.columns), screen, room);
    if (has_remarks)
        for (const std::string& line : remarks)
            append_line(out, line, screen.columns);
    out += clear_below;
    write_stdout(out);
    previous_ = std::move(table);
    previous_rows_ = std::move(rows);
}

void Redraw::mark_changes(Table& table, const Rows& rows, std::size_t visible) const {
    for (const auto& [key, row] : rows) {
        if (row >= visible)
            continue;
        const auto before = previous_rows_.find(key);
        for (std::size_t column = 0; column < table.columns().size(); ++column)
            if (before == previous_rows_.end() ||
                table.cell(row, column) != previous_->cell(before->second, column))
                table.mark(row, column);
    }
}

void Redraw::wait(nanoseconds interval) const {
    const nanoseconds passed = monotonic_now() - start_;
    const timespec next = to_timespec(start_ + (passed / interval + 1) * interval);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, nullptr) == EINTR) {
    }
}

} // namespace ipc
