// SPDX-License-Identifier: MIT
#include "memory/target.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <span>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

#include "base/byte_range.hpp"
#include "base/error.hpp"
#include "base/io.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "memory/shared_memory.hpp"
#include "memory/sysv.hpp"
#include "object/foreign.hpp"

namespace ipc {

namespace {

constexpr mode_t private_mode = 0600;

/// What was read and not stored is read again by whoever comes next, where that is possible.
void put_back(std::size_t count) noexcept {
    if (count > 0)
        lseek(STDIN_FILENO, -static_cast<off_t>(count), SEEK_CUR);
}

enum class Origin : std::uint8_t { found, made };

class PosixTarget final : public MemoryTarget {
  public:
    PosixTarget(const Name& name, UniqueFd memory, Origin origin)
        : MemoryTarget(name), memory_(std::move(memory)), is_published_(origin == Origin::found),
          buffer_(std::make_unique_for_overwrite<char[]>(copy_size)) {}
    PosixTarget(const PosixTarget&) = delete;
    PosixTarget& operator=(const PosixTarget&) = delete;
    ~PosixTarget() override {
        leave_pipe();
        if (reserved_end_ > end())
            release_reserved(memory_, end(), reserved_end_ - end());
    }

    void begin(std::int64_t offset, std::int64_t length, Rest rest) override;
    bool try_publish() override {
        return is_published_ || (is_published_ = try_publish_memory(name(), memory_));
    }
    bool receive() override;
    void finish() override {
        if (rest_ == Rest::goes)
            resize_memory(name(), memory_, end());
    }

  private:
    /// From a pipe; from a file, by a pipe of our own; by a buffer.
    enum class Way : std::uint8_t { pipe, file, copy };

    static constexpr std::size_t copy_size = std::size_t{256} << 10U;
    static constexpr std::size_t most_at_once = std::size_t{16} << 20U;

    std::int64_t end() const noexcept { return offset_ + stored(); }
    void choose_way() noexcept;
    ssize_t move() noexcept;
    ssize_t store(int from, std::size_t most) noexcept;
    void leave_pipe() noexcept { put_back(std::exchange(in_pipe_, 0)); }
    bool copy();

    UniqueFd memory_;
    bool is_published_;
    Rest rest_ = Rest::stays;
    Way way_ = Way::copy;
    UniqueFd pipe_out_;
    UniqueFd pipe_in_;
    std::size_t in_pipe_ = 0; ///< bytes of stdin that are in it
    std::int64_t offset_ = 0;
    std::int64_t reserved_end_ = 0;
    std::unique_ptr<char[]> buffer_; ///< there before anything is stored, and touched if needed
};

void PosixTarget::begin(std::int64_t offset, std::int64_t length, Rest rest) {
    constexpr std::int64_t block = 512; // stat(2)
    refuse_itself(name(), memory_, STDIN_FILENO, "stdin");
    const struct stat status = memory_status(name(), memory_);
    // To look for holes takes a third of the time of storing, where there are none.
    const bool has_holes = std::int64_t{status.st_blocks} * block < status.st_size;
    const std::int64_t from =
        has_holes ? std::min<std::int64_t>(offset, status.st_size) : status.st_size;
    const std::int64_t to = bounded_sum(offset, length);
    if (to > from)
        reserve_memory(name(), memory_, from, to - from, Grow::no);
    offset_ = offset;
    reserved_end_ = to;
    rest_ = rest;
    choose_way();
}

void PosixTarget::choose_way() noexcept {
    struct stat input {};
    int ends[2] = {-1, -1};
    if (fstat(STDIN_FILENO, &input) != 0)
        return;
    if (S_ISFIFO(input.st_mode)) {
        enlarge_pipe(STDIN_FILENO);
        way_ = Way::pipe;
    } else if (S_ISREG(input.st_mode) && pipe2(ends, O_CLOEXEC) == 0) {
        pipe_out_ = UniqueFd(ends[0]);
        pipe_in_ = UniqueFd(ends[1]);
        enlarge_pipe(pipe_in_.get());
        way_ = Way::file;
    }
}

ssize_t PosixTarget::store(int from, std::size_t most) noexcept {
    off_t to = end();
    const ssize_t count = splice(from, nullptr, memory_.get(), &to, most, 0);
    if (count > 0)
        add_stored(count);
    return count;
}

/// splice(2) once or twice: the pipe of our own takes no copies of a file, but its pages, and more
/// of them than that of sendfile(2).
ssize_t PosixTarget::move() noexcept {
    if (way_ == Way::pipe)
        return store(STDIN_FILENO, most_at_once);
    if (in_pipe_ == 0) {
        const ssize_t count =
            splice(STDIN_FILENO, nullptr, pipe_in_.get(), nullptr, most_at_once, 0);
        if (count <= 0)
            return count;
        in_pipe_ = static_cast<std::size_t>(count);
    }
    const ssize_t count = store(pipe_out_.get(), in_pipe_);
    if (count > 0)
        in_pipe_ -= static_cast<std::size_t>(count);
    return count;
}

/// Moving within the kernel saves a copy of our own. When it goes no further, copying tells whether
/// that is the end of input, and if not, which of the two sides is to blame.
bool PosixTarget::receive() {
    while (way_ != Way::copy) {
        signals::check();
        const ssize_t count = move();
        if (count > 0)
            return true;
        if (count < 0 && errno == EAGAIN) {
            wait_until_possible(STDIN_FILENO, POLLIN);
        } else if (count == 0 || errno != EINTR) {
            leave_pipe();
            way_ = Way::copy;
        }
    }
    return copy();
}

bool PosixTarget::copy() {
    std::string_view rest(buffer_.get(),
                          read_some(STDIN_FILENO, {buffer_.get(), copy_size}, "stdin"));
    if (rest.empty())
        return false;
    while (!rest.empty()) {
        const ssize_t count = pwrite(memory_.get(), rest.data(), rest.size(), end());
        if (count >= 0) {
            add_stored(count);
            rest.remove_prefix(static_cast<std::size_t>(count));
        } else if (errno != EINTR) {
            const int error = errno;
            put_back(rest.size());
            throw Error(
                name().text, "cannot store", error,
                explain_reserve(name(), memory_, static_cast<std::int64_t>(rest.size()), error));
        }
    }
    return true;
}

class SysvTarget final : public MemoryTarget {
  public:
    SysvTarget(const Name& name, int id, Origin origin)
        : MemoryTarget(name), id_(id), is_published_(origin == Origin::found),
          segment_(name, id, Attachment::Access::read_write) {}
    SysvTarget(const SysvTarget&) = delete;
    SysvTarget& operator=(const SysvTarget&) = delete;
    ~SysvTarget() override {
        if (!is_published_)
            shmctl(id_, IPC_RMID, nullptr);
    }

