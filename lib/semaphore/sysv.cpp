// SPDX-License-Identifier: MIT
#include "semaphore/sysv.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/ipc.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "object/system_v.hpp"
#include "semaphore/kernel_sem.hpp"

namespace ipc {

namespace {

int try_status(int id, semid_ds& status) noexcept {
    constexpr int sem_stat_any = 20; // linux/sem.h
    if (semctl(id, 0, IPC_STAT, SemctlArgument{.status = &status}) != -1)
        return 0;
    const int error = errno;
    const bool found = error == EACCES && try_stat_any(id, [&](int index) {
                           return semctl(index, 0, sem_stat_any, SemctlArgument{.status = &status});
                       });
    return found ? 0 : error;
}

/// Our own `create` goes over this state, and sets that others made without semop(2) are hardly
/// ever of that mode.
bool is_being_created(const semid_ds& status) noexcept {
    return (status.sem_perm.mode & 0777) == 0200 && status.sem_otime == 0;
}

semid_ds status_of(const Name& name, int id) {
    semid_ds status{};
    if (const int error = try_status(id, status))
        throw Error(name.text, "cannot open", is_gone(error) ? ENOENT : error);
    return status;
}

struct Set {
    int id;
    semid_ds status;

    std::int64_t size() const noexcept { return static_cast<std::int64_t>(status.sem_nsems); }
};

/// Waits until it is initialised, but not for a creator that does not go on.
Set open_set(const Name& name) {
    const int id = name.form == Name::Form::key ? semget(name.key, 0, 0) : name.number;
    if (id == -1)
        throw Error(name.text, "cannot open", errno);
    Set set{.id = id, .status = status_of(name, id)};
    const Deadline patience = Deadline::after(nanoseconds(std::chrono::seconds(1)));
    while (is_being_created(set.status) && !patience.passed()) {
        usleep(1000);
        signals::check();
        set.status = status_of(name, id);
    }
    return set;
}

void check_member(const Name& name, const Set& set, std::int64_t member) {
    if (member >= set.size())
        throw Error(name.text, text("there is no member ", member, "; the set has ", set.size(),
                                    ", from 0 to ", set.size() - 1));
}

bool is_removed(int id) noexcept {
    semid_ds status{};
    return is_gone(try_status(id, status));
}

std::string explain_operation(int error, std::size_t count) {
    switch (error) {
    case ERANGE:
        return text("a value goes up to ", sysv_highest_value, ", SEMVMX");
    case E2BIG:
        return text(count, " operations, ",
                    describe_semaphore_limit(SemaphoreLimit::semopm, static_cast<long>(count)));
    default:
        return {};
    }
}

/// semtimedop(2), over interruptions. The deadline alone decides when it is time.
Waited operate_on(const Name& name, int id, std::span<sembuf> operations, Deadline deadline,
                  std::string_view action) {
    for (;;) {
        signals::check();
        const timespec left = deadline.is_never() ? timespec{} : to_timespec(deadline.left());
        if (semtimedop(id, operations.data(), operations.size(),
                       deadline.is_never() ? nullptr : &left) == 0)
            return Waited::done;
        const int error = errno;
        if (error == EAGAIN && deadline.passed())
            return Waited::timed_out;
        if (error == EIDRM || (error == EINVAL && is_removed(id)))
            return Waited::removed;
        if (error != EINTR && error != EAGAIN)
            throw Error(name.text, action, error, explain_operation(error, operations.size()));
    }
}

class SysvSemaphore final : public Semaphore {
  public:
    SysvSemaphore(const Name& name, int id, std::int64_t member)
        : Semaphore(name), id_(id), member_(static_cast<unsigned short>(member)) {}

