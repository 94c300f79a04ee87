// SPDX-License-Identifier: MIT
#include "report/name_set.hpp"

#include <unistd.h>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "record/reader.hpp"
#include "report/table.hpp"

namespace ipc {

void NameSet::add(std::string_view name) {
    ObjectName object(name);
    if (!kept_kinds.has_any(object.kinds()))
        throw UsageError(text("'", printable(name),
                              "' goes with its processes; only mq, sem and shm can be removed"));
    Entry& entry = names_.emplace_back(Entry{.name = std::move(object)});
    by_spelling_.emplace(entry.name.canonical(), names_.size() - 1);
    kinds_.add(entry.name.kinds());
}

bool NameSet::find(const std::string& spelling, const Object& object) {
    bool is_named = false;
    const auto [begin, end] = by_spelling_.equal_range(spelling);
    for (auto each = begin; each != end; ++each)
        if (Entry& entry = names_[each->second]; entry.name.matches(object))
            is_named = entry.is_found = true;
    return is_named;
}

bool NameSet::find(const Object& object) {
    bool is_named = find(object.name, object);
    const auto id = object.figures.get(Figure::id);
    if (object.is_system_v() && id && find(text("id:", *id), object))
        is_named = true;
    return is_named;
}

std::vector<std::string_view> NameSet::missing() const {
    std::vector<std::string_view> missing;
    for (const Entry& entry : names_)
        if (!entry.is_found)
            missing.emplace_back(entry.name.text());
    return missing;
}

void add_names_from_stdin(NamesAs form, NameSet& names) {
    constexpr std::size_t longest = 65536; // far above what any of them needs, paths included
    const Format format = form == NamesAs::nul ? Format::nul : Format::line;
    RecordReader reader(STDIN_FILENO, format, false, longest);
    std::string bytes;
    for (std::size_t number = 1; const Record* const record = reader.next(); ++number) {
        const std::string_view read(record->data.data(), record->data.size());
        const std::string where = text("stdin, name ", number);
        if (record->size > longest)
            throw Error(where, text("is longer than ", longest, " bytes"));
        if (form == NamesAs::nul)
            bytes = read;
        else if (!unescape_raw(read, bytes))
            throw Error(where, text("'", printable(read), "' has a backslash that is no \\xNN"));
        try {
            if (bytes.find('\0') != std::string::npos)
                throw UsageError("has a NUL in it");
            names.add(bytes);
        } catch (const UsageError& error) {
            throw Error(where, error.what());
        }
        reader.consume();
    }
}

} // namespace ipc
