// SPDX-License-Identifier: MIT
#include "report/table.hpp"

#include <algorithm>
#include <array>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/display_width.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

namespace ipc {

namespace {

/// Whether a byte stands for itself in every form.
constexpr std::array<bool, 256> plain_bytes = [] {
    std::array<bool, 256> plain{};
    for (const char c : std::string_view("0123456789abcdefghijklmnopqrstuvwxyz"
                                         "ABCDEFGHIJKLMNOPQRSTUVWXYZ/:._-+,=@[]"))
        plain[static_cast<unsigned char>(c)] = true;
    return plain;
}();

bool is_plain(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return plain_bytes[static_cast<unsigned char>(c)]; });
}

/// printable(), and of what it leaves, `special` as \xNN too.
void append_escaped(std::string& out, std::string_view value, std::string_view special) {
    if (is_plain(value)) {
        out += value;
        return;
    }
    while (!value.empty()) {
        const std::size_t length = std::max<std::size_t>(utf8_sequence(value), 1);
        if (special.find(value[0]) != std::string_view::npos)
            append_escaped_byte(out, value[0]);
        else
            out += printable(value.substr(0, length));
        value.remove_prefix(length);
    }
}

std::string lower(std::string_view name) {
    std::string out(name);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    return out;
}

/// `USE%` as a variable: USE_PCT.
std::string variable(std::string_view name) {
    std::string out;
    for (const char c : name)
        if (c == '%')
            out += "_PCT";
        else
            out += c == '-' ? '_' : c;
    return out;
}

int digit(char c) noexcept {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

constexpr std::string_view stand_out = "\x1b[7m";
constexpr std::string_view stand_back = "\x1b[0m";

} // namespace

Table::Table(std::string title, std::vector<TableColumn> columns, TableForm form, Headings headings)
    : title_(std::move(title)), columns_(std::move(columns)), form_(form), headings_(headings) {}

void Table::add(std::int64_t number) {
    append_text(bytes_, number);
    close_cell(Cell::number);
}

void Table::add_member(const char* name, std::string_view value) {
    members_ += ipc::text('"', name, "\":", value, ',');
}

std::string_view Table::cell(std::size_t row, std::size_t column) const noexcept {
    const std::size_t at = index(row, column);
    const std::size_t begin = at == 0 ? 0 : cells_[at - 1].end;
    return std::string_view(bytes_).substr(begin, cells_[at].end - begin);
}

std::string Table::text(std::size_t width) const {
    switch (form_) {
    case TableForm::raw:
        return raw();
    case TableForm::nul:
        return nul();
    case TableForm::pairs:
    case TableForm::shell:
        return pairs();
    case TableForm::json:
        return json();
    case TableForm::table:
        break;
    }
    return aligned(width);
}

std::string Table::aligned(std::size_t width) const {
    const std::size_t rows = row_count();
    const bool has_headings = headings_ == Headings::shown;
    std::vector<std::size_t> widths;
    for (std::size_t column = 0; column < columns_.size(); ++column) {
        std::size_t widest =
            has_headings ? std::string_view(columns_[column].name).size() : std::size_t{0};
        for (std::size_t row = 0; row < rows; ++row) {
            const std::string_view value = cell(row, column);
            widest =
                std::max(widest, is_plain(value) ? value.size() : display_width(printable(value)));
        }
        widths.push_back(widest);
    }

    std::string out;
    std::size_t used = 0;
    const auto put = [&](std::size_t column, std::string_view value, bool is_marked) {
        const bool is_last = column + 1 == columns_.size();
        const std::size_t wide = is_plain(value) ? value.size() : display_width(value);
        constexpr std::string_view cut = "...";
        std::string_view behind;
        if (is_last && columns_[column].may_shrink && width > used + cut.size() &&
            used + wide > width) {
            value = value.substr(0, bytes_within(value, width - used - cut.size()));
            behind = cut;
        }
        const std::size_t blanks = widths[column] - wide;
        if (columns_[column].align == Align::right)
            out.append(blanks, ' ');
        if (is_marked)
            out += stand_out;
        out += value;
        out += behind;
        if (is_marked)
            out += stand_back;
        if (columns_[column].align == Align::left && !is_last)
            out.append(blanks, ' ');
        out += is_last ? '\n' : ' ';
        used = is_last ? 0 : used + widths[column] + 1;
    };
    if (has_headings)
        for (std::size_t column = 0; column < columns_.size(); ++column)
            put(column, columns_[column].name, false);
    for (std::size_t row = 0; row < rows; ++row)
        for (std::size_t column = 0; column < columns_.size(); ++column) {
            const std::string_view value = cell(row, column);
            const bool is_marked = !marks_.empty() && std::find(marks_.begin(), marks_.end(),
                                                                index(row, column)) != marks_.end();
            if (is_plain(value))
                put(column, value, is_marked);
            else
                put(column, printable(value), is_marked);
        }
    return out;
}

