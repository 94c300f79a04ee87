// SPDX-License-Identifier: MIT
#include "base/limits.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fd.hpp"
#include "base/parse.hpp"
#include "base/text.hpp"

namespace ipc {

std::optional<long> kernel_limit(const char* name) {
    std::string path = text("/proc/sys/", name);
    std::replace(path.begin(), path.end(), '.', '/');
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    char digits[32];
    ssize_t count = -1;
    while (fd.is_open() && (count = read(fd.get(), digits, sizeof digits)) < 0 && errno == EINTR) {
    }
    if (count <= 0)
        return std::nullopt;
    std::string_view value(digits, static_cast<std::size_t>(count));
    return parse::try_number(value.substr(0, value.find('\n')));
}

std::string describe_limit(const char* name, long wanted, long ceiling) {
    const auto value = kernel_limit(name);
    if (!value)
        return name;
    if (*value >= ceiling)
        return text(name, " = ", *value, ", which is the most there can be");
    if (wanted > ceiling)
        return text(name, " = ", *value, "; the most there can be is ", ceiling);
    return text(name, " = ", *value, "; raise it with: sysctl ", name, '=', wanted);
}

std::string describe_count_limit(const char* name) {
    // The second with the kernel's parameter ipcmni_extend.
    constexpr long most = 32768;
    constexpr long most_extended = 1L << 24U;
    const long limit = kernel_limit(name).value_or(0);
    const long ceiling = limit <= most ? most : most_extended;
    return describe_limit(name, std::min(2 * limit + 1, ceiling), ceiling);
}

std::string describe_rlimit(const ResourceLimit& limit, unsigned long more, pid_t pid) {
    rlimit value{};
    if (prlimit(pid, static_cast<__rlimit_resource>(limit.resource), nullptr, &value) != 0)
        return limit.name;
    if (value.rlim_cur == RLIM_INFINITY)
        return text(limit.name, " is unlimited");
    const rlim_t wanted = value.rlim_cur + more;
    const bool is_allowed = wanted <= value.rlim_max;
    return text(limit.name, " = ", value.rlim_cur, "; raise it", is_allowed ? "" : ", as root,",
                " with: prlimit --pid ", pid == 0 ? "$$" : text(pid), " --", limit.option, '=',
                wanted, is_allowed ? ":" : "");
}

bool is_shortage(int error) noexcept {
    return error == EMFILE || error == ENFILE || error == ENOMEM;
}

std::string explain_error(int error) {
    constexpr ResourceLimit descriptors = {"RLIMIT_NOFILE", RLIMIT_NOFILE, "nofile"};
    return error == EMFILE ? describe_rlimit(descriptors, 64) : std::string();
}

bool is_out_of_descriptors() noexcept { return !UniqueFd(open("/", O_PATH | O_CLOEXEC)).is_open(); }

} // namespace ipc
