// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "tool/options.hpp"

namespace ipc {

/// What --help, --version and --dump-options print to stdout, from the tool's table. The dump is
/// for scripts: tab-separated lines that begin with `tool`, `synopsis`, `verb`, `operand` or
/// `option`; completions and tests are made from it. Throw Error when stdout fails.
void print_help(const Tool& tool, std::span<const OptionInfo> table);
void print_version(const Tool& tool);
void print_dump(const Tool& tool, std::span<const OptionInfo> table);

} // namespace ipc