std::string Table::raw() const {
    std::string out;
    const auto end_cell = [&](std::size_t column) {
        out += column + 1 == columns_.size() ? '\n' : ' ';
    };
    if (headings_ == Headings::shown)
        for (std::size_t column = 0; column < columns_.size(); ++column) {
            out += columns_[column].name;
            end_cell(column);
        }
    for (std::size_t row = 0; row < row_count(); ++row)
        for (std::size_t column = 0; column < columns_.size(); ++column) {
            append_escaped(out, cell(row, column), " \\");
            end_cell(column);
        }
    return out;
}

std::string Table::nul() const {
    std::string out;
    for (std::size_t row = 0; row < row_count(); ++row)
        for (std::size_t column = 0; column < columns_.size(); ++column) {
            out += cell(row, column);
            out += column + 1 == columns_.size() ? '\0' : '\t';
        }
    return out;
}

std::string Table::pairs() const {
    std::string out;
    for (std::size_t row = 0; row < row_count(); ++row)
        for (std::size_t column = 0; column < columns_.size(); ++column) {
            const char* const name = columns_[column].name;
            append_text(out, form_ == TableForm::shell ? variable(name) : std::string(name));
            out += "=\"";
            append_escaped(out, cell(row, column), "\"\\$`");
            out += '"';
            out += column + 1 == columns_.size() ? '\n' : ' ';
        }
    return out;
}

std::string Table::json() const {
    std::vector<std::string> names;
    for (const TableColumn& column : columns_)
        names.push_back(lower(column.name));
    std::string out = ipc::text('{', members_, '"', title_, "\":[");
    for (std::size_t row = 0; row < row_count(); ++row) {
        JsonObject object;
        for (std::size_t column = 0; column < columns_.size(); ++column) {
            const std::string_view value = cell(row, column);
            const std::string& name = names[column];
            switch (kind(row, column)) {
            case Cell::absent:
                object.add_number(name, "null");
                break;
            case Cell::number:
            case Cell::json:
                object.add_number(name, value);
                break;
            case Cell::string:
                object.add(name, ipc::text(name, "_base64"), value);
                break;
            }
        }
        out += row == 0 ? "\n" : ",\n";
        out += std::move(object).line();
        out.pop_back();
    }
    return out += row_count() == 0 ? "]}\n" : "\n]}\n";
}

bool unescape_raw(std::string_view escaped, std::string& bytes) {
    bytes.clear();
    for (std::size_t i = 0; i < escaped.size(); ++i) {
        if (escaped[i] != '\\') {
            bytes += escaped[i];
            continue;
        }
        const std::string_view code = escaped.substr(i, 4);
        if (code.size() < 4 || code[1] != 'x' || digit(code[2]) < 0 || digit(code[3]) < 0)
            return false;
        bytes += static_cast<char>(digit(code[2]) << 4 | digit(code[3]));
        i += 3;
    }
    return true;
}

std::size_t terminal_width() noexcept {
    winsize size{};
    return isatty(STDOUT_FILENO) == 1 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col
                                                                                      : 0;
}

} // namespace ipc
