// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "inventory/object.hpp"
#include "report/filter.hpp"

namespace ipc {

/// Many names of objects, found by an object without going through them all.
class NameSet {
  public:
    /// Throws what ObjectName does.
    void add(std::string_view name);

    bool empty() const noexcept { return names_.empty(); }
    KindSet kinds() const noexcept { return kinds_; } ///< that one of them may be of

    /// Whether one of the names is this object's; those that are count as found.
    bool find(const Object& object);
    /// As they were added, those that were never found.
    std::vector<std::string_view> missing() const;

  private:
    struct Entry {
        ObjectName name;
        bool is_found = false;
    };

    bool find(const std::string& spelling, const Object& object);

    std::vector<Entry> names_;
    std::unordered_multimap<std::string, std::size_t> by_spelling_;
    KindSet kinds_;
};

/// The names that stdin holds: one a line, escaped as TableForm::raw does it, or as they are with a
/// NUL behind each. With signals::hold(). Throws Error that says which of them is malformed.
enum class NamesAs : std::uint8_t { escaped_lines, nul };
void add_names_from_stdin(NamesAs form, NameSet& names);

} // namespace ipc
