// SPDX-License-Identifier: MIT
// Any stream, in any format, however read(2) cuts it: the records are those that the format's
// definition gives for the stream as a whole, and a file is left where the next record begins.

#include "record/reader.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/json.hpp"
#include "base/parse.hpp"
#include "fuzz.hpp"
#include "stream.hpp"

namespace {

using ipc::Format;

constexpr Format formats[] = {Format::line, Format::nul, Format::netstring, Format::json,
                              Format::whole};

constexpr std::size_t limits[] = {0, 1, 2, 3, 8, 20, 64, 500, 5000, 70'000};

/// A priority's digits and tab, and a netstring's length and colon, take no more.
constexpr std::size_t longest_prefix = 21;
constexpr std::size_t longest_head = 20;

struct Expected {
    enum class What : std::uint8_t { record, too_long, malformed, end };
    What what = What::record;
    std::size_t size = 0;
    std::string data = {};
    std::optional<long> priority = {};
    std::size_t length = 0; ///< in the stream, with all that belongs to the record
};
using What = Expected::What;

/// The format's definition, applied to a stream of which all is known.
struct Definition {
    Format format;
    bool with_priority;
    std::size_t limit;

    /// What begins `stream`, behind so many other records.
    Expected first(std::string_view stream, std::uint64_t before) const {
        if (format == Format::whole ? before > 0 : stream.empty())
            return {.what = What::end};
        switch (format) {
        case Format::line:
        case Format::nul:
            return delimited(stream);
        case Format::netstring:
            return netstring(stream);
        case Format::json:
            return json(stream);
        case Format::whole:
            break;
        }
        return message(stream, stream.size());
    }

  private:
    /// A record whose own bytes are these.
    Expected message(std::string_view bytes, std::size_t length) const {
        if (!with_priority)
            return plain(bytes, length);
        const std::size_t prefix = bytes.substr(0, longest_prefix).find('\t') + 1;
        const auto priority = ipc::parse::try_number(bytes.substr(0, prefix == 0 ? 0 : prefix - 1));
        if (!priority && bytes.size() <= limit + longest_prefix)
            return {.what = What::malformed};
        Expected expected = plain(bytes.substr(prefix), length);
        expected.priority = priority;
        return expected;
    }

    Expected plain(std::string_view data, std::size_t length) const {
        if (data.size() > limit)
            return {.what = What::too_long, .size = data.size()};
        return {.size = data.size(), .data = std::string(data), .length = length};
    }

    Expected delimited(std::string_view stream) const {
        const std::string_view bytes = stream.substr(0, stream.find(ipc::delimiter(format)));
        return message(bytes, std::min(bytes.size() + 1, stream.size()));
    }

    Expected netstring(std::string_view stream) const {
        const std::size_t colon = stream.substr(0, longest_head).find(':');
        const std::string_view head = stream.substr(0, colon);
        const auto size = ipc::parse::try_number(head);
        if (colon == std::string_view::npos || !size || head != ipc::text(*size) || *size < 0)
            return {.what = What::malformed};
        const auto wanted = static_cast<std::size_t>(*size);
        const std::string_view bytes = stream.substr(colon + 1, wanted);
        if (wanted > limit + (with_priority ? longest_prefix : 0)) {
            const std::size_t prefix =
                with_priority ? bytes.substr(0, longest_prefix).find('\t') + 1 : 0;
            return {.what = What::too_long, .size = wanted - prefix};
        }
        const std::size_t end = colon + 1 + wanted;
        if (end >= stream.size() || stream[end] != ',')
            return {.what = What::malformed};
        return message(bytes, end + 1);
    }

    Expected json(std::string_view stream) const {
        const std::string_view line = stream.substr(0, stream.find('\n'));
        try {
            const ipc::JsonRecord record = ipc::parse_json_record(line);
            Expected expected = plain(record.data, std::min(line.size() + 1, stream.size()));
            expected.priority = record.priority;
            return expected;
        } catch (const ipc::Malformed&) {
            return {.what = What::malformed};
        }
    }
};

/// A reader, and how much of the stream has been dealt with.
class Reading {
  public:
    Reading(int fd, std::string_view stream, const Definition& definition, bool packed)
        : reader_(fd, definition.format, definition.with_priority, definition.limit), rest_(stream),
          definition_(definition), packed_(packed) {}

    /// One call of the reader. False if it is the last.
    bool step() {
        const Expected expected = definition_.first(rest_, count_);
        try {
            const ipc::Record* const record = packed_ ? reader_.next_pack() : reader_.next();
            fuzz::require(expected.what != What::malformed, "what is malformed is refused");
            fuzz::require((record == nullptr) == (expected.what == What::end),
                          "there are as many records as the stream has");
            if (record == nullptr)
                return false;
            const std::size_t length =
                record->count > 1 ? check_pack(*record) : check_record(*record, expected);
            if (expected.what == What::too_long)
                return false;
            use_headroom(*record);
            count_ += record->count;
            rest_.remove_prefix(length);
            reader_.consume();
            return true;
        } catch (const ipc::Error& error) {
            fuzz::require_harmless(error);
            fuzz::require(expected.what == What::malformed, "what is well-formed is accepted");
            fuzz::require(std::string_view(error.what())
                              .starts_with(ipc::text("stdin: record ", count_ + 1, ": ")),
                          "a record that is malformed is named");
            return false;
        }
    }

    const ipc::RecordReader& reader() const noexcept { return reader_; }
    std::string_view rest() const noexcept { return rest_; }

  private:
    static std::size_t check_record(const ipc::Record& record, const Expected& expected) {
        fuzz::require(record.size == expected.size, "a record has its size");
        fuzz::require(std::equal(record.data.begin(), record.data.end(), expected.data.begin(),
                                 expected.data.end()),
                      "a record has its data, or none if it is too long");
        fuzz::require(expected.what == What::too_long || record.priority == expected.priority,
                      "a record has its priority");
        return expected.length;
    }

    std::size_t check_pack(const ipc::Record& pack) const {
        const char end = ipc::delimiter(definition_.format);
        const std::string_view data(pack.data.data(), pack.data.size());
        fuzz::require(pack.size == data.size() && data.size() <= definition_.limit,
                      "a pack is not too long");
        fuzz::require(rest_.starts_with(data) && rest_.substr(data.size()).starts_with(end),
                      "a pack is what the stream has, up to an end of record");
        const auto ends = static_cast<std::uint64_t>(std::count(data.begin(), data.end(), end));
        fuzz::require(packed_ && pack.count == ends + 1, "a pack counts its records");
        return data.size() + 1;
    }

    /// A System V queue has the type written there.
    static void use_headroom(const ipc::Record& record) {
        std::memset(record.data.data() - ipc::Buffer::headroom, 0xA5, ipc::Buffer::headroom);
    }

    ipc::RecordReader reader_;
    std::string_view rest_;
    const Definition& definition_;
    bool packed_;
    std::uint64_t count_ = 0;
};

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    const Format format = formats[input.choice(std::size(formats))];
    const bool with_priority =
        input.choice(2) == 1 && format != Format::json && format != Format::whole;
    const std::size_t limit = limits[input.choice(std::size(limits))];
    const bool packed = input.choice(2) == 1 && ipc::is_delimited(format) && !with_priority;
    const unsigned pieces = input.choice(fuzz::most_pieces + 1);
    const unsigned calls = input.choice(75); // 0: to the end

    const std::string_view stream = input.rest();
    const bool is_pipe = fuzz::fits_pipe(stream, pieces);
    const ipc::UniqueFd fd = is_pipe ? fuzz::open_pipe(stream, pieces) : fuzz::open_file(stream);
    const Definition definition{format, with_priority, limit};
    Reading reading(fd.get(), stream, definition, packed);
    for (unsigned call = 1; reading.step() && call != calls; ++call) {
    }
    fuzz::require(reading.reader().reposition() != is_pipe, "a file can be repositioned alone");
    if (!is_pipe)
        fuzz::require(lseek(fd.get(), 0, SEEK_CUR) ==
                          static_cast<off_t>(stream.size() - reading.rest().size()),
                      "a file is left where the first record begins that was not dealt with");
    return 0;
}
