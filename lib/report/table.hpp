// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ipc {

/// How a table is written. All but `table` are for programs: values are exact, one row is one
/// record whatever bytes are in it.
enum class TableForm : std::uint8_t {
    table, ///< columns side by side, control bytes as \xNN
    raw,   ///< blanks between the values; blanks, backslashes and control bytes in them as \xNN
    nul,   ///< tabs between the values, NUL behind each row, bytes as they are
    pairs, ///< NAME="value", fit for eval; what quoting leaves special as \xNN
    shell, ///< the same, with names that are fit for variables
    json,  ///< `{"TITLE":[{"name":value,…},…]}`, names in lower case
};

enum class Align : std::uint8_t { left, right };

struct TableColumn {
    const char* name = nullptr;
    Align align = Align::left;
    /// On a terminal that is too narrow it is cut: for the last column alone.
    bool may_shrink = false;
};

enum class Headings : std::uint8_t { shown, left_out };

/// Rows of cells, written in one of several forms. Cells are filled from left to right.
class Table {
  public:
    /// What a cell holds, which matters to json.
    enum class Cell : std::uint8_t {
        absent, ///< nothing is known: null
        number, ///< digits
        string, ///< any bytes; those that are no UTF-8 go in as base64 under NAME_base64
        json,   ///< json already; the other forms are not offered it
    };

    Table(std::string title, std::vector<TableColumn> columns, TableForm form,
          Headings headings = Headings::shown);

    TableForm form() const noexcept { return form_; }
    const std::vector<TableColumn>& columns() const noexcept { return columns_; }
    std::size_t row_count() const noexcept { return cells_.size() / columns_.size(); }

    /// Where the bytes of the next cell are to be appended; then it is closed.
    std::string& open_cell() noexcept { return bytes_; }
    void close_cell(Cell kind) { cells_.push_back({.end = bytes_.size(), .kind = kind}); }
    void add(Cell kind, std::string_view bytes) {
        bytes_ += bytes;
        close_cell(kind);
    }
    void add(std::int64_t number);
    void add_absent() { close_cell(Cell::absent); }

    std::string_view cell(std::size_t row, std::size_t column) const noexcept;

    /// Has a cell stand out, in the form `table` on a terminal.
    void mark(std::size_t row, std::size_t column) { marks_.push_back(index(row, column)); }

    /// The whole, as it is to be written; `width`: of the terminal, 0: no limit.
    std::string text(std::size_t width = 0) const;

    /// A member of json's outermost object besides the rows; `value` is json.
    void add_member(const char* name, std::string_view value);

  private:
    struct Place {
        std::size_t end;
        Cell kind;
    };

    std::size_t index(std::size_t row, std::size_t column) const noexcept {
        return row * columns_.size() + column;
    }
    Cell kind(std::size_t row, std::size_t column) const noexcept {
        return cells_[index(row, column)].kind;
    }
    std::string aligned(std::size_t width) const;
    std::string raw() const;
    std::string nul() const;
    std::string pairs() const;
    std::string json() const;

    std::string title_;
    std::vector<TableColumn> columns_;
    TableForm form_;
    Headings headings_;
    std::string bytes_;
    std::vector<Place> cells_;
    std::vector<std::size_t> marks_;
    std::string members_;
};

/// Undoes what TableForm::raw does to a value; nothing if it is not of that form.
bool unescape_raw(std::string_view escaped, std::string& bytes);

/// The width of standard output if it is a terminal, else 0.
std::size_t terminal_width() noexcept;

} // namespace ipc
