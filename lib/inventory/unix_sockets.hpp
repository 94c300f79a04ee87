// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

/// The unix sockets of our network namespace: unix(7), sock_diag(7).
namespace ipc {

struct UnixSocket {
    ino_t inode = 0;
    int type = 0; ///< SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET
    bool is_listening = false;
    std::string name;           ///< a path, or `@NAME` of an abstract one; empty: not bound
    ino_t file = 0;             ///< of a path, what the socket was bound as
    ino_t peer = 0;             ///< the inode of the socket at the other end
    std::optional<uid_t> owner; ///< who made it
    std::optional<std::uint32_t> received; ///< bytes that wait; connections, if it is listening
    std::optional<std::uint32_t> backlog;  ///< the most connections that may wait
};

/// Asks the kernel for all that a descriptor refers to; those that nobody has accepted yet have
/// none. Returns 0, or the errno value.
int try_query_unix_sockets(std::vector<UnixSocket>& sockets);

/// The same by /proc/net/unix, which shows neither peers nor figures.
int try_read_unix_sockets(std::vector<UnixSocket>& sockets);

/// A row of it: `NUM: REFCOUNT PROTOCOL FLAGS TYPE ST INODE NAME`; nothing if it is none.
std::optional<UnixSocket> parse_unix_socket(std::string_view line);

} // namespace ipc
