// SPDX-License-Identifier: MIT
#include "process/hidden.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

#include "base/capability.hpp"
#include "base/fd.hpp"

namespace ipc {

namespace {

// The kernel's include/linux/proc_ns.h: they are part of its interface.
constexpr ino_t initial_pid_namespace = 0xEFFFFFFC;
constexpr ino_t initial_user_namespace = 0xEFFFFFFD;

bool is_namespace(const char* path, ino_t inode) noexcept {
    struct stat status = {};
    return stat(path, &status) == 0 && status.st_ino == inode;
}

std::string read_mounts() {
    std::string content;
    const UniqueFd file(open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));
    char block[4096];
    ssize_t count = 0;
    while (file.is_open() && (count = read(file.get(), block, sizeof block)) > 0)
        content.append(block, static_cast<std::size_t>(count));
    return content;
}

/// Whether what is mounted on /proc hides the processes of others: the last mount there counts.
bool has_hidepid() {
    const std::string content = read_mounts();
    bool hides = content.empty(); // it cannot be told
    std::string_view rest(content);
    for (std::size_t end = 0; (end = rest.find('\n')) != std::string_view::npos;) {
        const std::string_view line = rest.substr(0, end);
        rest.remove_prefix(end + 1);
        const std::size_t options = line.find(" - proc ");
        if (options == std::string_view::npos || line.find(" /proc ") > options)
            continue;
        const std::size_t begin = line.find("hidepid=", options);
        hides = false;
        if (begin != std::string_view::npos) {
            std::string_view value = line.substr(begin + sizeof "hidepid=" - 1);
            value = value.substr(0, value.find_first_of(", "));
            hides = value != "0" && value != "off";
        }
    }
    return hides;
}

} // namespace

bool may_hide_processes() {
    if (!is_namespace("/proc/self/ns/pid", initial_pid_namespace))
        return true;
    return has_hidepid() && !(has_capability(CAP_SYS_PTRACE) &&
                              is_namespace("/proc/self/ns/user", initial_user_namespace));
}

} // namespace ipc
