// SPDX-License-Identifier: MIT
#include "ring/ring.hpp"

#include <poll.h>

#include "base/text.hpp"

namespace ipc {

namespace {

bool is_preparing(std::uint64_t stream) noexcept { return stream % 2 != 0; }

/// Number of the stream that is prepared after this one or, if that was never ready, instead.
std::uint64_t next_preparing(std::uint64_t stream) noexcept { return (stream + 1) | 1U; }

// Each of the two semaphores has one side that waits for it, and the other that posts it.
bool try_take_semaphore(std::atomic<std::uint32_t>& semaphore) noexcept {
    if (semaphore.load(std::memory_order_acquire) == 0)
        return false;
    semaphore.fetch_sub(1, std::memory_order_acquire);
    return true;
}
void post_semaphore(std::atomic<std::uint32_t>& semaphore) noexcept {
    semaphore.fetch_add(1, std::memory_order_release);
}

constexpr const char* damaged = "the counters of the ring are damaged";

} // namespace

// ---- The writer ----

RingWriter::RingWriter(const Name& name, const RingSettings& settings)
    : RingEnd(name, RingSide::writer, settings.timeout), settings_(settings) {
    enter();
}

void RingWriter::enter() {
    const Deadline deadline = deadline_of_wait();
    for (Pauses pauses;;
         pause("the object is being removed, and is not gone in time", pauses.next(), deadline)) {
        if (auto existing = RingMemory::try_open(name(), RingSide::writer, settings_.existing)) {
            if (!try_enter(std::move(existing)))
                continue;
            prepare();
            return;
        }
        auto created = RingMemory::try_create(name(), settings_.size.value_or(usual_ring_size),
                                              settings_.mode);
        if (!created || !try_enter(std::move(created)))
            continue;
        prepare();
        if (memory().try_publish())
            return;
        leave();
    }
}

void RingWriter::prepare() {
    RingHeader& shared = header();
    const std::uint64_t preparing = next_preparing(shared.stream.load());
    // From here on nobody joins the last stream, and its reader learns that its writer is gone.
    shared.stream.store(preparing);
    notify();
    wait_until([] { return "the reader of an earlier stream does not end"; },
               [&] { return !is_peer_there() || shared.reading.load() == 0; });

    memory().prepare(settings_.size, usual_ring_size);
    ring_ = memory().map_ring();
    shared.size.store(ring_.size());
    shared.lockstep.store(settings_.lockstep ? 1 : 0);
    shared.ended.store(RingHeader::no);
    shared.head.store(0);
    shared.empty.store(1);
    shared.full.store(0);
    stream_ = preparing + 1 != 0 ? preparing + 1 : 2;
    shared.stream.store(stream_);
    notify();
}

RingWriter::~RingWriter() {
    if (has_entered() && !has_finished_)
        header().ended.store(RingHeader::given_up);
}

/// The loads are in the order in which a reader stores: who is seen to have joined and not to read
/// has left, and what it stored before that is seen.
RingWriter::Reader RingWriter::look() const noexcept {
    const bool has_joined = header().joined.load() == stream_;
    const bool is_reading = is_peer_there() && header().reading.load() == stream_;
    if (header().finished.load() == stream_)
        return Reader::finished;
    if (!has_joined)
        return Reader::none;
    return is_reading ? Reader::reading : Reader::gone;
}

std::size_t RingWriter::used() const {
    const bool is_joined = header().joined.load(std::memory_order_acquire) == stream_;
    const std::uint64_t tail = is_joined ? header().tail.load(std::memory_order_acquire) : 0;
    const auto used = ring_used(head_, tail, ring_.size());
    if (!used)
        throw trouble(damaged);
    return *used;
}

bool RingWriter::has_room(bool was_full) const {
    if (settings_.lockstep)
        return header().empty.load(std::memory_order_acquire) > 0;
    return used() <= (was_full ? ring_.size() / 2 : ring_.size() - 1);
}

std::span<std::byte> RingWriter::room() {
    check_reader();
    if (!has_room(false)) {
        wait_until([&] { return text("no room in time, after ", head_, " bytes"); },
                   [&] { return has_room(true) || look() == Reader::gone; });
        check_reader();
    }
    if (settings_.lockstep)
        try_take_semaphore(header().empty);
    const auto room = ring_piece(ring_, head_, ring_.size() - used());
    if (room.empty()) // in lockstep, by a forged semaphore
        throw trouble(damaged);
    return room;
}

void RingWriter::put(std::size_t count) {
    head_ += count;
    header().head.store(head_, std::memory_order_release);
    if (settings_.lockstep)
        post_semaphore(header().full);
    // While more comes a reader that sleeps is let sleep, so that it finds much when it wakes; the
    // writer wakes it before it waits itself.
    if (settings_.lockstep || used() >= ring_.size() / 2)
        notify();
}

void RingWriter::check_reader() const {
    const Reader reader = look();
    if (reader == Reader::gone || reader == Reader::finished) // which it cannot have
        fail();
}

void RingWriter::await_input(int fd) {
    pollfd input{.fd = fd, .events = POLLIN, .revents = 0};
    if (poll(&input, 1, 0) != 0)
        return;
    notify();
    do {
        sleep_for_input(fd);
        check_reader();
    } while (poll(&input, 1, 0) == 0);
}

void RingWriter::finish() {
    header().ended.store(RingHeader::end_of_input);
    has_finished_ = true;
    notify();
    Reader reader = Reader::none;
    wait_until([&] { return text("not all of ", head_, " bytes were taken in time"); },
               [&] {
                   reader = look();
                   // It is we who made the object, and may remove it: the reader goes first.
                   const bool is_there = is_peer_there() && header().reading.load() == stream_;
                   return reader == Reader::gone || (reader == Reader::finished && !is_there);
               });
    if (reader == Reader::gone)
        fail();
}

void RingWriter::fail() const {
    const bool has_died = (peer().load() & FUTEX_OWNER_DIED) != 0;
    const std::uint64_t tail = header().tail.load();
    throw trouble(
        text("the reader ", has_died ? "died" : "left", " after ", tail, " of ", head_, " bytes"));
}

// ---- The reader ----

RingReader::RingReader(const Name& name, std::optional<nanoseconds> timeout)
    : RingEnd(name, RingSide::reader, timeout) {
    try_enter_existing();
}

bool RingReader::try_enter_existing() {
    auto existing = RingMemory::try_open(name(), RingSide::reader, Existing::any);
    if (!existing || !try_enter(std::move(existing)))
        return false;
    header().reading.store(0);
    notify();
    return true;
}

void RingReader::join() {
    static constexpr const char* late = "no writer has come in time";
    const Deadline deadline = deadline_of_wait();
    for (Pauses pauses; !has_entered() && !try_enter_existing();)
        pause(late, pauses.next(), deadline);
    wait_until([] { return late; }, [&] { return try_join(); });

    ring_ = memory().map_ring();
    is_lockstep_ = header().lockstep.load() != 0;
    if (ring_.empty() || header().size.load() != ring_.size())
        throw trouble("the size of the ring is not what the writer says");
    header().joined.store(stream_);
    notify();
}

/// False if there is no stream to join.
bool RingReader::try_join() {
    RingHeader& shared = header();
    const std::uint64_t stream = shared.stream.load();
    if (!is_peer_there() || is_preparing(stream) || stream == 0 || stream == shared.joined.load())
        return false;
    shared.tail.store(0);
    shared.reading.store(stream);
    // A new writer stores its number first, and then looks whether anybody reads.
    if (shared.stream.load() == stream) {
        stream_ = stream;
        return true;
    }
    shared.reading.store(0);
    notify();
    return false;
}

bool RingReader::is_writer_gone() const noexcept {
    return !is_peer_there() || header().stream.load() != stream_;
}

std::span<const std::byte> RingReader::bytes() {
    std::uint32_t ended = RingHeader::no;
    bool is_gone = false;
    const auto has_news = [&] {
        // In this order: what the writer put in before it ended, in either way, is seen.
        is_gone = is_writer_gone();
        ended = header().ended.load();
        if (!is_lockstep_ || try_take_semaphore(header().full))
            head_ = header().head.load(std::memory_order_acquire);
        return head_ != tail_ || ended != RingHeader::no || is_gone;
    };
    if (head_ == tail_)
        wait_until([&] { return text("nothing came in time, after ", tail_, " bytes"); }, has_news);
    const auto used = ring_used(head_, tail_, ring_.size());
    if (!used)
        throw trouble(damaged);
    if (*used != 0)
        return ring_piece(ring_, tail_, *used);
    if (ended == RingHeader::end_of_input)
        return {};
    throw trouble(text("the writer ", ended == RingHeader::given_up ? "gave up" : "died", " after ",
                       tail_, " bytes"));
}

void RingReader::take(std::size_t count) {
    tail_ += count;
    header().tail.store(tail_, std::memory_order_release);
    if (is_lockstep_ && tail_ == head_)
        post_semaphore(header().empty);
    // A writer that found it full does not want to know before.
    if (is_lockstep_ || header().head.load(std::memory_order_relaxed) - tail_ <= ring_.size() / 2)
        notify();
}

void RingReader::finish() {
    header().finished.store(stream_);
    notify();
}

} // namespace ipc
