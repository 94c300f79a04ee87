// SPDX-License-Identifier: MIT
#include "queue/control.hpp"

#include <cerrno>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "queue/details.hpp"
#include "queue/posix.hpp"
#include "queue/sysv.hpp"
#include "tool/users.hpp"

namespace ipc {

namespace {

/// Attributes, mode and owner need no particular access.
UniqueFd open_any(const Name& name) {
    if (auto fd = try_open_posix_descriptor(name, O_RDONLY))
        return std::move(*fd);
    return open_posix_descriptor(name, O_WRONLY);
}

struct stat status_of(const Name& name, const UniqueFd& fd) {
    struct stat status {};
    if (fstat(fd.get(), &status) != 0)
        throw Error(name.text, "cannot show", errno);
    return status;
}

Attributes posix_attributes_of(const Name& name) {
    const UniqueFd fd = open_any(name);
    const struct stat status = status_of(name, fd);
    const mq_attr queue = posix_attributes(fd);
    const auto details = read_queue_details(fd);

    Attributes attributes;
    attributes.add("name", name.canonical());
    attributes.add("kind", "mq");
    add_owner(attributes, status.st_uid, status.st_gid);
    attributes.add("perms", mode_text(status.st_mode));
    attributes.add("msgs", std::int64_t{queue.mq_curmsgs});
    attributes.add("maxmsg", std::int64_t{queue.mq_maxmsg});
    attributes.add("msgsize", std::int64_t{queue.mq_msgsize});
    if (details) {
        attributes.add("used", details->bytes);
        attributes.add("notify", std::int64_t{details->registered});
    }
    attributes.add("mtime", std::int64_t{status.st_mtime});
    attributes.add("ctime", std::int64_t{status.st_ctime});
    attributes.add("inode", static_cast<std::int64_t>(status.st_ino));
    return attributes;
}

Attributes sysv_attributes_of(const Name& name) {
    const int id = sysv_queue_id(name);
    const msqid_ds queue = sysv_queue_status(name, id);
    const ipc_perm& perm = queue.msg_perm;

    Attributes attributes;
    attributes.add("name", name.canonical());
    attributes.add("kind", "mq");
    attributes.add("key", hex32(static_cast<unsigned>(perm.__key)));
    attributes.add("id", std::int64_t{id});
    add_owner(attributes, perm.uid, perm.gid);
    attributes.add("creator", user_name(perm.cuid));
    attributes.add("cuid", static_cast<std::int64_t>(perm.cuid));
    attributes.add("perms", mode_text(perm.mode));
    attributes.add("msgs", static_cast<std::int64_t>(queue.msg_qnum));
    attributes.add("used", static_cast<std::int64_t>(queue.__msg_cbytes));
    attributes.add("limit", static_cast<std::int64_t>(queue.msg_qbytes));
    attributes.add("send", static_cast<std::int64_t>(queue.msg_stime));
    attributes.add("recv", static_cast<std::int64_t>(queue.msg_rtime));
    attributes.add("ctime", static_cast<std::int64_t>(queue.msg_ctime));
    attributes.add("sender", static_cast<std::int64_t>(queue.msg_lspid));
    attributes.add("receiver", static_cast<std::int64_t>(queue.msg_lrpid));
    return attributes;
}

void change_posix(const Name& name, const QueueChanges& changes) {
    if (changes.max_bytes)
        throw UsageError(name.text, "--maxbytes is for System V queues; this one's size is fixed");
    change_permissions(name, open_any(name), changes.permissions);
}

void change_sysv(const Name& name, const QueueChanges& changes) {
    const int id = sysv_queue_id(name);
    msqid_ds queue = sysv_queue_status(name, id);
    change_permissions(queue.msg_perm, changes.permissions);
    if (changes.max_bytes)
        queue.msg_qbytes = static_cast<msglen_t>(*changes.max_bytes);
    if (msgctl(id, IPC_SET, &queue) == 0)
        return;
    const int error = errno;
    const auto limit = kernel_limit("kernel.msgmnb");
    const uid_t user = geteuid();
    const bool may = user == 0 || user == queue.msg_perm.cuid || user == queue.msg_perm.uid;
    const bool is_limit =
        error == EPERM && may && changes.max_bytes && limit && *changes.max_bytes > *limit;
    throw Error(name.text, "cannot change", error,
                is_limit ? describe_limit("kernel.msgmnb", *changes.max_bytes) : std::string());
}

} // namespace

Attributes queue_attributes(const Name& name) {
    return name.is_system_v() ? sysv_attributes_of(name) : posix_attributes_of(name);
}

void change_queue(const Name& name, const QueueChanges& changes) {
    if (name.is_system_v())
        change_sysv(name, changes);
    else
        change_posix(name, changes);
}

} // namespace ipc
