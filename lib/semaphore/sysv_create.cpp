// SPDX-License-Identifier: MIT
#include "semaphore/sysv.hpp"

#include <cerrno>
#include <iterator>
#include <sys/ipc.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "object/foreign.hpp"
#include "semaphore/kernel_sem.hpp"

namespace ipc {

namespace {

/// How many sets there are, and members in them: semctl(2), SEM_INFO.
struct Used {
    long sets;
    long members;
};

Used count_used() noexcept {
    seminfo info{};
    semctl(0, 0, SEM_INFO, SemctlArgument{.info = &info});
    return {.sets = info.semusz, .members = info.semaem};
}

/// semget(2)
std::string explain_create(int error, long members) {
    if (error == EINVAL)
        return text("nsems is ", members, ", ",
                    describe_semaphore_limit(SemaphoreLimit::semmsl, members));
    if (error != ENOSPC)
        return {};
    const Used used = count_used();
    if (used.sets >= semaphore_limit(SemaphoreLimit::semmni).value_or(0))
        return describe_semaphore_limit(SemaphoreLimit::semmni, 2 * used.sets + 1);
    return describe_semaphore_limit(SemaphoreLimit::semmns, used.members + members);
}

/// A set that goes again, however it comes to that, unless it is kept.
class NewSet {
  public:
    explicit NewSet(int id) noexcept : id_(id) {}
    NewSet(const NewSet&) = delete;
    NewSet& operator=(const NewSet&) = delete;
    ~NewSet() {
        if (id_ != -1)
            semctl(id_, 0, IPC_RMID);
    }

    void keep() noexcept { id_ = -1; }

  private:
    int id_;
};

/// All values at once; then an operation that changes nothing, which the kernel notes the time of.
/// From then on others see that the set is initialised.
bool try_initialise(int id, const SemaphoreSettings& settings, std::size_t members) {
    std::vector<unsigned short> values(members, static_cast<unsigned short>(settings.value));
    if (semctl(id, 0, SETALL, SemctlArgument{.values = values.data()}) == -1)
        return false;
    // Not to wait for zero, which takes read permission.
    const short first = settings.value == 0 ? 1 : -1;
    const auto second = static_cast<short>(-first);
    sembuf nothing[] = {{.sem_num = 0, .sem_op = first, .sem_flg = IPC_NOWAIT},
                        {.sem_num = 0, .sem_op = second, .sem_flg = IPC_NOWAIT}};
    return semop(id, nothing, std::size(nothing)) == 0;
}

bool try_set_mode(int id, mode_t mode) noexcept {
    semid_ds status{};
    status.sem_perm.uid = geteuid();
    status.sem_perm.gid = getegid();
    status.sem_perm.mode = static_cast<unsigned short>(mode);
    return semctl(id, 0, IPC_SET, SemctlArgument{.status = &status}) != -1;
}

} // namespace

CreatedSemaphore create_sysv_semaphore(const Name& name, const SemaphoreSettings& settings,
                                       Existing existing) {
    constexpr std::string_view action = "cannot create";
    if (name.form == Name::Form::id)
        throw UsageError(name.text, "the kernel chooses identifiers; create takes a key");
    check_sysv_value(name, settings.value, action);
    const key_t key = name.form == Name::Form::private_key ? IPC_PRIVATE : name.key;
    const auto members = static_cast<int>(settings.members.value_or(1));
    const int id = semget(key, members, IPC_CREAT | IPC_EXCL | 0200);
    if (id == -1 && errno == EEXIST && existing != Existing::refused) {
        check_owner(name, look_at_sysv_set(name, std::nullopt).status.sem_perm, existing);
        return {.name = name, .is_ours = false};
    }
    if (id == -1) {
        const int error = errno;
        throw Error(name.text, action, error, explain_create(error, members));
    }
    NewSet made(id);
    if (!try_initialise(id, settings, static_cast<std::size_t>(members)) ||
        !try_set_mode(id, settings.mode))
        throw Error(name.text, action, errno);
    CreatedSemaphore created = {.name = name, .is_ours = true};
    if (key == IPC_PRIVATE)
        created.name = {.form = Name::Form::id, .text = text("id:", id), .number = id};
    made.keep();
    return created;
}

} // namespace ipc
