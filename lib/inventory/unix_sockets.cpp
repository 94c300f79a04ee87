// SPDX-License-Identifier: MIT
#include "inventory/unix_sockets.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

#include "base/fd.hpp"
#include "process/procfs.hpp"

namespace ipc {

namespace {

constexpr std::uint8_t state_listening = 10; // TCP_LISTEN of netinet/tcp.h

template <class Value> Value value_at(std::string_view bytes) noexcept {
    Value value{};
    std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof value));
    return value;
}

/// Paths end at a NUL, abstract names begin with one and may hold others.
std::string name_of(std::string_view address) {
    if (address.empty() || address.front() != '\0')
        return std::string(address.substr(0, address.find('\0')));
    std::string name(address);
    name.front() = '@';
    return name;
}

void set_attribute(UnixSocket& socket, unsigned type, std::string_view value) {
    switch (type) {
    case UNIX_DIAG_NAME:
        socket.name = name_of(value);
        break;
    case UNIX_DIAG_VFS:
        socket.file = value_at<unix_diag_vfs>(value).udiag_vfs_ino;
        break;
    case UNIX_DIAG_PEER:
        socket.peer = value_at<std::uint32_t>(value);
        break;
    case UNIX_DIAG_UID:
        socket.owner = value_at<std::uint32_t>(value);
        break;
    case UNIX_DIAG_RQLEN: {
        const auto queues = value_at<unix_diag_rqlen>(value);
        socket.received = queues.udiag_rqueue;
        if (socket.is_listening)
            socket.backlog = queues.udiag_wqueue;
        break;
    }
    default:
        break;
    }
}

/// What a message of the kernel tells of a socket.
std::optional<UnixSocket> parse_message(std::string_view bytes) {
    if (bytes.size() < sizeof(unix_diag_msg))
        return std::nullopt;
    const auto message = value_at<unix_diag_msg>(bytes);
    UnixSocket socket;
    socket.inode = message.udiag_ino;
    socket.type = message.udiag_type;
    socket.is_listening = message.udiag_state == state_listening;
    bytes.remove_prefix(NLMSG_ALIGN(sizeof message));
    while (bytes.size() >= sizeof(rtattr)) {
        const auto attribute = value_at<rtattr>(bytes);
        if (attribute.rta_len < sizeof attribute || attribute.rta_len > bytes.size())
            break;
        set_attribute(socket, attribute.rta_type,
                      bytes.substr(sizeof attribute, attribute.rta_len - sizeof attribute));
        bytes.remove_prefix(std::min<std::size_t>(RTA_ALIGN(attribute.rta_len), bytes.size()));
    }
    return socket;
}

/// Takes what is in a datagram. Returns whether more will come, or, below 0, an errno value.
int take(std::string_view datagram, std::vector<UnixSocket>& sockets) {
    while (datagram.size() >= sizeof(nlmsghdr)) {
        const auto header = value_at<nlmsghdr>(datagram);
        if (header.nlmsg_len < sizeof header || header.nlmsg_len > datagram.size())
            return -EBADMSG;
        const std::string_view body =
            datagram.substr(sizeof header, header.nlmsg_len - sizeof header);
        if (header.nlmsg_type == NLMSG_DONE)
            return 0;
        if (header.nlmsg_type == NLMSG_ERROR)
            return value_at<int>(body);
        if (header.nlmsg_type == SOCK_DIAG_BY_FAMILY)
            if (auto socket = parse_message(body); socket && socket->inode != 0)
                sockets.push_back(std::move(*socket));
        datagram.remove_prefix(
            std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), datagram.size()));
    }
    return 1;
}

struct Request {
    nlmsghdr header;
    unix_diag_req body;
};

constexpr Request everything = {.header = {.nlmsg_len = sizeof(Request),
                                           .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                                           .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
                                           .nlmsg_seq = 0,
                                           .nlmsg_pid = 0},
                                .body = {.sdiag_family = AF_UNIX,
                                         .sdiag_protocol = 0,
                                         .pad = 0,
                                         .udiag_states = ~0U,
                                         .udiag_ino = 0,
                                         .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_VFS |
                                                       UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN |
                                                       UDIAG_SHOW_UID,
                                         .udiag_cookie = {0, 0}}};

std::string_view take_word(std::string_view& text) noexcept {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    return word;
}

template <class Number> bool read_number(std::string_view word, Number& value, int base) noexcept {
    const char* const end = word.data() + word.size();
    const auto result = std::from_chars(word.data(), end, value, base);
    return result.ec == std::errc() && result.ptr == end;
}

} // namespace

int try_query_unix_sockets(std::vector<UnixSocket>& sockets) {
    const UniqueFd netlink(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    if (!netlink.is_open() || send(netlink.get(), &everything, sizeof everything, 0) < 0)
        return errno;
    // The kernel makes datagrams of what it is given to read into, of up to 32 KiB.
    std::vector<char> buffer(32768);
    int more = 1;
    while (more > 0) {
        const ssize_t length = recv(netlink.get(), buffer.data(), buffer.size(), MSG_TRUNC);
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0)
            return errno;
        if (length == 0 || static_cast<std::size_t>(length) > buffer.size())
            return EBADMSG;
        more = take({buffer.data(), static_cast<std::size_t>(length)}, sockets);
    }
    return -more;
}

std::optional<UnixSocket> parse_unix_socket(std::string_view line) {
    UnixSocket socket;
    unsigned flags = 0;
    std::uint64_t ignored = 0;
    const std::string_view number = take_word(line);
    if (!number.ends_with(':') || !read_number(number.substr(0, number.size() - 1), ignored, 16))
        return std::nullopt;
    for (int i = 0; i < 2; ++i) // references, protocol
        if (!read_number(take_word(line), ignored, 16))
            return std::nullopt;
    if (!read_number(take_word(line), flags, 16) ||
        !read_number(take_word(line), socket.type, 16) ||
        !read_number(take_word(line), ignored, 16) ||
        !read_number(take_word(line), socket.inode, 10))
        return std::nullopt;
    socket.is_listening = (flags & 0x10000U) != 0; // __SO_ACCEPTCON of linux/net.h
    if (!line.empty())
        socket.name = std::string(line.substr(1));
    return socket;
}

int try_read_unix_sockets(std::vector<UnixSocket>& sockets) {
    std::string content;
    if (const int error = procfs::try_read("/proc/net/unix", content))
        return error;
    std::string_view rest = content;
    bool is_heading = true;
    while (!rest.empty()) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        if (auto socket = parse_unix_socket(line))
            sockets.push_back(std::move(*socket));
        else if (!is_heading && !sockets.empty()) // names are shown as they are
            sockets.back().name.append(1, '\n').append(line);
        is_heading = false;
    }
    std::erase_if(sockets, [](const UnixSocket& socket) { return socket.inode == 0; });
    return 0;
}

} // namespace ipc
