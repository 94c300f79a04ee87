// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include "base/error.hpp"
#include "base/exit_status.hpp"
#include "base/text.hpp"
#include "tool/options.hpp"

namespace ipc {

/// The rows that every tool's table ends with.
template <class Options>
constexpr Option<Options> help_option = {
    {.short_name = 'h', .long_name = "help", .help = "show this help and exit"}, nullptr};
template <class Options>
constexpr Option<Options> version_option = {
    {.short_name = 'V', .long_name = "version", .help = "show the version and exit"}, nullptr};

/// A diagnostic on stderr, `TOOL: LINE`, written at once.
void report(std::string_view line) noexcept;
/// The same for what went wrong; misuse gets a hint at --help.
void report(const Error& error);

namespace detail {

/// The part of tool_main() that knows no option type. `body` gets the parser.
int guarded_main(const Tool& tool, std::span<const OptionInfo> table, int argc, char** argv,
                 int (*body)(OptionParser&));

} // namespace detail

/// What main() is: repairs closed standard descriptors, parses the options by `table`, calls
/// `run(options, invocation)`, and turns what it throws into a line on stderr and a status, or
/// into the end by a signal. `tool` and `table` have static storage.
template <const auto& tool, const auto& table, auto run, class Options>
int tool_main(int argc, char** argv) {
    static constexpr auto rows = [] {
        std::array<OptionInfo, std::size(table)> infos{};
        for (std::size_t i = 0; i < infos.size(); ++i)
            infos[i] = table[i].info;
        return infos;
    }();
    return detail::guarded_main(tool, rows, argc, argv, [](OptionParser& parser) -> int {
        Options options;
        while (const auto item = parser.next()) {
            try {
                table[item->index].apply(options, item->argument);
            } catch (const UsageError& error) {
                throw UsageError(text(parser.name_of(item->index), ": ", error.what()));
            }
        }
        return parser.answered() ? exit_done : run(options, parser.finish());
    });
}

} // namespace ipc