    void begin(std::int64_t offset, std::int64_t length, Rest rest) override;
    bool try_publish() override { return is_published_ = true; }
    bool receive() override;
    void finish() override {}

  private:
    std::int64_t size() const noexcept {
        return static_cast<std::int64_t>(segment_.bytes().size());
    }
    bool is_at_end_of_input();

    int id_;
    bool is_published_;
    Attachment segment_;
    std::int64_t offset_ = 0;
};

void SysvTarget::begin(std::int64_t offset, std::int64_t length, Rest rest) {
    if (rest == Rest::goes)
        throw UsageError(name().text, "--truncate is for POSIX objects; a segment keeps its size");
    if (offset > size())
        throw Error(name().text, text("offset ", offset, " is past the end; the segment has ",
                                      size(), " bytes and cannot grow"));
    if (length > size() - offset)
        throw Error(name().text,
                    text("the input does not fit: ", length, " bytes from offset ", offset,
                         " on; the segment has ", size(), " bytes and cannot grow"));
    offset_ = offset;
}

bool SysvTarget::receive() {
    const std::span<char> room = segment_.part(offset_ + stored());
    if (room.empty()) {
        if (is_at_end_of_input())
            return false;
        throw Error(name().text, text("the input does not fit; the segment has ", size(),
                                      " bytes and cannot grow"));
    }
    const std::size_t count = read_some(STDIN_FILENO, room, "stdin");
    add_stored(static_cast<std::int64_t>(count));
    segment_.forget(room);
    return count > 0;
}

bool SysvTarget::is_at_end_of_input() {
    char one = 0;
    const std::size_t count = read_some(STDIN_FILENO, {&one, 1}, "stdin");
    put_back(count);
    return count == 0;
}

} // namespace

std::unique_ptr<MemoryTarget> try_open_memory_target(const Name& name, Existing existing) {
    if (name.is_system_v()) {
        const auto id = try_sysv_memory_id(name);
        if (!id)
            return nullptr;
        check_owner(name, sysv_memory_status(name, *id).shm_perm, existing);
        return std::make_unique<SysvTarget>(name, *id, Origin::found);
    }
    auto memory = try_open_memory(name, O_WRONLY);
    if (!memory)
        return nullptr;
    check_memory_owner(name, *memory, existing);
    // pwrite(2), "BUGS": it ignores the offset then. The flag belongs to others, too.
    if ((fcntl(memory->get(), F_GETFL) & O_APPEND) != 0)
        throw Error(name.text, "this descriptor appends, and can store nowhere else");
    return std::make_unique<PosixTarget>(name, std::move(*memory), Origin::found);
}

std::unique_ptr<MemoryTarget> try_create_memory_target(const Name& name, std::int64_t size) {
    if (name.is_system_v()) {
        const auto made =
            try_create_sysv_memory(name, static_cast<std::size_t>(size), private_mode);
        if (!made)
            return nullptr;
        try {
            return std::make_unique<SysvTarget>(made->name, made->id, Origin::made);
        } catch (...) {
            shmctl(made->id, IPC_RMID, nullptr);
            throw;
        }
    }
    UniqueFd memory = make_memory(name, private_mode);
    resize_memory(name, memory, size);
    return std::make_unique<PosixTarget>(name, std::move(memory), Origin::made);
}

} // namespace ipc
