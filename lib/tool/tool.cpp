// SPDX-License-Identifier: MIT
#include "tool/tool.hpp"

#include <cerrno>
#include <cstdlib>
#include <exception>
#include <fcntl.h>
#include <new>
#include <optional>
#include <unistd.h>

#include "base/io.hpp"
#include "base/signals.hpp"

namespace ipc {

namespace {

const char* tool_name = "ipctools";

/// A closed standard descriptor would be taken by the next open(2), and our output would go into
/// an IPC object. With O_PATH in its place, using it stays the error that it is.
void repair_standard_fds() noexcept {
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (fcntl(fd, F_GETFD) == -1 && errno == EBADF)
            open("/", O_PATH);
}

/// For want of memory.
void report_in_pieces(std::string_view line) noexcept {
    for (const std::string_view piece :
         {std::string_view(tool_name), std::string_view(": "), line, std::string_view("\n")})
        write_stderr(piece);
}

/// Where the C++ runtime got no memory, nor a reserve at the start, for the exception that would
/// tell of it, this is called instead. Any other exception that nobody catches is a fault of ours.
[[noreturn]] void end_without_memory() noexcept {
    if (std::current_exception() != nullptr) {
        try {
            throw;
        } catch (const std::bad_alloc&) {
        } catch (...) {
            std::abort();
        }
    }
    report_in_pieces("out of memory");
    _exit(exit_trouble);
}

/// Some file systems tell only now that a write failed: close(2).
void close_stdout() {
    if (close(STDOUT_FILENO) != 0 && errno != EBADF && errno != EINTR)
        throw Error("stdout", "cannot write", errno);
}

} // namespace

void report(std::string_view line) noexcept {
    try {
        write_stderr(text(tool_name, ": ", line, '\n'));
    } catch (const std::bad_alloc&) {
        report_in_pieces(line);
    }
}

void report(const Error& error) {
    const bool is_misuse = dynamic_cast<const UsageError*>(&error) != nullptr;
    const std::string_view line = error.what();
    if (is_misuse)
        report(text(line, "; see ", tool_name, " --help"));
    else
        report(line); // no copy of it: there may be no memory
}

int detail::guarded_main(const Tool& tool, std::span<const OptionInfo> table, int argc, char** argv,
                         int (*body)(OptionParser&)) {
    tool_name = tool.name;
    std::set_terminate(end_without_memory);
    repair_standard_fds();
    signals::prepare_process();
    std::optional<OptionParser> parser;
    ExitStatus status = exit_trouble;
    try {
        try {
            parser.emplace(tool, table, argc, argv);
            const int done = body(*parser);
            signals::check();
            close_stdout();
            return done;
        } catch (const Error& error) {
            report(error);
            status = error.status();
            signals::check();
        }
    } catch (const signals::Ended& ended) {
        signals::end_by(ended.signal);
        return exit_signal_base + ended.signal;
    } catch (const std::bad_alloc&) {
        report_in_pieces("out of memory");
    }
    return parser && parser->has_command() ? exit_wrapper : status;
}

} // namespace ipc
