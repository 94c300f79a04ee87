// SPDX-License-Identifier: MIT
#include "signal/log.hpp"

#include <algorithm>
#include <string_view>

#include "base/json.hpp"
#include "base/text.hpp"
#include "process/procfs.hpp"
#include "signal/names.hpp"

namespace ipc {

namespace {

/// `bytes` as one word.
std::string word(std::string_view bytes) {
    std::string out;
    for (const char c : printable(bytes))
        out += c == ' ' ? "\\x20" : std::string_view(&c, 1);
    return out.empty() ? "-" : out;
}

template <class Number> void append_or_dash(std::string& out, const std::optional<Number>& number) {
    out += ' ';
    if (number)
        append_text(out, *number);
    else
        out += '-';
}

std::string hexadecimal(std::uint64_t n) {
    char digits[24];
    const auto* const end = std::to_chars(digits, digits + sizeof digits, n, 16).ptr;
    return text("0x", std::string_view(digits, static_cast<std::size_t>(end - digits)));
}

} // namespace

void SignalLog::begin_moment() {
    clock_gettime(CLOCK_REALTIME, &now_);
    commands_.clear();
    const std::string micro = text(now_.tv_nsec / 1000);
    fraction_ = std::string(6 - micro.size(), '0') + micro;
    if (as_ == LogAs::json || now_.tv_sec == second_)
        return;
    second_ = now_.tv_sec;
    tm local{};
    char date[64];
    localtime_r(&second_, &local);
    date_.assign(date, strftime(date, sizeof date, "%FT%T", &local));
}

const std::string& SignalLog::command_of(pid_t pid) {
    const auto known = std::find_if(commands_.begin(), commands_.end(),
                                    [=](const auto& entry) { return entry.first == pid; });
    if (known != commands_.end())
        return known->second;
    return commands_.emplace_back(pid, procfs::command(pid)).second;
}

void SignalLog::add(const SignalEvent& event, std::optional<pid_t> receiver) {
    if (as_ == LogAs::json)
        add_json(event, receiver);
    else
        add_words(event, receiver);
}

void SignalLog::add_words(const SignalEvent& event, std::optional<pid_t> receiver) {
    out_ += text(date_, '.', fraction_, ' ',
                 event.signal == 0 ? std::string("-") : signal_name(event.signal), ' ',
                 code_name(event));
    append_or_dash(out_, event.pid);
    append_or_dash(out_, event.uid);
    out_ += text(' ', event.pid ? word(command_of(*event.pid)) : std::string("-"));
    append_or_dash(out_, event.value);
    if (event.status)
        out_ += text(" status=", status_name(event));
    if (event.timer)
        out_ += text(" timer=", *event.timer, " overrun=", *event.overrun);
    if (event.band)
        out_ += text(" band=", *event.band, " fd=", *event.fd);
    if (event.address)
        out_ += text(" address=", hexadecimal(*event.address));
    if (event.syscall)
        out_ += text(" syscall=", *event.syscall);
    if (receiver)
        out_ += text(" to=", *receiver);
    out_ += '\n';
}

void SignalLog::add_json(const SignalEvent& event, std::optional<pid_t> receiver) {
    JsonObject object;
    const auto add = [&](const char* key, const auto& number) {
        if (number)
            object.add_number(key, text(*number));
    };
    object.add_number("time", text(now_.tv_sec, '.', fraction_));
    if (event.signal != 0) {
        object.add("signal", "signal", signal_name(event.signal));
        object.add("number", event.signal);
    }
    object.add("code", "code", code_name(event));
    add("pid", event.pid);
    add("uid", event.uid);
    if (event.pid && !command_of(*event.pid).empty())
        object.add("command", "command_base64", command_of(*event.pid));
    add("value", event.value);
    add("status", event.status);
    add("timer", event.timer);
    add("overrun", event.overrun);
    add("band", event.band);
    add("fd", event.fd);
    add("address", event.address);
    add("syscall", event.syscall);
    add("to", receiver);
    out_ += std::move(object).line();
}

} // namespace ipc
