// SPDX-License-Identifier: MIT
#include "base/capability.hpp"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ipc {

bool has_capability(int capability) noexcept {
    __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
    if (syscall(SYS_capget, &header, data) != 0)
        return false;
    const auto bit = static_cast<unsigned>(capability);
    return (data[bit / 32].effective >> bit % 32 & 1U) != 0;
}

} // namespace ipc
