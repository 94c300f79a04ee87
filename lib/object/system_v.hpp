// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>

/// What the three kinds of System V objects have in common: sysvipc(7).
namespace ipc {

/// Whether a call on an identifier failed because nothing has it, or has it any more.
inline bool is_gone(int error) noexcept { return error == EIDRM || error == EINVAL; }

/// The kernel finds an object by index with MSG_STAT_ANY and its like (since Linux 4.17), for which
/// no permission is needed; the low bits of an identifier are its index, 15 of them unless the
/// kernel was booted with ipcmni_extend, then 24. `stat_index(index)` returns an identifier.
template <class StatIndex> bool try_stat_any(int id, StatIndex stat_index) noexcept {
    for (const int mask : {0x7FFF, 0xFFFFFF})
        if (stat_index(id & mask) == id)
            return true;
    return false;
}

} // namespace ipc
