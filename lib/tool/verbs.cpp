// SPDX-License-Identifier: MIT
#include "tool/verbs.hpp"

#include <unistd.h>
#include <utility>

#include "base/io.hpp"
#include "base/text.hpp"

namespace ipc {

namespace {

bool is_terminal() noexcept { return isatty(STDOUT_FILENO) == 1; }

} // namespace

void print_name(const Name& name) {
    const std::string printed = name.canonical();
    write_stdout(text(is_terminal() ? printable(printed) : printed, '\n'));
}

void Show::operator()(const Attributes& attributes) {
    if (as_ == ShowAs::json)
        write_stdout(attributes.json_text());
    else
        write_stdout(text(std::exchange(is_first_, false) ? "" : "\n",
                          attributes.shell_text(is_terminal())));
}

} // namespace ipc
