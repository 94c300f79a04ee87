// SPDX-License-Identifier: MIT
#include "semaphore/posix.hpp"

#include <cerrno>
#include <climits>
#include <cstddef>
#include <fcntl.h>
#include <span>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file_type.hpp"
#include "base/limits.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "base/truncation_guard.hpp"
#include "object/shm_files.hpp"
#include "semaphore/guard.hpp"
#include "semaphore/word.hpp"

namespace ipc {

namespace {

std::string path_of(const Name& name) {
    if (name.form == Name::Form::fd)
        throw UsageError(name.text, "a semaphore cannot be given as a descriptor");
    return text(shm_files::directory, "/sem.", std::string_view(name.text).substr(1));
}

[[noreturn]] void reject(const Name& name, std::string_view what) {
    throw Error(name.text, text("malformed: ", printable(path_of(name)), ' ', what));
}

void check_is_semaphore(const Name& name, const struct stat& status) {
    if (!S_ISREG(status.st_mode))
        reject(name, text("is ", describe_type(status.st_mode)));
    if (status.st_size != sizeof(SemaphoreImage))
        reject(name,
               text("has ", status.st_size, " bytes, a semaphore has ", sizeof(SemaphoreImage)));
}

struct stat status_of(const Name& name, const UniqueFd& fd) {
    struct stat status {};
    if (fstat(fd.get(), &status) != 0)
        throw Error(name.text, "cannot open", errno);
    return status;
}

/// Follows nothing, and changes nothing. `access` is O_RDONLY or O_RDWR.
UniqueFd open_file(const Name& name, int access) {
    const std::string path = path_of(name);
    UniqueFd fd = shm_files::open_file(path, access);
    if (fd.is_open()) {
        check_is_semaphore(name, status_of(name, fd));
        return fd;
    }
    const int error = errno;
    struct stat status {};
    if (lstat(path.c_str(), &status) == 0)
        check_is_semaphore(name, status);
    throw Error(name.text, "cannot open", error, shm_files::explain_opening(error));
}

/// As it is now, and checked: a file of the right size may hold anything.
SemaphoreImage read_semaphore(const Name& name, const UniqueFd& fd) {
    SemaphoreImage image;
    ssize_t count = 0;
    do
        count = pread(fd.get(), &image, sizeof image, 0);
    while (count == -1 && errno == EINTR);
    if (count == -1)
        throw Error(name.text, "cannot read", errno);
    if (count != sizeof image)
        reject(name, "was truncated meanwhile");
    if (const std::string fault = image.fault(); !fault.empty())
        reject(name, fault);
    return image;
}

PosixSemaphoreState state_of(const struct stat& status, const SemaphoreImage& image) noexcept {
    return {.value = image.value(), .waiters = image.waiters(), .status = status};
}

/// What is no semaphore, may not be looked at, or will not do, is an Error.
bool is_there(const Name& name, Existing existing) {
    struct stat status {};
    if (lstat(path_of(name).c_str(), &status) == 0) {
        check_is_semaphore(name, status);
        shm_files::check_owner(name, status.st_uid, existing);
        return true;
    }
    if (errno != ENOENT)
        throw Error(name.text, "cannot look at the semaphore", errno);
    return false;
}

void check_value(const Name& name, std::int64_t value, std::string_view action) {
    if (value > SEM_VALUE_MAX)
        throw Error(name.text, action, EINVAL,
                    text("the value is ", value, ", SEM_VALUE_MAX = ", SEM_VALUE_MAX));
}

/// A semaphore in memory: one page, in which nothing else is.
class Mapping {
  public:
    Mapping(const Name& name, const UniqueFd& fd)
        : size_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))),
          at_(mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0)) {
        if (at_ == MAP_FAILED)
            throw Error(name.text, "cannot map", errno);
    }
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    ~Mapping() { munmap(at_, size_); }

    SemaphoreImage& image() const noexcept { return *static_cast<SemaphoreImage*>(at_); }
    std::span<std::byte> pages() const noexcept { return {static_cast<std::byte*>(at_), size_}; }

  private:
    std::size_t size_;
    void* at_;
};

class PosixSemaphore final : public Semaphore {
  public:
    PosixSemaphore(const Name& name, UniqueFd fd)
        : Semaphore(name), fd_(std::move(fd)), mapping_(name, fd_), truncation_(mapping_.pages()),
          word_(mapping_.image()) {}

    void post(std::uint64_t count) override;
    Waited take(std::uint64_t count, Deadline deadline) override;
    Waited take_for_life(std::uint64_t count, Deadline deadline) override {
        return take_by_guard(*this, fd_.get(), count, deadline);
    }
    void set(std::int64_t value) override;

  private:
    /// Whoever may write the file can cut it short under us.
    void check_mapping() const {
        if (TruncationGuard::tripped())
            reject(name(), "was truncated meanwhile");
    }
    Waited take_one(Deadline deadline);

    UniqueFd fd_;
    Mapping mapping_;
    TruncationGuard truncation_;
    SemaphoreWord word_;
};