    void post(std::uint64_t count) override;
    Waited take(std::uint64_t count, Deadline deadline) override {
        return subtract(count, 0, deadline);
    }
    Waited take_for_life(std::uint64_t count, Deadline deadline) override {
        return subtract(count, SEM_UNDO, deadline);
    }
    void set(std::int64_t value) override {
        check_sysv_value(name(), value, "cannot set");
        if (semctl(id_, member_, SETVAL, SemctlArgument{.value = static_cast<int>(value)}) == -1)
            fail("cannot set", errno);
    }

  private:
    sembuf operation(std::uint64_t count, int sign, short flags, std::string_view action) const {
        if (count > sysv_highest_value)
            fail(action, ERANGE, explain_operation(ERANGE, 1));
        const auto change = static_cast<short>(sign * static_cast<int>(count));
        return {.sem_num = member_, .sem_op = change, .sem_flg = flags};
    }
    Waited subtract(std::uint64_t count, short flags, Deadline deadline) {
        constexpr std::string_view action = "cannot wait";
        sembuf subtraction = operation(count, -1, flags, action);
        return operate_on(name(), id_, {&subtraction, 1}, deadline, action);
    }

    int id_;
    unsigned short member_;
};

/// It never waits, so that no signal is a reason to give up.
void SysvSemaphore::post(std::uint64_t count) {
    constexpr std::string_view action = "cannot post";
    sembuf addition = operation(count, +1, 0, action);
    while (semop(id_, &addition, 1) != 0)
        if (errno != EINTR)
            fail(action, errno, explain_operation(errno, 1));
}

/// One number that semctl(2) tells of a member.
std::int64_t ask(const Name& name, int id, std::int64_t member, int what) {
    const int answer = semctl(id, static_cast<int>(member), what);
    if (answer == -1)
        throw Error(name.text, "cannot read", errno);
    return answer;
}

} // namespace

void check_sysv_value(const Name& name, std::int64_t value, std::string_view action) {
    if (value > sysv_highest_value)
        throw Error(name.text, action, ERANGE,
                    text("the value is ", value, ", SEMVMX = ", sysv_highest_value));
}

std::unique_ptr<Semaphore> open_sysv_semaphore(const Name& name, std::int64_t member) {
    const Set set = open_set(name);
    check_member(name, set, member);
    return std::make_unique<SysvSemaphore>(name, set.id, member);
}

std::int64_t sysv_semaphore_value(const Name& name, std::int64_t member) {
    const Set set = open_set(name);
    check_member(name, set, member);
    return ask(name, set.id, member, GETVAL);
}

Waited operate_sysv(const Name& name, std::span<const Operation> operations, Deadline deadline) {
    const Set set = open_set(name);
    std::vector<sembuf> all;
    for (const Operation& operation : operations) {
        check_member(name, set, operation.member);
        all.push_back({.sem_num = operation.member, .sem_op = operation.change, .sem_flg = 0});
    }
    return operate_on(name, set.id, all, deadline, "cannot operate");
}

bool remove_sysv_semaphore(const Name& name) {
    const int id = name.form == Name::Form::key ? semget(name.key, 0, 0) : name.number;
    if (id != -1 && semctl(id, 0, IPC_RMID) == 0)
        return true;
    if (errno != ENOENT && errno != EIDRM && errno != EINVAL)
        throw Error(name.text, "cannot remove", errno);
    return false;
}

SysvSetState look_at_sysv_set(const Name& name, std::optional<std::int64_t> member) {
    const Set set = open_set(name);
    if (member)
        check_member(name, set, *member);
    SysvSetState state{.id = set.id, .status = set.status, .members = {}};
    if (semctl(set.id, 0, GETVAL) == -1 && errno == EACCES)
        return state;
    for (std::int64_t i = member.value_or(0); i < (member ? *member + 1 : set.size()); ++i)
        state.members.push_back({.value = ask(name, set.id, i, GETVAL),
                                 .waiters = ask(name, set.id, i, GETNCNT),
                                 .zero_waiters = ask(name, set.id, i, GETZCNT),
                                 .last_pid = ask(name, set.id, i, GETPID)});
    return state;
}

} // namespace ipc
