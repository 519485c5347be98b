/*
 * A host of the farm, a server and a client in one: it does what the test tells it on stdin, a command a line, and
 * answers on stdout. As a server it says its name, over TCP at once and then each line back; over UDP and HTTP it answers
 * with it. In C and static because a farm starts many of them in an emulated machine. Ends with its stdin.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_THINGS = 256, MAX_NAMES = 16, TEXT = 64 };

/** Something with an id that lives until it is ended: a server, a loop of questions or a flow. */
struct thing {
  bool used, running;
  char kind[8];
  int fd, port, pause;
  struct sockaddr_storage address;
  socklen_t length;
  pthread_t thread;
  int names;
  struct { char text[TEXT]; long count; } counts[MAX_NAMES];
  char server[TEXT], ended[TEXT];
  long sent, returned;
  /* Connections of a server. */
  int connections[1024];
};

/** A question on its own. */
struct question {
  char id[TEXT];
  struct thing what;
  int timeout;
};

static const char *name;
static int http_status = 200;
static struct thing things[MAX_THINGS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void say(const char *format, ...) {
  char line[2048];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(line, sizeof line - 1, format, arguments);
  va_end(arguments);
  line[length++] = '\n';
  if (write(STDOUT_FILENO, line, length) != length) _exit(1);
}

static bool parse(struct thing *thing, const char *kind, const char *address, int port) {
  snprintf(thing->kind, sizeof thing->kind, "%s", kind);
  thing->port = port;
  struct sockaddr_in *v4 = (struct sockaddr_in *)&thing->address;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&thing->address;
  if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    thing->length = sizeof *v4;
    return true;
  }
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(port);
  thing->length = sizeof *v6;
  return inet_pton(AF_INET6, address, &v6->sin6_addr) == 1;
}

