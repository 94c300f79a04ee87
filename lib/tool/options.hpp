// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <getopt.h>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ipc {

/// Whether an option takes an argument: getopt_long(3).
enum class Argument : std::uint8_t { none, required, optional };

/// Whether an option goes with a COMMAND, in a tool that can run one.
enum class ForCommand : std::uint8_t { either, only, never };

/// One row of a tool's option table, from which the parser, --help and the completions come.
struct OptionInfo {
    char short_name = 0;             ///< 0: none
    const char* long_name = nullptr; ///< always there
    Argument argument = Argument::none;
    const char* argument_name = nullptr; ///< as --help shows it
    const char* value_kind = "none";     ///< what a completion offers
    const char* verbs = nullptr;         ///< the verbs it goes with, comma-separated; null: all
    char group = 0;                      ///< options of one group exclude each other; 0: none
    const char* needs = nullptr;         ///< the long name of an option that must be there as well
    ForCommand command = ForCommand::either;
    const char* help = nullptr; ///< always there
};

/// The row with what it does to the tool's own `Options`. `apply` gets the argument, or null, and
/// throws UsageError for a bad one.
template <class Options> struct Option {
    OptionInfo info;
    void (*apply)(Options&, const char* argument);
};

struct Verb {
    const char* name;
    const char* help;
};

/// What a tool is, beside its options.
struct Tool {
    const char* name;
    const char* summary;                   ///< one line, for --help and apropos
    std::span<const char* const> synopsis; ///< without the name
    std::span<const char* const> operands; ///< the kind of each; the last one repeats
    std::span<const Verb> verbs = {};
    bool runs_command = false; ///< `… -- COMMAND [ARG…]`
    /// There need be no operand, so that the first `--` begins COMMAND, not the second.
    bool command_alone = false;
};

using Operands = std::span<char* const>;

/// What is left when the options are taken.
struct Invocation {
    std::string_view verb;
    Operands operands;
    std::optional<Operands> command; ///< behind `--`; ends with a null, as execvp(3) wants
};

/// Goes through a command line by its table; does what --help and --version ask.
class OptionParser {
  public:
    OptionParser(const Tool& tool, std::span<const OptionInfo> table, int argc, char** argv);

    struct Item {
        std::size_t index; ///< into the table
        const char* argument;
    };

    /// The next option; nothing at the end. Throws UsageError.
    std::optional<Item> next();

    /// After the last option. Throws UsageError for options that do not fit together.
    Invocation finish() const;

    /// Whether a COMMAND is given, also when an option before it is wrong.
    bool has_command() noexcept;

    /// "--count" or "-c", as the user wrote it.
    std::string name_of(std::size_t index) const;

    /// True when --help, --version or the dump was asked for and printed.
    bool answered() const noexcept { return answered_; }

  private:
    int getopt() noexcept;
    Invocation rest() const noexcept;
    bool is_seen(std::string_view long_name) const noexcept;
    void check_verb(std::size_t index) const;
    void check_group(std::size_t index);
    [[noreturn]] void reject(int result) const;

    const Tool& tool_;
    std::span<const OptionInfo> table_;
    std::span<char*> argv_; ///< begins with the tool's name or the verb
    std::string_view verb_;
    std::string short_options_;
    std::vector<option> long_options_;
    std::array<std::optional<std::size_t>, 256> group_members_{};
    std::vector<bool> seen_; ///< by row
    bool answered_ = false;
    bool passed_dashes_ = false; ///< the options ended with `--`
};

} // namespace ipc
