// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <system_error>

#include "base/exit_status.hpp"

namespace ipc {

/// What a tool could not do. what() is the line that stderr gets, without the tool's name:
/// `OBJECT: cannot VERB: REASON (DETAIL)`. Caught once, in tool_main().
class Error : public std::system_error {
  public:
    /// `object` as the user named it (empty: none), `action` as in "cannot send"; `error` is an
    /// errno value; `detail` adds the figures that errno lacks, such as the limit that was met.
    Error(std::string_view object, std::string_view action, int error,
          std::string_view detail = {});

    /// Trouble that no errno describes: `OBJECT: MESSAGE`.
    Error(std::string_view object, std::string_view message);

    const char* what() const noexcept override { return line_.c_str(); }

    /// Adds what only the caller knows to the line.
    void append(std::string_view more) { line_ += more; }

    /// What a tool that ends because of it exits with, unless it runs a COMMAND.
    virtual ExitStatus status() const noexcept { return exit_trouble; }

  private:
    std::string line_;
};

/// The command line is wrong; tool_main() adds where the help is.
class UsageError : public Error {
  public:
    explicit UsageError(std::string_view message) : Error({}, message) {}
    UsageError(std::string_view object, std::string_view message) : Error(object, message) {}
};

} // namespace ipc
