/*
 * A relay that parses nothing: every byte of every source goes to every sink, in order. It is the floor of what a broker
 * on this kernel can cost: epoll, one read per source, one write per sink.
 *
 * Usage: relay PORT. The first byte of a connection says what it is: 'K' a sink (answered by one 'K'), 'S' a source.
 * A sink whose socket is full is waited for. With the driver's closed loop that lasts moments, and nothing is lost.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 4096, READ_BYTES = 131072, EVENTS_MAX = 64 };
enum role { ROLE_UNKNOWN, ROLE_SINK, ROLE_SOURCE };

static enum role roles[CONNECTIONS_MAX];
static int sinks[CONNECTIONS_MAX];
static int sink_count;
static char buffer[READ_BYTES];

static void give_up(const char *what) {
  perror(what);
  exit(1);
}

static int listen_on(int port) {
  int one = 1;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (listener < 0) give_up("socket");
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0) give_up("bind");
  if (listen(listener, 128) < 0) give_up("listen");
  return listener;
}

static void watch(int poller, int connection) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = connection};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, connection, &event) < 0) give_up("epoll_ctl");
}

static void accept_one(int poller, int listener) {
  int one = 1;
  int connection = accept(listener, NULL, NULL);
  if (connection < 0) return;
  if (connection >= CONNECTIONS_MAX) {
    close(connection);
    return;
  }
  setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  roles[connection] = ROLE_UNKNOWN;
  watch(poller, connection);
}

static void forget(int connection) {
  for (int i = 0; i < sink_count; i++)
    if (sinks[i] == connection) sinks[i--] = sinks[--sink_count];
  close(connection);
}

/* Writes everything, waiting where the socket is full. A sink that broke is forgotten when epoll tells. */
static void write_all(int connection, const char *at, ssize_t bytes) {
  while (bytes > 0) {
    ssize_t written = write(connection, at, (size_t)bytes);
    if (written < 0 && errno == EAGAIN) {
      struct pollfd full = {.fd = connection, .events = POLLOUT};
      poll(&full, 1, -1);
    } else if (written < 0) {
      return;
    } else {
      at += written;
      bytes -= written;
    }
  }
}

static void relay(int connection) {
  const char *at = buffer;
  ssize_t bytes = read(connection, buffer, sizeof buffer);
  if (bytes <= 0) {
    forget(connection);
    return;
  }
  if (roles[connection] == ROLE_UNKNOWN) {
    roles[connection] = *at == 'K' ? ROLE_SINK : ROLE_SOURCE;
    if (roles[connection] == ROLE_SINK) {
      sinks[sink_count++] = connection;
      write_all(connection, "K", 1);
    }
    at++;
    bytes--;
  }
  if (roles[connection] == ROLE_SINK) return;
  for (int i = 0; i < sink_count; i++) write_all(sinks[i], at, bytes);
}

int main(int argc, char **argv) {
  struct epoll_event events[EVENTS_MAX];
  int poller = epoll_create1(0);
  int listener = listen_on(argc > 1 ? atoi(argv[1]) : 0);
  watch(poller, listener);
  for (;;) {
    int count = epoll_wait(poller, events, EVENTS_MAX, -1);
    for (int i = 0; i < count; i++) {
      if (events[i].data.fd == listener)
        accept_one(poller, listener);
      else
        relay(events[i].data.fd);
    }
  }
}
