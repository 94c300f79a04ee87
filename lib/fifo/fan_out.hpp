// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <poll.h>
#include <string_view>
#include <unistd.h>
#include <vector>

#include "base/buffer.hpp"
#include "base/error.hpp"
#include "base/escape.hpp"
#include "base/file_watch.hpp"
#include "fifo/pipe_tee.hpp"
#include "fifo/writer.hpp"
#include "tool/progress.hpp"

namespace ipc {

/// Copies stdin to FIFOs and to stdout: without touching the bytes where no record has to be seen
/// and much is there at once, else through memory.
class FanOut final : PipeTee::Waiter {
  public:
    enum class Stdout : std::uint8_t { none, plain, escaped };

    /// The writers, which have the same policy, and the progress stay the caller's.
    FanOut(std::vector<FifoWriter>& writers, const WritePolicy& policy, Stdout to_stdout,
           Progress& progress);

    /// Until each FIFO has a reader. Throws Error if one can have none any more, and
    /// signals::Ended.
    void wait_for_readers();

    /// Copies all, until the end of input or until nobody is left to copy to. A failure of stdout
    /// is reported, and does not stop the FIFOs. Throws Error, and signals::Ended.
    void run();

    /// Waits until the FIFOs have what is held for them.
    void finish();

    bool stdout_failed() const noexcept { return output_ == Output::failed; }

  private:
    enum class Output : std::uint8_t { none, pipe, other, copied, escaped, failed };

    static Output kind_of_output(Stdout to_stdout) noexcept;
    int output_fd() const noexcept {
        return output_pipe_.is_open() ? output_pipe_.get() : STDOUT_FILENO;
    }

    enum class For : std::uint8_t { readers, input, room };

    bool wait_for_input();
    void wait(For what, int full = -1);
    void wait_for_room(int target) override { wait(For::room, target); }
    void look();
    bool has_taker() const noexcept;
    bool can_splice() const noexcept;

    void splice(std::size_t count);
    void splice_rest(std::size_t count);
    std::string_view read_block(std::size_t most);
    bool copy();
    bool copy_records();
    void send(std::string_view bytes);
    void send_to_stdout(std::string_view bytes);
    void send_to_pipe(std::string_view bytes);
    void fail_stdout(const Error& error);

    std::vector<FifoWriter>& writers_;
    WritePolicy policy_;
    Progress& progress_;
    Output output_;
    UniqueFd output_pipe_; ///< stdout once more, where no write waits; or none
    bool watches_output_;
    PipeTee tee_;
    FileWatch watch_;
    std::size_t awaited_ = 0; ///< FIFOs without a reader
    bool starts_record_ = true;
    Buffer held_; ///< the beginning of a record
    std::unique_ptr<char[]> block_;
    Escaper escaper_;
    std::vector<pollfd> polled_;
};

} // namespace ipc
