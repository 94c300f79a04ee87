// SPDX-License-Identifier: MIT
#include "queue/sysv.hpp"

#include <cerrno>
#include <sys/ipc.h>
#include <unistd.h>
#include <utility>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "object/foreign.hpp"

namespace ipc {

namespace {

/// msgget(2) and msgctl(2), IPC_SET.
std::string explain_create(int error, const QueueSettings& settings) {
    if (error == ENOSPC)
        return describe_count_limit("kernel.msgmni");
    if (error == EPERM && settings.max_bytes)
        return text("maxbytes is ", *settings.max_bytes, ", ",
                    describe_limit("kernel.msgmnb", *settings.max_bytes));
    return {};
}

void set_max_bytes(const Name& name, int id, const QueueSettings& settings) {
    msqid_ds status{};
    status.msg_perm.uid = geteuid();
    status.msg_perm.gid = getegid();
    status.msg_perm.mode = static_cast<unsigned short>(settings.mode);
    status.msg_qbytes = static_cast<msglen_t>(*settings.max_bytes);
    if (msgctl(id, IPC_SET, &status) == 0)
        return;
    const int error = errno;
    throw Error(name.text, "cannot create", error, explain_create(error, settings));
}

} // namespace

Created create_sysv_queue(const Name& name, const QueueSettings& settings, Existing existing) {
    if (name.form == Name::Form::id)
        throw UsageError(name.text, "the kernel chooses identifiers; create takes a key");
    if (settings.max_messages || settings.message_size)
        throw UsageError(name.text, "maxmsg and msgsize are for POSIX queues");
    const key_t key = name.form == Name::Form::private_key ? IPC_PRIVATE : name.key;
    // Nobody gets in before maxbytes is set, so that a queue which cannot have it was never there.
    const mode_t mode = settings.max_bytes ? 0 : settings.mode;
    const int id = msgget(key, IPC_CREAT | IPC_EXCL | static_cast<int>(mode));
    if (id == -1 && errno == EEXIST && existing != Existing::refused) {
        check_owner(name, sysv_queue_status(name, sysv_queue_id(name)).msg_perm, existing);
        return {.name = name, .queue = nullptr};
    }
    if (id == -1) {
        const int error = errno;
        throw Error(name.text, "cannot create", error, explain_create(error, settings));
    }
    try {
        if (settings.max_bytes)
            set_max_bytes(name, id, settings);
        Name found_by = name;
        if (key == IPC_PRIVATE)
            found_by = {.form = Name::Form::id, .text = text("id:", id), .number = id};
        auto queue = open_sysv_queue(found_by, id);
        return {.name = std::move(found_by), .queue = std::move(queue)};
    } catch (...) {
        msgctl(id, IPC_RMID, nullptr);
        throw;
    }
}

bool remove_sysv_queue(const Name& name) {
    const int id = name.form == Name::Form::key ? msgget(name.key, 0) : name.number;
    if (id != -1 && msgctl(id, IPC_RMID, nullptr) == 0)
        return true;
    if (errno != ENOENT && errno != EIDRM && errno != EINVAL)
        throw Error(name.text, "cannot remove", errno);
    return false;
}

} // namespace ipc
