// SPDX-License-Identifier: MIT
#include "tool/help.hpp"

#include <algorithm>
#include <string>

#include "base/io.hpp"
#include "base/text.hpp"

namespace ipc {

namespace {

constexpr std::size_t help_column = 30;

void indent_to(std::string& out, std::size_t line_start, std::size_t column) {
    const std::size_t width = out.size() - line_start;
    if (width + 2 > column) {
        out += '\n';
        out.append(column, ' ');
    } else {
        out.append(column - width, ' ');
    }
}

void append_option(std::string& out, const OptionInfo& info) {
    const std::size_t start = out.size();
    out += info.short_name != 0 ? text("  -", info.short_name, ", ") : "      ";
    append_text(out, text("--", info.long_name));
    if (info.argument == Argument::required)
        out += text('=', info.argument_name);
    if (info.argument == Argument::optional)
        out += text("[=", info.argument_name, ']');
    indent_to(out, start, help_column);
    out += info.help;
    if (info.verbs != nullptr) {
        out += " (";
        for (const char* c = info.verbs; *c != '\0'; ++c)
            out += *c == ',' ? std::string(", ") : std::string(1, *c);
        out += ')';
    }
    out += '\n';
}

const char* argument_word(Argument argument) noexcept {
    switch (argument) {
    case Argument::required:
        return "required";
    case Argument::optional:
        return "optional";
    case Argument::none:
        break;
    }
    return "none";
}

const char* or_dash(const char* word) noexcept { return word == nullptr ? "-" : word; }

} // namespace

void print_help(const Tool& tool, std::span<const OptionInfo> table) {
    std::string out;
    for (const char* line : tool.synopsis)
        out += text(out.empty() ? "Usage: " : "       ", tool.name, ' ', line, '\n');
    out += text(tool.summary, "\n\n");
    for (const Verb& verb : tool.verbs) {
        const std::size_t start = out.size();
        out += text("  ", verb.name);
        indent_to(out, start, help_column);
        out += text(verb.help, '\n');
    }
    if (!tool.verbs.empty())
        out += '\n';
    for (const OptionInfo& info : table)
        append_option(out, info);
    out += text("\nFull documentation: man ", tool.name, "\n");
    write_stdout(out);
}

void print_version(const Tool& tool) {
    write_stdout(text(tool.name, " (ipctools) " IPCTOOLS_VERSION "\n"));
}

void print_dump(const Tool& tool, std::span<const OptionInfo> table) {
    std::string out = text("tool\t", tool.name, '\t', tool.summary, '\n');
    for (const char* line : tool.synopsis)
        out += text("synopsis\t", tool.name, ' ', line, '\n');
    for (const Verb& verb : tool.verbs)
        out += text("verb\t", verb.name, '\t', verb.help, '\n');
    for (const char* operand : tool.operands)
        out += text("operand\t", operand, '\n');
    for (const OptionInfo& info : table) {
        out += text("option\t", info.short_name == 0 ? '-' : info.short_name, '\t', info.long_name,
                    '\t', argument_word(info.argument), '\t', or_dash(info.argument_name), '\t',
                    info.value_kind, '\t', or_dash(info.verbs), '\t', info.help, '\n');
    }
    write_stdout(out);
}

} // namespace ipc
