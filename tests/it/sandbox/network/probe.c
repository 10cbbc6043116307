// Function code as an attacker would have it: does one attempt for each line of its input and prints what came of it,
// "ok", "E<errno>" or "timeout". No capability is needed to run it.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef IP_UNICAST_IF
#define IP_UNICAST_IF 50
#endif
#ifndef IPV6_UNICAST_IF
#define IPV6_UNICAST_IF 76
#endif

static void failed(void) { printf("E%d\n", errno); }

static int address(const char *text, int port, struct sockaddr_storage *to, socklen_t *length) {
  struct sockaddr_in *v4 = (struct sockaddr_in *)to;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;
  memset(to, 0, sizeof *to);
  if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET, v4->sin_port = htons(port), *length = sizeof *v4;
    return AF_INET;
  }
  if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1) exit(2);
  v6->sin6_family = AF_INET6, v6->sin6_port = htons(port), *length = sizeof *v6;
  if (IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr)) v6->sin6_scope_id = if_nametoindex("eth0");
  return AF_INET6;
}

// Forces the way out by which a packet leaves, past what routes say.
static int force(int fd, int family, const char *how) {
  uint32_t index = htonl(if_nametoindex("eth0"));
  if (!strcmp(how, "device")) return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "eth0", 4);
  if (!strcmp(how, "loopback")) return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2);
  if (!strcmp(how, "unicast"))
    return family == AF_INET ? setsockopt(fd, IPPROTO_IP, IP_UNICAST_IF, &index, sizeof index)
                             : setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_IF, &index, sizeof index);
  return 0;
}

static int ready(int fd, short what, int ms) {
  struct pollfd poller = {.fd = fd, .events = what};
  return poll(&poller, 1, ms) > 0;
}

static void tcp(const char *to_text, int port, const char *how) {
  struct sockaddr_storage to;
  socklen_t length;
  int family = address(to_text, port, &to, &length), error = 0;
  socklen_t error_length = sizeof error;
  int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
  char byte;
  if (fd < 0 || force(fd, family, how) || (connect(fd, (struct sockaddr *)&to, length) && errno != EINPROGRESS)) {
    failed();
  } else if (!ready(fd, POLLOUT, 8000)) {
    puts("timeout");
  } else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_length), error) {
    errno = error, failed();
  } else if (!ready(fd, POLLIN, 8000)) {
    puts("timeout");
  } else {
    // The servers greet with one byte.
    puts(read(fd, &byte, 1) == 1 ? "ok" : "closed");
  }
  if (fd >= 0) close(fd);
}

static void udp(const char *to_text, int port, const char *how) {
  struct sockaddr_storage to;
  socklen_t length;
  int family = address(to_text, port, &to, &length);
  int fd = socket(family, SOCK_DGRAM, 0);
  char byte = 'x', control[CMSG_SPACE(64)] = {0};
  struct iovec part = {&byte, 1};
  struct msghdr message = {.msg_name = &to, .msg_namelen = length, .msg_iov = &part, .msg_iovlen = 1};
  if (!strcmp(how, "pktinfo")) {
    message.msg_control = control;
    struct cmsghdr *head = (struct cmsghdr *)control;
    if (family == AF_INET) {
      message.msg_controllen = CMSG_SPACE(sizeof(struct in_pktinfo));
      head->cmsg_level = IPPROTO_IP, head->cmsg_type = IP_PKTINFO, head->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
      ((struct in_pktinfo *)CMSG_DATA(head))->ipi_ifindex = if_nametoindex("eth0");
    } else {
      message.msg_controllen = CMSG_SPACE(sizeof(struct in6_pktinfo));
      head->cmsg_level = IPPROTO_IPV6, head->cmsg_type = IPV6_PKTINFO, head->cmsg_len = CMSG_LEN(sizeof(struct in6_pktinfo));
      ((struct in6_pktinfo *)CMSG_DATA(head))->ipi6_ifindex = if_nametoindex("eth0");
    }
  }
  // A connected socket hears that nobody listens.
  if (!strcmp(how, "plain") && fd >= 0 && !connect(fd, (struct sockaddr *)&to, length)) message.msg_name = NULL, message.msg_namelen = 0;
  if (fd < 0 || force(fd, family, how) || sendmsg(fd, &message, 0) != 1) {
    failed();
  } else if (!ready(fd, POLLIN, 8000)) {
    puts("timeout");
  } else if (recv(fd, &byte, 1, 0) != 1) {
    failed();
  } else {
    puts("ok");
  }
  if (fd >= 0) close(fd);
}

// Opens a socket of this kind, as "raw" and "packet" sockets are opened to write packets of one's own.
static void open_socket(int family, int type, int protocol) {
  int fd = socket(family, type, protocol);
  if (fd < 0) {
    failed();
    return;
  }
  puts("ok");
  close(fd);
}

