// SPDX-License-Identifier: MIT
#include "queue/delivery.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <unistd.h>

#include "base/error.hpp"
#include "base/io.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "queue/put_back.hpp"
#include "tool/tool.hpp"

namespace ipc {

namespace {

constexpr std::size_t most_bytes = std::size_t{64} << 10U;

/// So that small messages do not make the book-keeping large.
constexpr std::size_t most_messages = 4096;

} // namespace

Delivery::Delivery(MessageQueue& queue, Framing framing, PutBack put_back)
    : queue_(queue), framing_(framing), put_back_(put_back),
      has_reader_(has_reader(STDOUT_FILENO)) {
    held_.reserve(most_messages);
}

Delivery::~Delivery() { give_back(); }

std::span<char> Delivery::room(std::size_t message_size) {
    if (held_.size() == most_messages ||
        (!held_.empty() && messages_.size() + message_size > most_bytes))
        deliver();
    if (held_.empty() && has_reader_ && is_writer_cut_off(STDOUT_FILENO))
        throw Error("stdout", "cannot write", EPIPE);
    return messages_.room(message_size + 1).first(message_size);
}

int Delivery::accept(std::size_t size, long priority) {
    // Until its record is whole, it is not delivered, whatever is written.
    held_.push_back({messages_.size(), size, priority, std::numeric_limits<std::size_t>::max()});
    messages_.commit(size);
    if (framing_.is_plain())
        messages_.append({framing_.format == Format::nul ? "" : "\n", 1});
    else
        framing_.append(framed_, last(), priority);
    held_.back().record_end = records().size();
    return 0;
}

std::string_view Delivery::last() noexcept {
    return {messages_.begin() + held_.back().offset, held_.back().size};
}

void Delivery::deliver() {
    if (held_.empty())
        return;
    std::size_t written = 0;
    const std::string_view all(records().begin(), records().size());
    if (const int error = write_patiently(STDOUT_FILENO, all, written))
        fail(written, error);
    clear();
}

void Delivery::clear() noexcept {
    held_.clear();
    messages_.clear();
    framed_.clear();
}

/// Returns every message to the queue whose record was not written to its end.
Delivery::Fate Delivery::take_back(std::size_t written) noexcept {
    Fate fate;
    std::size_t record_begin = 0;
    const Deadline deadline = Deadline::after(put_back_patience);
    for (const Held& held : held_) {
        if (held.record_end > written && put_back_ == PutBack::yes) {
            if (record_begin < written)
                fate.cut_at = written - record_begin;
            const auto message = messages_.span(held.offset, held.size);
            ++(put_back(queue_, message, held.priority, deadline) ? fate.returned : lost_);
        }
        record_begin = held.record_end;
    }
    clear();
    return fate;
}

bool Delivery::give_back() noexcept {
    take_back(0);
    return lost_ == 0;
}

void Delivery::fail(std::size_t written, int error) {
    const Fate fate = take_back(written);
    std::string detail;
    if (put_back_ == PutBack::yes)
        detail = text("messages put back: ", fate.returned);
    if (fate.cut_at > 0)
        detail += text(", the first was cut after ", fate.cut_at, " bytes");
    if (lost_ > 0)
        detail += text("; only on stderr: ", lost_);
    if (error == EINTR) {
        report(text("stdout: stuck when a signal came", detail.empty() ? "" : "; ", detail));
        signals::check();
    }
    if (lost_ > 0)
        throw LostError("stdout", "cannot write", error, detail);
    throw Error("stdout", "cannot write", error, detail);
}

} // namespace ipc
