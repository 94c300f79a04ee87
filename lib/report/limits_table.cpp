// SPDX-License-Identifier: MIT
#include "report/limits_table.hpp"

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "base/format_size.hpp"
#include "base/text.hpp"

namespace ipc {

namespace {

using Cell = Table::Cell;

std::vector<TableColumn> columns(TableForm form) {
    std::vector<TableColumn> all = {
        {.name = "RESOURCE"},
        {.name = "USER"},
        {.name = "USED", .align = Align::right},
        {.name = "LIMIT", .align = Align::right},
        {.name = form == TableForm::table ? "USE%" : "PERCENT", .align = Align::right},
    };
    if (form != TableForm::table)
        all.push_back({.name = "UNIT"});
    all.push_back({.name = "DESCRIPTION", .may_shrink = true});
    return all;
}

void add_count(Table& table, const LimitUse& limit, std::optional<std::uint64_t> count,
               bool is_exact) {
    const bool is_for_people = table.form() == TableForm::table;
    if (!count || (*count == no_limit && !is_for_people))
        return table.add_absent();
    if (*count == no_limit)
        return table.add(Cell::string, "unlimited");
    if (is_exact || std::string_view(limit.unit) != "bytes")
        return table.add(Cell::number, text(*count));
    table.add(Cell::string, short_size(static_cast<std::int64_t>(*count)));
}

void add_percent(Table& table, const LimitUse& limit) {
    const auto percent = limit.percent();
    if (!percent)
        return table.add_absent();
    char digits[32];
    const int length = std::snprintf(digits, sizeof digits, "%.2f", *percent);
    const std::string_view number(digits, static_cast<std::size_t>(length));
    if (table.form() == TableForm::table)
        table.add(Cell::string, text(number, '%'));
    else
        table.add(Cell::number, number);
}

void add_words(Table& table, std::string_view words) {
    if (words.empty())
        table.add_absent();
    else
        table.add(Cell::string, words);
}

} // namespace

Table limits_table(const std::vector<LimitUse>& limits, TableForm form, Headings headings,
                   bool has_exact_sizes) {
    Table table("ipc", columns(form), form, headings);
    const bool is_exact = has_exact_sizes || form != TableForm::table;
    for (const LimitUse& limit : limits) {
        add_words(table, limit.name);
        add_words(table, limit.who);
        add_count(table, limit, limit.used, is_exact);
        add_count(table, limit, limit.limit, is_exact);
        add_percent(table, limit);
        if (form != TableForm::table)
            add_words(table, limit.unit);
        add_words(table, limit.description);
    }
    return table;
}

} // namespace ipc
