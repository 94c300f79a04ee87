// SPDX-License-Identifier: MIT
#include "process/procfs.hpp"

#include <cerrno>
#include <cstddef>
#include <dirent.h>
#include <fcntl.h>
#include <initializer_list>
#include <memory>
#include <unistd.h>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/limits.hpp"
#include "base/parse.hpp"
#include "base/text.hpp"

namespace ipc::procfs {

namespace {

/// Whether that says that the process is gone, or not for us to see; throws Error if not.
void check(const std::string& path, int error) {
    for (const int is_gone : {0, ENOENT, ESRCH, EACCES, EPERM})
        if (error == is_gone)
            return;
    throw Error(path, "cannot read", error, explain_error(error));
}

std::string_view take_word(std::string_view& text) noexcept {
    const std::size_t begin = text.find_first_not_of(" \t\n");
    if (begin == std::string_view::npos) {
        text = {};
        return {};
    }
    text.remove_prefix(begin);
    const std::string_view word = text.substr(0, text.find_first_of(" \t\n"));
    text.remove_prefix(word.size());
    return word;
}

} // namespace

int try_read(const std::string& path, std::string& content) {
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.is_open())
        return errno;
    char block[4096];
    ssize_t count = 0;
    while ((count = ::read(fd.get(), block, sizeof block)) > 0 || (count < 0 && errno == EINTR))
        if (count > 0)
            content.append(block, static_cast<std::size_t>(count));
    return count < 0 ? errno : 0;
}

std::string read(const std::string& path) {
    std::string content;
    try_read(path, content);
    return content;
}

std::string command(pid_t pid) {
    std::string name = read(text("/proc/", pid, "/comm"));
    if (!name.empty()) // the newline at its end is the kernel's
        name.pop_back();
    return name;
}

bool has_own_pids() {
    const std::string status = read("/proc/self/status");
    const std::size_t begin = status.find("\nNSpid:");
    if (begin == std::string::npos) // a kernel without such namespaces
        return !status.empty();
    // A number for each namespace, from that of /proc down to ours.
    std::string_view numbers(status);
    numbers.remove_prefix(begin + sizeof "\nNSpid:" - 1);
    numbers = numbers.substr(0, numbers.find('\n'));
    return take_word(numbers) == text(getpid()) && take_word(numbers).empty();
}

std::optional<long> status_number(pid_t pid, std::string_view field) {
    const std::string status = read(text("/proc/", pid, "/status"));
    const std::size_t begin = status.find(text('\n', field, ":\t"));
    if (begin == std::string::npos)
        return std::nullopt;
    std::string_view rest(status);
    rest.remove_prefix(begin + field.size() + 3);
    return parse::try_number(take_word(rest));
}

std::vector<pid_t> list(const std::string& directory) {
    struct Close {
        void operator()(DIR* open_directory) const noexcept { closedir(open_directory); }
    };
    std::vector<pid_t> numbers;
    const std::unique_ptr<DIR, Close> entries(opendir(directory.c_str()));
    if (!entries)
        check(directory, errno);
    while (const dirent* const entry = entries ? readdir(entries.get()) : nullptr)
        if (const auto number = parse::try_number(entry->d_name))
            numbers.push_back(static_cast<pid_t>(*number));
    return numbers;
}

std::vector<pid_t> read_list(const std::string& path) {
    std::vector<pid_t> numbers;
    const std::string content = read(path);
    std::string_view rest(content);
    while (const auto number = parse::try_number(take_word(rest)))
        numbers.push_back(static_cast<pid_t>(*number));
    return numbers;
}

std::optional<Stat> stat(pid_t pid) {
    const std::string path = text("/proc/", pid, "/stat");
    std::string content;
    check(path, try_read(path, content));
    // Behind the command, which may hold anything.
    const std::size_t end = content.rfind(')');
    if (end == std::string::npos)
        return std::nullopt;
    std::string_view rest = std::string_view(content).substr(end + 1);
    const std::string_view state = take_word(rest);
    take_word(rest); // the parent
    const auto group = parse::try_number(take_word(rest));
    for (int field = 6; field < 22; ++field)
        take_word(rest);
    const auto start = parse::try_number(take_word(rest));
    if (state.size() != 1 || !group || !start)
        return std::nullopt;
    return Stat{.state = state[0], .group = static_cast<pid_t>(*group), .start = *start};
}

} // namespace ipc::procfs
