// SPDX-License-Identifier: MIT
// Messages written as records and read again are the same, in each format, with priorities and
// without, however read(2) cuts the stream.

#include "record/framing.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "fuzz.hpp"
#include "record/reader.hpp"
#include "stream.hpp"

namespace {

using ipc::Format;

struct Message {
    std::string data;
    long priority;
};

constexpr Format formats[] = {Format::line, Format::nul, Format::netstring, Format::json};

constexpr long priorities[] = {
    0,
    1,
    9,
    10,
    32767,
    32768,
    std::numeric_limits<int>::max(),
    -32768,
    -10,
    -1,
    std::numeric_limits<long>::min(),
    std::numeric_limits<long>::max(),
};

/// Most messages are short; some are longer than a block that is read at a time.
constexpr std::size_t repetitions[] = {1, 1, 1, 1, 1, 1, 2, 20, 200, 2000};

constexpr std::size_t longest_stream = std::size_t{256} << 10U;

Message take_message(fuzz::Input& input, Format format) {
    const long priority = priorities[input.choice(std::size(priorities))];
    const std::size_t times = repetitions[input.choice(std::size(repetitions))];
    const std::string_view part = input.take(input.choice(75));
    std::string data;
    for (std::size_t i = 0; i < times; ++i)
        data += part;
    if (ipc::is_delimited(format))
        std::erase(data, ipc::delimiter(format));
    return {data, priority};
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    const Format format = formats[input.choice(std::size(formats))];
    const bool with_priority = input.choice(2) == 1 && format != Format::json;
    const unsigned pieces = input.choice(fuzz::most_pieces + 1);

    const ipc::Framing framing{.format = format, .with_priority = with_priority};
    ipc::Buffer stream;
    std::vector<Message> messages;
    std::size_t longest = 0;
    while (!input.rest().empty() && stream.size() < longest_stream) {
        messages.push_back(take_message(input, format));
        framing.append(stream, messages.back().data, messages.back().priority);
        longest = std::max(longest, messages.back().data.size());
    }

    const std::string_view written(stream.begin(), stream.size());
    const ipc::UniqueFd fd = fuzz::fits_pipe(written, pieces) ? fuzz::open_pipe(written, pieces)
                                                              : fuzz::open_file(written);
    ipc::RecordReader reader(fd.get(), format, with_priority, longest);
    for (const Message& message : messages) {
        const ipc::Record* const record = reader.next();
        fuzz::require(record != nullptr, "no message is lost");
        fuzz::require(record->size == message.data.size() && record->count == 1,
                      "a record has the size of its message");
        fuzz::require(std::equal(record->data.begin(), record->data.end(), message.data.begin(),
                                 message.data.end()),
                      "a message written and read is the same");
        const bool has_priority = with_priority || format == Format::json;
        fuzz::require(record->priority ==
                          (has_priority ? std::optional(message.priority) : std::nullopt),
                      "and so is its priority");
    }
    fuzz::require(reader.next() == nullptr, "no message is invented");
    return 0;
}