void PosixSemaphore::post(std::uint64_t count) {
    const bool is_done = word_.try_post(count);
    check_mapping();
    if (!is_done)
        fail("cannot post", EOVERFLOW,
             text("value ", word_.value(), ", SEM_VALUE_MAX = ", SEM_VALUE_MAX));
}

/// What was taken so far goes back unless all of it was.
class Taken {
  public:
    explicit Taken(SemaphoreWord& word) noexcept : word_(word) {}
    Taken(const Taken&) = delete;
    Taken& operator=(const Taken&) = delete;
    ~Taken() {
        if (count_ > 0)
            word_.try_post(count_);
    }

    void add_one() noexcept { ++count_; }
    std::uint64_t count() const noexcept { return count_; }
    void keep() noexcept { count_ = 0; }

  private:
    SemaphoreWord& word_;
    std::uint64_t count_ = 0;
};

/// One after the other: a post wakes one that waits, which must be able to take what it finds.
Waited PosixSemaphore::take(std::uint64_t count, Deadline deadline) {
    Taken taken(word_);
    while (taken.count() < count) {
        signals::check();
        if (const Waited waited = take_one(deadline); waited != Waited::done)
            return waited;
        taken.add_one();
    }
    taken.keep();
    return Waited::done;
}

/// Nothing tells a waiter that the file is removed or cut short, so it looks each second. One that
/// was woken takes before it looks at anything else, for nobody else was woken.
Waited PosixSemaphore::take_one(Deadline deadline) {
    constexpr nanoseconds between_looks = std::chrono::seconds(1);
    std::optional<SemaphoreWord::Waiter> waiter;
    while (!word_.try_take()) {
        signals::check();
        const struct stat status = status_of(name(), fd_);
        check_is_semaphore(name(), status);
        if (status.st_nlink == 0)
            return Waited::removed;
        if (deadline.passed())
            return Waited::timed_out;
        if (!waiter)
            waiter.emplace(word_);
        waiter->sleep(deadline.or_after(between_looks).left());
    }
    check_mapping();
    return Waited::done;
}

void PosixSemaphore::set(std::int64_t value) {
    check_value(name(), value, "cannot set");
    word_.set(static_cast<std::uint32_t>(value));
    check_mapping();
}

/// Of this value, but without a name yet.
UniqueFd make_file(const Name& name, const SemaphoreSettings& settings) {
    constexpr std::string_view action = "cannot create";
    const SemaphoreImage initial{.word = static_cast<std::uint32_t>(settings.value)};
    UniqueFd fd = shm_files::make_unnamed();
    if (!fd.is_open()) {
        const int error = errno;
        throw Error(name.text, action, error, shm_files::explain_making(error));
    }
    ssize_t written = 0;
    do
        written = pwrite(fd.get(), &initial, sizeof initial, 0);
    while (written == -1 && errno == EINTR);
    if (written != sizeof initial) {
        const int error = written == -1 ? errno : ENOSPC;
        throw Error(name.text, action, error, shm_files::explain_storing(sizeof initial, error));
    }
    if (fchmod(fd.get(), settings.mode) != 0)
        throw Error(name.text, action, errno);
    return fd;
}

} // namespace

std::unique_ptr<Semaphore> open_posix_semaphore(const Name& name) {
    UniqueFd fd = open_file(name, O_RDWR);
    read_semaphore(name, fd); // before it is mapped
    return std::make_unique<PosixSemaphore>(name, std::move(fd));
}

CreatedSemaphore create_posix_semaphore(const Name& name, const SemaphoreSettings& settings,
                                        Existing existing) {
    const std::string path = path_of(name);
    if (settings.members)
        throw UsageError(name.text, "only System V sets have members");
    check_value(name, settings.value, "cannot create");
    // First, for it need not be possible to make another.
    const bool was_there = is_there(name, existing);
    const int error = was_there ? EEXIST : shm_files::try_publish(make_file(name, settings), path);
    if (error == 0)
        return {.name = name, .is_ours = true};
    if (error != EEXIST || existing == Existing::refused ||
        !(was_there || is_there(name, existing)))
        throw Error(name.text, "cannot create", error, shm_files::explain_making(error));
    return {.name = name, .is_ours = false};
}

bool remove_posix_semaphore(const Name& name) {
    if (unlink(path_of(name).c_str()) == 0)
        return true;
    if (errno != ENOENT)
        throw Error(name.text, "cannot remove", errno);
    return false;
}

PosixSemaphoreState look_at_posix_semaphore(const Name& name) {
    const UniqueFd fd = open_file(name, O_RDONLY);
    const struct stat status = status_of(name, fd);
    return state_of(status, read_semaphore(name, fd));
}

std::optional<PosixSemaphoreState> try_look_at_posix_semaphore(const UniqueFd& file) noexcept {
    struct stat status {};
    SemaphoreImage image;
    if (fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
        status.st_size != sizeof image)
        return std::nullopt;
    if (pread(file.get(), &image, sizeof image, 0) != sizeof image || !image.fault().empty())
        return std::nullopt;
    return state_of(status, image);
}

} // namespace ipc
