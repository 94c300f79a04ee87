// SPDX-License-Identifier: MIT
#include "limits.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fd.hpp"
#include "parse.hpp"
#include "text.hpp"

namespace ipc {

std::optional<long> kernel_limit(const char* name) {
    std::string path = text("/proc/sys/", name);
    std::replace(path.begin(), path.end(), '.', '/');
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    char digits[32];
    const ssize_t count = fd.is_open() ? read(fd.get(), digits, sizeof digits) : -1;
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
    return text(name, " = ", *value, "; raise it with: sysctl ", name, '=',
                std::min(wanted, ceiling));
}

std::string describe_rlimit(const char* name, int resource, char ulimit_option) {
    rlimit limit{};
    getrlimit(static_cast<__rlimit_resource>(resource), &limit);
    return text(name, " = ", limit.rlim_cur, "; raise it with: ulimit -", ulimit_option);
}

std::string explain_error(int error) {
    return error == EMFILE ? describe_rlimit("RLIMIT_NOFILE", RLIMIT_NOFILE, 'n') : std::string();
}

bool is_out_of_descriptors() noexcept { return !UniqueFd(open("/", O_PATH | O_CLOEXEC)).is_open(); }

} // namespace ipc
