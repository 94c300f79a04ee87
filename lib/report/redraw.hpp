// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/deadline.hpp"
#include "report/table.hpp"

namespace ipc {

/// A table on standard output that is drawn again and again. On a terminal, one of the form
/// `table` stands where the one before it stood, as far as the screen has room, and what changed
/// since then stands out; all else is a stream of tables. The terminal is as it was whenever the
/// process ends: no mode of it is changed (console_codes(4)).
class Redraw {
  public:
    Redraw() noexcept;

    /// What else is to be said stands below the table where that and standard error are on a
    /// terminal, since the next drawing would wipe it away; else it is reported. Throws Error when
    /// the table cannot be written.
    /// `what`: a row is, such as "object".
    void draw(Table table, const char* what, const std::vector<std::string>& remarks);

    /// Sleeps until the next multiple of the interval since this object was made; those that were
    /// missed are passed over. Steps of the wall clock do not matter: clock_nanosleep(2).
    void wait(nanoseconds interval) const;

  private:
    using Rows = std::unordered_map<std::string, std::size_t>;

    void mark_changes(Table& table, const Rows& rows, std::size_t visible) const;

    nanoseconds start_;
    std::optional<Table> previous_;
    Rows previous_rows_; ///< of `previous_`, by what tells a row from the others
};

} // namespace ipc
