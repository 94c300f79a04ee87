// SPDX-License-Identifier: MIT
#include <cerrno>
#include <fcntl.h>
#include <mqueue.h>
#include <semaphore.h>
#include <string_view>
#include <sys/stat.h>

#include "base/directory.hpp"
#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "inventory/list.hpp"
#include "inventory/mqueue_directory.hpp"
#include "inventory/trusted_root.hpp"
#include "object/shm_files.hpp"
#include "queue/details.hpp"
#include "semaphore/posix.hpp"

namespace ipc {

namespace {

using Objects = std::vector<Object>;

/// For looking at what is in a file. Not open, with errno set, if it is not the file of `status`
/// any more, which is ENOENT; never waits, even for a FIFO.
UniqueFd try_open(const UniqueFd& directory, const char* name, const struct stat& status) noexcept {
    constexpr int flags = O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC;
    struct stat opened {};
    UniqueFd file(openat(directory.get(), name, flags));
    if (file.is_open() && (fstat(file.get(), &opened) != 0 || opened.st_ino != status.st_ino ||
                           opened.st_dev != status.st_dev)) {
        errno = ENOENT;
        return {};
    }
    return file;
}

/// The error if more than an empty cell has to tell of it: nothing where that is not permitted, the
/// file is gone, or somebody just asks for a lease.
int notable(int error) noexcept {
    return error == EACCES || error == EPERM || error == ENOENT || error == EWOULDBLOCK ? 0 : error;
}

/// What the status of its file tells of every object.
Object& add(Objects& objects, ObjectKind kind, std::string_view name, const struct stat& status) {
    constexpr mode_t all_permissions = 0777;
    Object& object = objects.emplace_back();
    object.kind = kind;
    object.owner = status.st_uid;
    object.group = status.st_gid;
    object.perms = status.st_mode & all_permissions;
    object.name = text('/', name);
    object.file = FileId{.device = status.st_dev, .inode = status.st_ino};
    object.figures.set(Figure::inode, static_cast<std::int64_t>(status.st_ino));
    object.figures.set(Figure::mtime, status.st_mtime);
    return object;
}

/// Each file in a directory, with its status, to `visit`, which returns an errno value or 0. What
/// vanishes meanwhile is passed over. Returns one of the errors, if there were any.
template <class Visit> int for_each_file(const UniqueFd& directory, Visit visit) {
    int trouble = 0;
    const int stopped = for_each_name(directory, [&](const char* name) {
        struct stat status {};
        int error = 0;
        if (fstatat(directory.get(), name, &status, AT_SYMLINK_NOFOLLOW) == 0)
            error = visit(name, status);
        else if (errno != ENOENT)
            error = errno;
        if (error != 0)
            trouble = error;
        return true;
    });
    return stopped != 0 ? stopped : trouble;
}

/// No time of change: the kernel renews it whenever somebody reads the file.
void describe_queue(const UniqueFd& queue, Figures& figures) noexcept {
    if (const auto details = read_queue_details(queue)) {
        figures.set(Figure::used, details->bytes);
        if (details->registered != 0)
            figures.set(Figure::notify, details->registered);
    }
    mq_attr attributes{};
    if (mq_getattr(queue.get(), &attributes) != 0)
        return;
    figures.set(Figure::msgs, attributes.mq_curmsgs);
    figures.set(Figure::maxmsg, attributes.mq_maxmsg);
    figures.set(Figure::msgsize, attributes.mq_msgsize);
    figures.set(Figure::limit, attributes.mq_maxmsg * attributes.mq_msgsize);
}

int list_queues(const UniqueFd& directory, Depth depth, Objects& objects) {
    return for_each_file(directory, [&](const char* name, const struct stat& status) {
        Object& object = add(objects, ObjectKind::mq, name, status);
        if (depth == Depth::names)
            return 0;
        const UniqueFd queue = try_open(directory, name, status);
        if (!queue.is_open())
            return notable(errno);
        describe_queue(queue, object.figures);
        return 0;
    });
}

/// Only what is a semaphore by its type and size is opened. Returns an errno value, or 0.
int describe_semaphore(const UniqueFd& directory, const char* name, const struct stat& status,
                       Depth depth, Object& object) {
    if (!S_ISREG(status.st_mode) || status.st_size != sizeof(sem_t)) {
        object.state = State::malformed;
        return 0;
    }
    if (depth == Depth::names)
        return 0;
    const UniqueFd file = try_open(directory, name, status);
    if (!file.is_open())
        return notable(errno);
    const auto state = try_look_at_posix_semaphore(file);
    if (!state) {
        object.state = State::malformed;
        return 0;
    }
    object.figures.set(Figure::value, state->value);
    object.figures.set(Figure::waiters, state->waiters);
    return 0;
}

void describe_memory(const struct stat& status, Object& object) noexcept {
    constexpr std::int64_t block_size = 512; // of st_blocks: stat(3type)
    if (!S_ISREG(status.st_mode)) {
        object.state = State::malformed;
        return;
    }
    object.figures.set(Figure::size, status.st_size);
    object.figures.set(Figure::used, status.st_blocks * block_size);
}

int list_shm_files(const UniqueFd& directory, KindSet kinds, Depth depth, Objects& objects) {
    constexpr std::string_view prefix = "sem.";
    return for_each_file(directory, [&](const char* file, const struct stat& status) {
        std::string_view name = file;
        const bool is_semaphore = name.size() > prefix.size() && name.starts_with(prefix);
        const ObjectKind kind = is_semaphore ? ObjectKind::sem : ObjectKind::shm;
        if (!kinds.has(kind))
            return 0;
        if (is_semaphore)
            name.remove_prefix(prefix.size());
        Object& object = add(objects, kind, name, status);
        object.figures.set(Figure::ctime, status.st_ctime);
        if (is_semaphore)
            return describe_semaphore(directory, file, status, depth, object);
        describe_memory(status, object);
        return 0;
    });
}

Trouble cannot_list(KindSet kinds, std::string_view what, int error) {
    return {.kinds = kinds, .line = Error(what, "cannot list", error, explain_error(error)).what()};
}

Trouble cannot_list_shm(KindSet kinds, const Place& place, int error) {
    if (!place.process)
        return cannot_list(kinds, shm_files::directory, error);
    const std::string what = text("/proc/", *place.process, "/root", shm_files::directory);
    const char* const distrust = explain_distrust(error);
    if (distrust == nullptr)
        return cannot_list(kinds, what, error);
    return {.kinds = kinds, .line = text(what, ": not looked at, for ", distrust)};
}

} // namespace

void list_posix(const Place& place, KindSet kinds, Depth depth, std::vector<Object>& objects,
                std::vector<Trouble>& troubles) {
    if (kinds.has(ObjectKind::mq)) {
        try {
            const UniqueFd directory = open_mqueue_directory();
            const int error = directory.is_open() ? list_queues(directory, depth, objects) : 0;
            if (error != 0)
                troubles.push_back(cannot_list({ObjectKind::mq}, "POSIX message queues", error));
        } catch (const Error& error) {
            troubles.push_back({.kinds = {ObjectKind::mq}, .line = error.what()});
        }
    }
    KindSet in_shm;
    for (const ObjectKind kind : {ObjectKind::sem, ObjectKind::shm})
        if (kinds.has(kind))
            in_shm.add(kind);
    if (in_shm.empty() || !place.has_shm)
        return;
    const UniqueFd directory = try_open_shm_directory(place);
    const int error =
        directory.is_open() ? list_shm_files(directory, in_shm, depth, objects) : errno;
    if (error != 0)
        troubles.push_back(cannot_list_shm(in_shm, place, error));
}

} // namespace ipc