static int open_socket(const struct thing *thing) {
  bool datagrams = strcmp(thing->kind, "udp") == 0;
  return socket(thing->address.ss_family, (datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
}

/** A datagram without the end of its line; false with the error's name in `line`. */
static bool read_datagram(int fd, char *line, int timeout) {
  struct pollfd entry = { .fd = fd, .events = POLLIN };
  if (poll(&entry, 1, timeout) == 0) return strcpy(line, "TIMEOUT"), false;
  ssize_t got = recv(fd, line, TEXT - 1, 0);
  if (got < 0) return strcpy(line, strerrorname_np(errno)), false;
  line[got] = 0;
  line[strcspn(line, "\n")] = 0;
  return true;
}

/** Reads a line without its end; false with the error's name in `line`. */
static bool read_line(int fd, char *line, int timeout) {
  int length = 0;
  for (;;) {
    struct pollfd entry = { .fd = fd, .events = POLLIN };
    int ready = poll(&entry, 1, timeout);
    if (ready == 0) return strcpy(line, "TIMEOUT"), false;
    ssize_t got = recv(fd, line + length, 1, 0);
    if (got == 0) return strcpy(line, "CLOSED"), false;
    if (got < 0) return strcpy(line, strerrorname_np(errno)), false;
    if (line[length] == '\n') return line[length] = 0, true;
    if (length < TEXT - 2) length++;
  }
}

static bool connected(int fd, const struct thing *to, char *why, int timeout) {
  fcntl(fd, F_SETFL, O_NONBLOCK);
  int result = connect(fd, (const struct sockaddr *)&to->address, to->length);
  if (result < 0 && errno != EINPROGRESS) return strcpy(why, strerrorname_np(errno)), false;
  struct pollfd entry = { .fd = fd, .events = POLLOUT };
  if (result < 0 && poll(&entry, 1, timeout) == 0) return strcpy(why, "TIMEOUT"), false;
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return strcpy(why, strerrorname_np(error)), false;
  fcntl(fd, F_SETFL, 0);
  return true;
}

/** Who answers, or why nobody does. */
static bool ask(const struct thing *to, char *answer, int timeout) {
  int fd = open_socket(to);
  if (fd < 0) return strcpy(answer, strerrorname_np(errno)), false;
  bool done = connected(fd, to, answer, timeout);
  if (done && strcmp(to->kind, "udp") != 0) done = read_line(fd, answer, timeout);
  else if (done && send(fd, "?\n", 2, 0) == 2) done = read_datagram(fd, answer, timeout);
  else if (done) done = (strcpy(answer, strerrorname_np(errno)), false);
  close(fd);
  return done;
}

static void *ask_once(void *argument) {
  struct question *question = argument;
  char answer[TEXT];
  bool done = ask(&question->what, answer, question->timeout);
  say("%s %s %s", question->id, done ? "ok" : "error", answer);
  free(question);
  return NULL;
}

static void *ask_always(void *argument) {
  struct thing *loop = argument;
  while (loop->running) {
    char answer[TEXT];
    ask(loop, answer, 5000);
    pthread_mutex_lock(&lock);
    int index = 0;
    while (index < loop->names && strcmp(loop->counts[index].text, answer) != 0) index++;
    if (index == loop->names && index < MAX_NAMES) strcpy(loop->counts[loop->names++].text, answer);
    if (index < MAX_NAMES) loop->counts[index].count++;
    pthread_mutex_unlock(&lock);
    if (loop->pause > 0) usleep(loop->pause * 1000);
  }
  return NULL;
}

/** One line each `pause` milliseconds, whose return is counted. */
static void *run_flow(void *argument) {
  struct thing *flow = argument;
  char line[TEXT];
  struct timespec next, now;
  clock_gettime(CLOCK_MONOTONIC, &next);
  while (flow->running) {
    clock_gettime(CLOCK_MONOTONIC, &now);
    long wait = (next.tv_sec - now.tv_sec) * 1000 + (next.tv_nsec - now.tv_nsec) / 1000000;
    if (wait <= 0) {
      int length = snprintf(line, sizeof line, "%ld\n", ++flow->sent);
      if (send(flow->fd, line, length, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN) {
        strcpy(flow->ended, strerrorname_np(errno));
        break;
      }
      next = now;
      next.tv_nsec += flow->pause * 1000000L;
      next.tv_sec += next.tv_nsec / 1000000000;
      next.tv_nsec %= 1000000000;
      continue;
    }
    struct pollfd entry = { .fd = flow->fd, .events = POLLIN };
    if (poll(&entry, 1, wait) <= 0) continue;
    if (!read_line(flow->fd, line, 5000)) {
      strcpy(flow->ended, line);
      break;
    }
    flow->returned++;
  }
  close(flow->fd);
  return NULL;
}

static void *serve_connection(void *argument) {
  int *slot = argument, fd = *slot;
  char line[TEXT];
  struct thing *server = NULL;
  for (int i = 0; i < MAX_THINGS; i++)
    if (slot >= things[i].connections && slot < things[i].connections + 1024) server = &things[i];
  if (strcmp(server->kind, "http") == 0) {
    while (read_line(fd, line, 10000) && strcmp(line, "\r") != 0) continue;
    dprintf(fd, "HTTP/1.1 %d Said\r\nconnection: close\r\ncontent-length: %zu\r\n\r\n%s\n", http_status, strlen(name) + 1,
            name);
  } else {
    dprintf(fd, "%s\n", name);
    while (read_line(fd, line, -1)) dprintf(fd, "%s\n", line);
  }
  pthread_mutex_lock(&lock);
  *slot = -1;
  close(fd);
  pthread_mutex_unlock(&lock);
  return NULL;
}

static void *serve(void *argument) {
  struct thing *server = argument;
  if (strcmp(server->kind, "udp") == 0) {
    char text[2048], answer[TEXT];
    struct sockaddr_storage from;
    socklen_t size = sizeof from;
    int length = snprintf(answer, sizeof answer, "%s\n", name);
    while (recvfrom(server->fd, text, sizeof text, 0, (struct sockaddr *)&from, &size) >= 0 && server->running) {
      sendto(server->fd, answer, length, 0, (struct sockaddr *)&from, size);
      size = sizeof from;
    }
    return NULL;
  }
  for (;;) {
    int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0 && errno == ECONNABORTED) continue;
    if (fd < 0) return NULL;
    pthread_mutex_lock(&lock);
    int index = 0;
    while (index < 1023 && server->connections[index] != -1) index++;
    server->connections[index] = fd;
    pthread_mutex_unlock(&lock);
    pthread_t thread;
    pthread_create(&thread, NULL, serve_connection, &server->connections[index]);
    pthread_detach(thread);
  }
}

static const char *listen_on(struct thing *server) {
  int on = 1;
  server->fd = open_socket(server);
  if (server->fd < 0) return strerrorname_np(errno);
  setsockopt(server->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(server->fd, (struct sockaddr *)&server->address, server->length) < 0) return strerrorname_np(errno);
  if (strcmp(server->kind, "udp") != 0 && listen(server->fd, 1024) < 0) return strerrorname_np(errno);
  for (int i = 0; i < 1024; i++) server->connections[i] = -1;
  pthread_create(&server->thread, NULL, serve, server);
  return NULL;
}

/** Nothing listens any more, and every connection ends with a reset. */
static void close_server(struct thing *server) {
  struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
  shutdown(server->fd, SHUT_RDWR);
  pthread_join(server->thread, NULL);
  close(server->fd);
  pthread_mutex_lock(&lock);
  for (int i = 0; i < 1024; i++)
    if (server->connections[i] != -1) connect(server->connections[i], &nowhere, sizeof nowhere);
  pthread_mutex_unlock(&lock);
}

static struct thing *new_thing(int id) {
  struct thing *thing = &things[id % MAX_THINGS];
  memset(thing, 0, sizeof *thing);
  thing->used = thing->running = true;
  return thing;
}

static void tell_counts(const char *request, struct thing *loop) {
  char text[1024] = "";
  pthread_mutex_lock(&lock);
  for (int i = 0; i < loop->names; i++)
    sprintf(text + strlen(text), "%s\"%s\":%ld", i == 0 ? "" : ",", loop->counts[i].text, loop->counts[i].count);
  pthread_mutex_unlock(&lock);
  say("%s ok {%s}", request, text);
}

static void start_flow(const char *request, struct thing *flow) {
  flow->fd = open_socket(flow);
  if (!connected(flow->fd, flow, flow->ended, 5000) || !read_line(flow->fd, flow->server, 5000)) {
    say("%s error %s", request, flow->ended[0] != 0 ? flow->ended : flow->server);
    close(flow->fd);
    return;
  }
  pthread_create(&flow->thread, NULL, run_flow, flow);
  say("%s ok %s", request, flow->server);
}

/** REQUEST ACTION ID KIND ADDRESS PORT NUMBER; what an action does not need is "-" or 0. */
static void obey(const char *line) {
  char request[TEXT], action[TEXT], kind[TEXT], address[TEXT];
  int id, port, number;
  if (sscanf(line, "%63s %63s %d %63s %63s %d %d", request, action, &id, kind, address, &port, &number) != 7) {
    fprintf(stderr, "%s: not understood: %s", name, line);
    exit(1);
  }
  struct thing *known = &things[id % MAX_THINGS];
  if (strcmp(action, "answer") == 0) {
    http_status = number;
    say("%s ok", request);
  } else if (strcmp(action, "ask") == 0) {
    struct question *question = calloc(1, sizeof *question);
    strcpy(question->id, request);
    question->timeout = number;
    pthread_t thread;
    if (!parse(&question->what, kind, address, port)) say("%s error EINVAL", request);
    else if (pthread_create(&thread, NULL, ask_once, question) == 0) pthread_detach(thread);
  } else if (strcmp(action, "listen") == 0) {
    struct thing *server = new_thing(id);
    const char *why = parse(server, kind, address, port) ? listen_on(server) : "EINVAL";
    say(why == NULL ? "%s ok" : "%s error %s", request, why);
  } else if (strcmp(action, "close") == 0) {
    known->running = false;
    close_server(known);
    say("%s ok", request);
  } else if (strcmp(action, "loop") == 0) {
    struct thing *loop = new_thing(id);
    loop->pause = number;
    if (!parse(loop, kind, address, port)) say("%s error EINVAL", request);
    else if (pthread_create(&loop->thread, NULL, ask_always, loop) == 0) say("%s ok", request);
  } else if (strcmp(action, "counts") == 0) {
    tell_counts(request, known);
  } else if (strcmp(action, "unloop") == 0) {
    known->running = false;
    pthread_join(known->thread, NULL);
    tell_counts(request, known);
  } else if (strcmp(action, "flow") == 0) {
    struct thing *flow = new_thing(id);
    flow->pause = number;
    if (!parse(flow, kind, address, port)) say("%s error EINVAL", request);
    else start_flow(request, flow);
  } else if (strcmp(action, "state") == 0) {
    say("%s ok {\"server\":\"%s\",\"sent\":%ld,\"returned\":%ld,\"ended\":\"%s\"}", request, known->server, known->sent,
        known->returned, known->ended);
  } else if (strcmp(action, "unflow") == 0) {
    /* Ends with a reset: what is closed in an orderly way is remembered by the director for two minutes. */
    struct linger none = { .l_onoff = 1 };
    setsockopt(known->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    known->running = false;
    pthread_join(known->thread, NULL);
    say("%s ok", request);
  } else {
    say("%s error UNKNOWN", request);
  }
}

int main(int count, char **arguments) {
  name = count > 1 ? arguments[1] : "peer";
  signal(SIGPIPE, SIG_IGN);
  say("ready ok");
  char line[512];
  while (fgets(line, sizeof line, stdin) != NULL) obey(line);
  return 0;
}
