// SPDX-License-Identifier: MIT
#include "memory/source.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <limits>
#include <optional>
#include <poll.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/io.hpp"
#include "base/removal_watch.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "memory/shared_memory.hpp"
#include "memory/sysv.hpp"

namespace ipc {

namespace {

/// What one call moves at most, so that signals are looked at now and then.
constexpr std::int64_t most_at_once = std::int64_t{16} << 20U;

/// A description of its own, where /proc is there.
UniqueFd open_anew(const UniqueFd& memory) {
    return UniqueFd(open(text("/proc/self/fd/", memory.get()).c_str(), O_RDONLY | O_CLOEXEC));
}

class PosixSource final : public MemorySource {
  public:
    explicit PosixSource(const Name& name)
        : MemorySource(name), memory_(open_memory(name, O_RDONLY)), removal_(memory_.get()) {
        refuse_itself(name, memory_, STDOUT_FILENO, "stdout");
    }

    std::int64_t size() const override { return memory_status(name(), memory_).st_size; }
    std::size_t read(std::span<char> into, std::int64_t offset) override;
    std::int64_t data_from(std::int64_t offset) override;
    std::int64_t send(std::int64_t offset, std::int64_t length) override;
    bool is_removed() const override { return removal_.is_removed(); }
    int poll_fd() const noexcept override { return removal_.poll_fd(); }
    void drain() noexcept override { removal_.drain(); }
    Deadline next_look(Deadline deadline) noexcept override { return removal_.next_look(deadline); }

  private:
    static constexpr std::size_t copy_size = std::size_t{256} << 10U;

    std::int64_t copy(std::int64_t offset, std::int64_t length);

    UniqueFd memory_;
    std::optional<UniqueFd> seekable_; ///< nobody else's position moves with this one
    RemovalWatch removal_;
    bool can_sendfile_ = true;
    std::unique_ptr<char[]> buffer_; ///< where sendfile(2) is not possible
};

/// lseek(2): only holes are known to hold nothing; what was never stored may be data.
std::int64_t PosixSource::data_from(std::int64_t offset) {
    if (!seekable_)
        seekable_ = open_anew(memory_);
    const off_t data = lseek(seekable_->get(), offset, SEEK_DATA);
    if (data >= 0)
        return data;
    return errno == ENXIO ? std::numeric_limits<std::int64_t>::max() : offset;
}

std::size_t PosixSource::read(std::span<char> into, std::int64_t offset) {
    for (;;) {
        const ssize_t count = pread(memory_.get(), into.data(), into.size(), offset);
        if (count >= 0)
            return static_cast<std::size_t>(count);
        if (errno != EINTR)
            throw Error(name().text, "cannot read", errno);
    }
}

/// sendfile(2) into a pipe copies nothing. Where it fails, copying tells which of the two ends is
/// to blame, or is possible.
std::int64_t PosixSource::send(std::int64_t offset, std::int64_t length) {
    while (can_sendfile_) {
        signals::check();
        off_t from = offset;
        const auto size = static_cast<std::size_t>(std::min(length, most_at_once));
        const ssize_t count = sendfile(STDOUT_FILENO, memory_.get(), &from, size);
        if (count >= 0)
            return count;
        if (errno == EAGAIN)
            wait_until_possible(STDOUT_FILENO, POLLOUT);
        else if (errno != EINTR)
            can_sendfile_ = false;
    }
    return copy(offset, length);
}

std::int64_t PosixSource::copy(std::int64_t offset, std::int64_t length) {
    if (!buffer_)
        buffer_ = std::make_unique_for_overwrite<char[]>(copy_size);
    const auto size = std::min(copy_size, static_cast<std::size_t>(length));
    const std::size_t count = read({buffer_.get(), size}, offset);
    write_stdout({buffer_.get(), count});
    return static_cast<std::int64_t>(count);
}

class SysvSource final : public MemorySource {
  public:
    explicit SysvSource(const Name& name)
        : MemorySource(name), id_(sysv_memory_id(name)),
          segment_(name, id_, Attachment::Access::read), was_marked_(is_marked()) {}

    std::int64_t size() const override {
        return static_cast<std::int64_t>(segment_.bytes().size());
    }
    std::size_t read(std::span<char> into, std::int64_t offset) override;
    std::int64_t send(std::int64_t offset, std::int64_t length) override;
    bool is_removed() const override { return !was_marked_ && is_marked(); }
    int poll_fd() const noexcept override { return -1; }
    void drain() noexcept override {}
    Deadline next_look(Deadline deadline) noexcept override {
        return deadline.or_after(std::chrono::seconds(1));
    }

  private:
    bool is_marked() const {
        return (sysv_memory_status(name(), id_).shm_perm.mode & SHM_DEST) != 0;
    }

    int id_;
    Attachment segment_;
    bool was_marked_;
};

std::size_t SysvSource::read(std::span<char> into, std::int64_t offset) {
    const std::span<char> part = segment_.part(offset, into.size());
    std::copy(part.begin(), part.end(), into.begin());
    segment_.forget(part);
    return part.size();
}

std::int64_t SysvSource::send(std::int64_t offset, std::int64_t length) {
    const auto most = static_cast<std::size_t>(length);
    const std::span<char> part = segment_.part(offset, std::min(most, Attachment::window));
    write_stdout({part.data(), part.size()});
    segment_.forget(part);
    return static_cast<std::int64_t>(part.size());
}

} // namespace

std::unique_ptr<MemorySource> open_memory_source(const Name& name) {
    if (name.is_system_v())
        return std::make_unique<SysvSource>(name);
    return std::make_unique<PosixSource>(name);
}

} // namespace ipc
