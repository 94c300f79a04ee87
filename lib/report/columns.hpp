// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/format_time.hpp"
#include "inventory/object.hpp"
#include "process/scan.hpp"
#include "report/table.hpp"

/// The columns in which objects are shown: ipcstat(1), COLUMNS.
namespace ipc {

/// What has to be known of objects before a column can be filled.
enum class Needs : std::uint8_t {
    name,    ///< the directory entry, or the record, alone
    figures, ///< what a look at each object tells
    members, ///< what a look at the semaphores of each set tells
    users,   ///< a pass over all processes
};

/// How values are written.
struct ColumnStyle {
    TimeFormat times = TimeFormat::brief;
    bool exact_sizes = false; ///< bytes rather than 4K
};

struct ObjectColumn {
    const char* name;
    const char* help;
    Align align;
    Needs needs;
    /// Fills a cell of `table` with what is known of it.
    void (*fill)(Table& table, const Object& object, const ProcessScan& scan,
                 const ColumnStyle& style);
};

std::span<const ObjectColumn> object_columns() noexcept;

using Columns = std::vector<const ObjectColumn*>;

/// Those that are shown by default.
Columns default_columns();
Columns all_columns();

/// `COL,…`: these; `+COL,…`: besides `chosen`. Any case will do. Throws UsageError.
Columns parse_columns(std::string_view list, Columns chosen);

Needs needs_of(const Columns& chosen) noexcept;

/// Its headings.
std::vector<TableColumn> table_columns(const Columns& chosen);

/// Adds a row.
void add_row(Table& table, const Columns& chosen, const Object& object, const ProcessScan& scan,
             const ColumnStyle& style);

} // namespace ipc