// Sends one netlink request and prints what the kernel says of it.
static void ask_kernel(int protocol, void *request, size_t length) {
  int fd = socket(AF_NETLINK, SOCK_RAW, protocol);
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  char answer[4096];
  if (fd < 0 || sendto(fd, request, length, 0, (struct sockaddr *)&kernel, sizeof kernel) < 0) {
    failed();
  } else if (!ready(fd, POLLIN, 8000)) {
    puts("timeout");
  } else {
    ssize_t got = recv(fd, answer, sizeof answer, 0);
    struct nlmsghdr *head = (struct nlmsghdr *)answer;
    if (got > 0 && head->nlmsg_type == NLMSG_ERROR) {
      errno = -((struct nlmsgerr *)NLMSG_DATA(head))->error;
      if (errno) failed(); else puts("ok");
    } else {
      puts("ok");
    }
  }
  if (fd >= 0) close(fd);
}

// `nft flush ruleset`: every table of every family.
static void flush_rules(void) {
  struct { struct nlmsghdr head; struct { uint8_t family, version; uint16_t resource; } body; } batch[3];
  memset(batch, 0, sizeof batch);
  int types[] = {16, (10 << 8) | 2, 17};
  for (int at = 0; at < 3; at++) {
    batch[at].head.nlmsg_len = sizeof batch[at];
    batch[at].head.nlmsg_type = types[at];
    batch[at].head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    batch[at].head.nlmsg_seq = at + 1;
    if (at != 1) batch[at].body.resource = htons(10);
  }
  ask_kernel(NETLINK_NETFILTER, batch, sizeof batch);
}

static void link_down(void) {
  struct { struct nlmsghdr head; struct ifinfomsg body; } request = {
      .head = {sizeof request, RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, 1, 0},
      .body = {.ifi_index = 1, .ifi_change = IFF_UP}};
  ask_kernel(NETLINK_ROUTE, &request, sizeof request);
}

// Sends bytes to the resolver, so many times, and prints the answer, or how many came. 0 times is once, where no answer is
// expected.
static void dns(const char *hex, int times) {
  uint8_t packet[4096], answer[4096];
  size_t length = 0;
  for (unsigned byte; length < sizeof packet && sscanf(hex + 2 * length, "%2x", &byte) == 1; length++) packet[length] = byte;
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_DGRAM, 0), answers = 0;
  ssize_t got = 0;
  if (connect(fd, (struct sockaddr *)&to, sizeof to)) failed();
  for (int sent = 0; sent < times || !sent; sent++) send(fd, packet, length, 0);
  while (ready(fd, POLLIN, times && !answers ? 30000 : 2000) && (got = recv(fd, answer, sizeof answer, 0)) > 0) {
    answers++;
    if (times <= 1) break;
  }
  close(fd);
  if (times > 1) {
    printf("%d\n", answers);
  } else if (!answers) {
    puts("timeout");
  } else {
    for (ssize_t at = 0; at < got; at++) printf("%02x", answer[at]);
    puts("");
  }
}

// The same over a connection.
static void dns_by_tcp(const char *hex) {
  uint8_t packet[4096], answer[16384];
  size_t length = 2, got = 0;
  for (unsigned byte; length < sizeof packet && sscanf(hex + 2 * (length - 2), "%2x", &byte) == 1; length++) packet[length] = byte;
  packet[0] = (length - 2) >> 8, packet[1] = length - 2;
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, (struct sockaddr *)&to, sizeof to)) failed();
  else {
    send(fd, packet, length, 0);
    ssize_t more;
    while ((got < 2 || got < 2u + (answer[0] << 8 | answer[1])) && (more = recv(fd, answer + got, sizeof answer - got, 0)) > 0) got += more;
    if (got <= 2) puts("closed");
    for (size_t at = 2; at < got; at++) printf("%02x%s", answer[at], at + 1 == got ? "\n" : "");
  }
  close(fd);
}

int main(void) {
  static char line[16384], what[32], one[8192], how[32];
  int number;
  puts("here");
  fflush(stdout);
  while (fgets(line, sizeof line, stdin)) {
    strcpy(how, "plain");
    number = 0;
    sscanf(line, "%31s %8191s %d %31s", what, one, &number, how);
    if (!strcmp(what, "tcp")) tcp(one, number, how);
    else if (!strcmp(what, "udp")) udp(one, number, how);
    else if (!strcmp(what, "raw")) open_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    else if (!strcmp(what, "packet")) open_socket(AF_PACKET, SOCK_RAW, htons(3));
    else if (!strcmp(what, "port53")) {
      struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(0x7f000002)};
      int fd = socket(AF_INET, SOCK_DGRAM, 0);
      if (bind(fd, (struct sockaddr *)&to, sizeof to)) failed(); else puts("ok");
      close(fd);
    }
    else if (!strcmp(what, "flush")) flush_rules();
    else if (!strcmp(what, "down")) link_down();
    else if (!strcmp(what, "dns")) dns(one, number);
    else if (!strcmp(what, "dnstcp")) dns_by_tcp(one);
    else puts("what?");
    fflush(stdout);
  }
  return 0;
}
