// SPDX-License-Identifier: MIT
#include "base/json.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include "base/base64.hpp"
#include "base/parse.hpp"

namespace ipc {

namespace {

/// `\uXXXX`; a character above U+FFFF as its two surrogates.
void append_escape(std::string& out, char32_t code) {
    if (code > 0xFFFF) {
        append_escape(out, 0xD800 + ((code - 0x10000) >> 10U));
        code = 0xDC00 + ((code - 0x10000) & 0x3FFU);
    }
    out += "\\u";
    append_hex(out, code, 4);
}

/// How many bytes at the start of `string` are what they are in json and on a terminal.
std::size_t plain_length(std::string_view string) noexcept {
    const auto* const end = std::find_if(string.begin(), string.end(), [](char c) {
        return c < ' ' || c > '~' || c == '"' || c == '\\';
    });
    return static_cast<std::size_t>(end - string.begin());
}

/// `string`, which is UTF-8, in quotes. What is_control() is legal in json but for those of ASCII;
/// a terminal might act on it.
void append_string(std::string& out, std::string_view string) {
    constexpr std::string_view named = "\"\\\b\f\n\r\t";
    out += '"';
    for (;;) {
        const std::size_t plain = plain_length(string);
        out += string.substr(0, plain);
        string.remove_prefix(plain);
        if (string.empty())
            break;
        const std::string_view character = string.substr(0, utf8_sequence(string));
        string.remove_prefix(character.size());
        if (const std::size_t at = named.find(character); at != std::string_view::npos) {
            out += '\\';
            out += "\"\\bfnrt"[at];
        } else if (const char32_t code = code_point(character); is_control(code)) {
            append_escape(out, code);
        } else {
            out += character;
        }
    }
    out += '"';
}

/// RapidJSON does not look at what malloc(3) returns.
struct ThrowingAllocator {
    [[maybe_unused]] static constexpr bool kNeedFree = true;

    static void* Malloc(std::size_t size) { return Realloc(nullptr, 0, size); }

    static void* Realloc(void* old, std::size_t, std::size_t size) {
        if (size == 0) {
            std::free(old);
            return nullptr;
        }
        void* const grown = std::realloc(old, size);
        if (grown == nullptr)
            throw std::bad_alloc();
        return grown;
    }

    static void Free(void* old) { std::free(old); }
};

/// Takes what belongs to a record from RapidJSON's events; numbers come as their text.
class RecordHandler {
  public:
    bool Null() { return other("null"); }
    bool Bool(bool) { return other("a truth value"); }
    bool Int(int) { return false; }
    bool Uint(unsigned) { return false; }
    bool Int64(std::int64_t) { return false; }
    bool Uint64(std::uint64_t) { return false; }
    bool Double(double) { return false; }

    bool RawNumber(const char* digits, rapidjson::SizeType length, bool) {
        if (member() != Member::priority)
            return other("a number");
        const auto value = parse::try_number({digits, length});
        if (!value)
            return reject("priority is not a whole number");
        priority_ = *value;
        return true;
    }

    bool String(const char* string, rapidjson::SizeType length, bool) {
        const std::string_view value(string, length);
        if (!is_utf8(value))
            return reject("a lone surrogate");
        switch (member()) {
        case Member::data:
            data_ = value;
            return true;
        case Member::base64:
            data_ = base64_decode(value);
            return data_ || reject("base64 is malformed");
        case Member::priority:
            return reject("priority is not a whole number");
        case Member::other:
            break;
        }
        return depth_ > 0 || reject("not an object");
    }

    bool StartObject() {
        if (depth_ > 0 && !other("an object"))
            return false;
        ++depth_;
        return true;
    }

    bool Key(const char* string, rapidjson::SizeType length, bool) {
        const std::string_view key(string, length);
        if (!is_utf8(key))
            return reject("a lone surrogate");
        if (depth_ != 1)
            return true;
        member_ = key == "data"       ? Member::data
                  : key == "base64"   ? Member::base64
                  : key == "priority" ? Member::priority
                                      : Member::other;
        if (member_ == Member::priority)
            return ++priorities_ == 1 || reject("priority is there twice");
        if (member_ != Member::other)
            return ++contents_ == 1 || reject("more than one of data and base64");
        return true;
    }

    bool EndObject(rapidjson::SizeType) {
        --depth_;
        return depth_ > 0 || contents_ == 1 || reject("neither data nor base64");
    }

    bool StartArray() {
        if (!other("an array"))
            return false;
        ++depth_;
        return true;
    }

    bool EndArray(rapidjson::SizeType) {
        --depth_;
        return true;
    }

    const std::string& problem() const noexcept { return problem_; }

    JsonRecord take() && { return {.priority = priority_, .data = std::move(*data_)}; }

  private:
    enum class Member : std::uint8_t { other, data, base64, priority };

    /// The record's own member that the value at hand belongs to.
    Member member() const noexcept { return depth_ == 1 ? member_ : Member::other; }

    bool reject(std::string_view problem) {
        problem_ = problem;
        return false;
    }

    /// A value of a type that no member of ours has.
    bool other(std::string_view what) {
        if (depth_ == 0)
            return reject("not an object");
        switch (member()) {
        case Member::data:
        case Member::base64:
            return reject(text(what, " where a string belongs"));
        case Member::priority:
            return reject("priority is not a whole number");
        case Member::other:
            break;
        }
        return true;
    }

    int depth_ = 0;
    Member member_ = Member::other;
    int contents_ = 0;
    int priorities_ = 0;
    std::optional<long> priority_;
    std::optional<std::string> data_;
    std::string problem_;
};

} // namespace

void JsonObject::begin_member(std::string_view key) {
    if (out_.size() > 1)
        out_ += ',';
    append_string(out_, key);
    out_ += ':';
}

void JsonObject::add_number(std::string_view key, std::string_view digits) {
    begin_member(key);
    out_ += digits;
}

void JsonObject::add_numbers(std::string_view key, std::string_view words) {
    begin_member(key);
    out_ += '[';
    for (const char c : words)
        out_ += c == ' ' ? ',' : c;
    out_ += ']';
}

void JsonObject::add(std::string_view key, std::string_view base64_key, std::string_view bytes) {
    const bool is_text = is_utf8(bytes);
    begin_member(is_text ? key : base64_key);
    append_string(out_, is_text ? bytes : std::string_view(base64_encode(bytes)));
}

std::string JsonObject::line() && {
    out_ += "}\n";
    return std::move(out_);
}

JsonRecord parse_json_record(std::string_view text) {
    using namespace rapidjson;
    // Iterative: nesting in a record must not become depth of our stack.
    constexpr unsigned flags =
        kParseIterativeFlag | kParseValidateEncodingFlag | kParseNumbersAsStringsFlag;
    MemoryStream stream(text.data(), text.size());
    RecordHandler handler;
    GenericReader<UTF8<>, UTF8<>, ThrowingAllocator> reader;
    reader.Parse<flags>(stream, handler);
    if (!handler.problem().empty())
        throw Malformed{handler.problem()};
    if (reader.HasParseError())
        throw Malformed{ipc::text("byte ", reader.GetErrorOffset() + 1, ": ",
                                  GetParseError_En(reader.GetParseErrorCode()))};
    if (stream.Tell() != text.size())
        throw Malformed{"something follows the object"};
    return std::move(handler).take();
}

std::string json_record(std::string_view data, long priority) {
    JsonObject object;
    object.add("priority", priority);
    object.add("size", static_cast<std::int64_t>(data.size()));
    object.add("data", "base64", data);
    return std::move(object).line();
}

} // namespace ipc
