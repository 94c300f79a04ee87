// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace ipc {

/// The kinds of objects that a name can carry in front, as in `mq:/jobs`.
enum class Kind : std::uint8_t { queue, semaphore, shared_memory, fifo };

/// Where `private`, which makes a new object, is a name.
enum class AllowPrivate : std::uint8_t { no, yes };

/// The name of an IPC object in the one grammar of all tools: `/jobs`, `key:0x4d2`,
/// `ftok:PATH[:ID]`, `id:7`, `private`, `fd:3`, each with or without its kind in front. A FIFO has
/// a path or is `fd:3`.
struct Name {
    enum class Form : std::uint8_t {
        posix,       ///< `text` is the name with its slash: mq_overview(7), shm_overview(7)
        key,         ///< `key`, never IPC_PRIVATE
        id,          ///< `number` is the System V identifier
        private_key, ///< a new System V object: IPC_PRIVATE
        fd,          ///< `number` is an inherited descriptor
        path,        ///< `text` is the path of a FIFO
    };

    Form form = Form::posix;
    std::string text; ///< as the user wrote it, for diagnostics; the POSIX name without its kind
    key_t key = 0;
    int number = 0;

    bool is_system_v() const noexcept {
        return form == Form::key || form == Form::id || form == Form::private_key;
    }

    /// How every tool prints and accepts it: a path's key instead of the path.
    std::string canonical() const;
};

/// Throws UsageError that says what is wrong, and what was probably meant; Error when the path of
/// `ftok:` cannot be looked at (ftok(3)).
Name parse_name(Kind kind, std::string_view name, AllowPrivate allow_private = AllowPrivate::no);

/// `key:0x000004d2`.
std::string key_name(key_t key);

} // namespace ipc
