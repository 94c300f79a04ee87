// SPDX-License-Identifier: MIT
#include "inventory/list.hpp"

#include <algorithm>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unordered_map>

#include "base/cached_file.hpp"
#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "inventory/describe.hpp"
#include "inventory/unix_sockets.hpp"

namespace ipc {

namespace {

std::string type_name(const UnixSocket& socket) {
    const char* const type = socket.type == SOCK_STREAM      ? "stream"
                             : socket.type == SOCK_DGRAM     ? "dgram"
                             : socket.type == SOCK_SEQPACKET ? "seqpacket"
                                                             : "raw";
    return text(type, socket.is_listening ? " listen" : "");
}

std::string name_of(const UnixSocket& socket) {
    return socket.name.empty() ? text("socket:[", socket.inode, ']') : socket.name;
}

/// Who may send to it: that is for its file to say. Without one anybody may who can name it.
void set_permissions(Object& object, const UnixSocket& socket) {
    object.perms = 0777;
    if (socket.file == 0)
        return;
    const auto status =
        socket.name.starts_with('/') ? try_cached_stat(socket.name.c_str()) : std::nullopt;
    object.has_perms =
        status && S_ISSOCK(status->st_mode) && (status->st_ino & UINT32_MAX) == socket.file;
    if (object.has_perms) {
        object.group = status->st_gid;
        object.perms = status->st_mode & 07777U;
    }
}

Object describe(const UnixSocket& socket) {
    Object object = used_object(ObjectKind::unix_socket);
    object.name = name_of(socket);
    set_file(object, {.device = 0, .inode = socket.inode});
    object.details.emplace_back(Detail::type, type_name(socket));
    if (socket.owner) {
        object.has_owner = true;
        object.owner = *socket.owner;
        set_permissions(object, socket);
    }
    if (socket.received)
        object.figures.set(Figure::used, *socket.received);
    if (socket.backlog)
        object.figures.set(Figure::limit, *socket.backlog);
    return object;
}

void add_users(const ProcessScan& scan, const std::unordered_map<ino_t, std::size_t>& places,
               std::vector<Object>& objects) {
    for (const Descriptor& descriptor : scan.descriptors) {
        if (descriptor.type != S_IFSOCK)
            continue;
        // What is not in it is of another family, or of another network namespace.
        const auto place = places.find(descriptor.file.inode);
        if (place == places.end())
            continue;
        Object& object = objects[place->second];
        object.file = descriptor.file;
        if (object.users.empty())
            object.figures.set(Figure::fd, descriptor.fd);
        scan.table_sharers.for_each(descriptor.pid, [&](pid_t pid) {
            object.users.push_back({.pid = pid, .role = Role::opens});
        });
    }
}

} // namespace

void list_unix_sockets(const ProcessScan& scan, std::vector<Object>& objects,
                       std::vector<Trouble>& troubles) {
    std::vector<UnixSocket> sockets;
    const int error = try_query_unix_sockets(sockets);
    if (error != 0) {
        sockets.clear();
        if (try_read_unix_sockets(sockets) != 0) {
            const Error trouble({}, "cannot list unix sockets", error, explain_error(error));
            troubles.push_back({.kinds = {ObjectKind::unix_socket}, .line = trouble.what()});
            return;
        }
    }
    std::sort(sockets.begin(), sockets.end(),
              [](const UnixSocket& a, const UnixSocket& b) { return a.inode < b.inode; });
    std::unordered_map<ino_t, std::size_t> places;
    std::unordered_map<ino_t, std::string> names;
    const std::size_t begin = objects.size();
    for (const UnixSocket& socket : sockets) {
        places.emplace(socket.inode, objects.size());
        names.emplace(socket.inode, name_of(socket));
        objects.push_back(describe(socket));
    }
    for (std::size_t i = 0; i < sockets.size(); ++i)
        if (const ino_t peer = sockets[i].peer; peer != 0) {
            const auto name = names.find(peer);
            objects[begin + i].details.emplace_back(
                Detail::peer, name != names.end() ? name->second : text("socket:[", peer, ']'));
        }
    add_users(scan, places, objects);
    for (std::size_t i = begin; i < objects.size(); ++i)
        sort_users(objects[i].users);
}

} // namespace ipc
