// SPDX-License-Identifier: MIT
#include "tool/options.hpp"

#include <algorithm>
#include <string>

#include "base/error.hpp"
#include "base/text.hpp"
#include "tool/help.hpp"

namespace ipc {

namespace {

// What getopt_long(3) returns for a long option: above every character.
constexpr int first_row = 256;

int has_argument(Argument argument) noexcept {
    switch (argument) {
    case Argument::required:
        return required_argument;
    case Argument::optional:
        return optional_argument;
    case Argument::none:
        break;
    }
    return no_argument;
}

bool goes_with(const char* verbs, std::string_view verb) noexcept {
    if (verbs == nullptr)
        return true;
    for (std::string_view rest = verbs;;) {
        const std::size_t comma = rest.find(',');
        if (rest.substr(0, comma) == verb)
            return true;
        if (comma == std::string_view::npos)
            return false;
        rest.remove_prefix(comma + 1);
    }
}

} // namespace

OptionParser::OptionParser(const Tool& tool, std::span<const OptionInfo> table, int argc,
                           char** argv)
    : tool_(tool), table_(table), argv_(argv, static_cast<std::size_t>(argc)), seen_(table.size()) {
    if (!tool.verbs.empty() && argc > 1 && argv[1][0] != '-') {
        verb_ = argv[1];
        if (std::none_of(tool.verbs.begin(), tool.verbs.end(),
                         [this](const Verb& verb) { return verb_ == verb.name; }))
            throw UsageError(text("unknown verb '", printable(verb_), "'"));
        argv_ = argv_.subspan(1);
    }
    // "+": stop at the first operand. ":": tell a missing argument from an unknown option.
    short_options_ = tool_.runs_command ? "+:" : ":";
    int row = first_row;
    for (const OptionInfo& info : table_) {
        long_options_.push_back({info.long_name, has_argument(info.argument), nullptr, row++});
        if (info.short_name == 0)
            continue;
        short_options_ += info.short_name;
        short_options_.append(static_cast<std::size_t>(has_argument(info.argument)), ':');
    }
    long_options_.push_back({nullptr, 0, nullptr, 0});
    opterr = 0;
    optind = 0;
}

int OptionParser::getopt() noexcept {
    const int before = std::max(optind, 1);
    const int result = getopt_long(static_cast<int>(argv_.size()), argv_.data(),
                                   short_options_.c_str(), long_options_.data(), nullptr);
    passed_dashes_ = passed_dashes_ || (result == -1 && optind > before);
    return result;
}

std::optional<OptionParser::Item> OptionParser::next() {
    if (argv_.size() == 2 && std::string_view(argv_[1]) == "--dump-options") {
        print_dump(tool_, table_);
        answered_ = true;
        return std::nullopt;
    }
    const int result = getopt();
    if (result == -1)
        return std::nullopt;
    if (result == '?' || result == ':')
        reject(result);
    std::size_t index = 0;
    if (result >= first_row)
        index = static_cast<std::size_t>(result - first_row);
    else
        while (table_[index].short_name != result)
            ++index;

    const std::string_view name = table_[index].long_name;
    if (name == "help" || name == "version") {
        name == "help" ? print_help(tool_, table_) : print_version(tool_);
        answered_ = true;
        return std::nullopt;
    }
    check_verb(index);
    check_group(index);
    seen_[index] = true;
    return Item{.index = index, .argument = optarg};
}

void OptionParser::reject(int result) const {
    const char* const word = argv_[static_cast<std::size_t>(optind) - 1];
    const std::string option = optopt >= first_row
                                   ? name_of(static_cast<std::size_t>(optopt - first_row))
                                   : printable(text('-', static_cast<char>(optopt)));
    if (result == ':')
        throw UsageError(text("option ", option, " needs an argument"));
    if (optopt >= first_row)
        throw UsageError(text("option ", option, " takes no argument"));
    if (optopt != 0)
        throw UsageError(text("unknown option '", option, "'"));
    std::string_view name = word;
    name.remove_prefix(2);
    name = name.substr(0, name.find('='));
    const auto matches = std::count_if(table_.begin(), table_.end(), [name](const auto& info) {
        return std::string_view(info.long_name).starts_with(name);
    });
    throw UsageError(
        text(matches > 1 ? "ambiguous option '" : "unknown option '", printable(word), "'"));
}

void OptionParser::check_verb(std::size_t index) const {
    const OptionInfo& info = table_[index];
    if (tool_.verbs.empty() || (!verb_.empty() && goes_with(info.verbs, verb_)))
        return;
    if (verb_.empty())
        throw UsageError("the verb comes first");
    throw UsageError(text("option ", name_of(index), " does not go with ", verb_));
}

void OptionParser::check_group(std::size_t index) {
    const char group = table_[index].group;
    if (group == 0)
        return;
    auto& member = group_members_[static_cast<unsigned char>(group)];
    if (member && *member != index)
        throw UsageError(
            text("options ", name_of(*member), " and ", name_of(index), " exclude each other"));
    member = index;
}

Invocation OptionParser::finish() const {
    const Invocation invocation = rest();
    if (invocation.command && invocation.command->empty())
        throw UsageError("COMMAND is missing");
    for (std::size_t row = 0; row < table_.size(); ++row) {
        const OptionInfo& info = table_[row];
        if (!seen_[row])
            continue;
        if (info.needs != nullptr && !is_seen(info.needs))
            throw UsageError(text("option ", name_of(row), " needs --", info.needs));
        if (info.command == ForCommand::only && !invocation.command)
            throw UsageError(text("option ", name_of(row), " goes with a COMMAND only"));
        if (info.command == ForCommand::never && invocation.command)
            throw UsageError(text("option ", name_of(row), " does not go with a COMMAND"));
    }
    return invocation;
}

bool OptionParser::is_seen(std::string_view long_name) const noexcept {
    for (std::size_t row = 0; row < table_.size(); ++row)
        if (seen_[row] && long_name == table_[row].long_name)
            return true;
    return false;
}

Invocation OptionParser::rest() const noexcept {
    const auto operands = argv_.subspan(static_cast<std::size_t>(optind));
    if (!tool_.runs_command)
        return {.verb = verb_, .operands = operands, .command = std::nullopt};
    if (tool_.command_alone && passed_dashes_)
        return {.verb = verb_, .operands = {}, .command = operands};
    const auto separator = std::find_if(operands.begin(), operands.end(), [](const char* word) {
        return std::string_view(word) == "--";
    });
    const auto count = static_cast<std::size_t>(separator - operands.begin());
    Invocation invocation{
        .verb = verb_, .operands = operands.first(count), .command = std::nullopt};
    if (separator != operands.end())
        invocation.command = operands.subspan(count + 1);
    return invocation;
}

bool OptionParser::has_command() noexcept {
    if (!tool_.runs_command)
        return false;
    while (getopt() != -1) {
    }
    return rest().command.has_value();
}

std::string OptionParser::name_of(std::size_t index) const {
    return text("--", table_[index].long_name);
}

} // namespace ipc
