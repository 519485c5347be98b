/*
 * What Node lacks and a failover agent needs: raw, packet, netlink and datagram sockets, a timer finer than a
 * millisecond, scheduling classes and memory locking. System calls in, numbers out; it knows no protocol.
 *
 * Results are a count or 0, or a negative errno. Nothing here throws, save for arguments of a wrong type.
 * Every Node environment (main thread, worker) has a struct environment of its own and there are no globals,
 * so that several in one process do not meet. Node-API version 8 and libuv only: one build runs on Node 20 to 26.
 */
#define _GNU_SOURCE
#define NAPI_VERSION 8
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/if_packet.h>

#include <node_api.h>
#include <uv.h>

/* Shared with src/socket/batch.ts. */
#define MAX_BATCH 64
#define META_FIELDS 8 /* doubles for each message */
#define NAME_SIZE 128
#define DESTINATION_SIZE 16

#define CONTROL_SIZE 256

/* A descriptor that raises more errors than this within one pause is left alone until the pause ends. */
#define ERROR_BURST 16
#define ERROR_PAUSE_MS 10

struct environment {
  napi_env env;
  uv_loop_t *loop;
  napi_async_cleanup_hook_handle hook;
  struct descriptor *first;
  int open_handles;
  bool closing;
};

struct descriptor {
  struct environment *environment;
  struct descriptor *next;
  int fd;
  bool timer;
  bool error_queue;
  bool watched;
  int open_handles;
  uv_poll_t *poll;
  uv_timer_t *pause;
  napi_ref on_readable;
  napi_ref on_error;
  uint64_t burst_began;
  int burst_errors;
};

static napi_value integer(napi_env env, int value) {
  napi_value result = NULL;
  napi_create_int32(env, value, &result);
  return result;
}

static int outcome(int result) { return result < 0 ? -errno : result; }

static struct environment *arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values) {
  void *data = NULL;
  size_t given = count;
  if (napi_get_cb_info(env, info, &given, values, NULL, &data) != napi_ok) return NULL;
  return data;
}

static bool get_int(napi_env env, napi_value value, int *into) {
  return napi_get_value_int32(env, value, into) == napi_ok;
}

static bool get_bytes(napi_env env, napi_value value, void **bytes, size_t *length) {
  napi_typedarray_type type;
  return napi_get_typedarray_info(env, value, &type, length, bytes, NULL, NULL) == napi_ok && type == napi_uint8_array;
}

static bool is_function(napi_env env, napi_value value) {
  napi_valuetype type;
  return napi_typeof(env, value, &type) == napi_ok && type == napi_function;
}

static napi_value refuse(napi_env env) {
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", "viprd.node: argument of a wrong type");
  return NULL;
}

static struct descriptor *find(struct environment *environment, int fd) {
  struct descriptor *descriptor = environment->first;
  while (descriptor != NULL && descriptor->fd != fd) descriptor = descriptor->next;
  return descriptor;
}

static int adopt(struct environment *environment, int fd, bool timer, bool error_queue) {
  struct descriptor *descriptor = calloc(1, sizeof *descriptor);
  if (descriptor == NULL) {
    close(fd);
    return -ENOMEM;
  }
  descriptor->environment = environment;
  descriptor->fd = fd;
  descriptor->timer = timer;
  descriptor->error_queue = error_queue;
  descriptor->next = environment->first;
  environment->first = descriptor;
  return fd;
}

static void end_if_idle(struct environment *environment) {
  if (!environment->closing || environment->open_handles > 0) return;
  napi_remove_async_cleanup_hook(environment->hook);
  free(environment);
}

static void on_handle_closed(uv_handle_t *handle) {
  struct descriptor *descriptor = uv_handle_get_data(handle);
  struct environment *environment = descriptor->environment;
  free(handle);
  environment->open_handles--;
  if (--descriptor->open_handles == 0) free(descriptor);
  end_if_idle(environment);
}

static void drop_reference(napi_env env, napi_ref *reference) {
  if (*reference != NULL) napi_delete_reference(env, *reference);
  *reference = NULL;
}

static int release(struct descriptor *descriptor) {
  struct environment *environment = descriptor->environment;
  struct descriptor **link = &environment->first;
  while (*link != descriptor) link = &(*link)->next;
  *link = descriptor->next;
  drop_reference(environment->env, &descriptor->on_readable);
  drop_reference(environment->env, &descriptor->on_error);
  int fd = descriptor->fd;
  if (descriptor->watched) {
    /* uv_close takes the descriptor out of epoll at once; only the memory waits for the loop. */
    uv_close((uv_handle_t *)descriptor->poll, on_handle_closed);
    uv_close((uv_handle_t *)descriptor->pause, on_handle_closed);
  } else {
    free(descriptor);
  }
  /* Not repeated on EINTR: Linux has freed the descriptor by then. */
  return outcome(close(fd));
}

static void on_teardown(napi_async_cleanup_hook_handle hook, void *data) {
  struct environment *environment = data;
  (void)hook;
  environment->closing = true;
  while (environment->first != NULL) release(environment->first);
  end_if_idle(environment);
}

static napi_value socket_open(napi_env env, napi_callback_info info) {
  napi_value values[3];
  int domain, type, protocol;
  struct environment *environment = arguments(env, info, 3, values);
  if (environment == NULL || !get_int(env, values[0], &domain) || !get_int(env, values[1], &type) ||
      !get_int(env, values[2], &protocol))
    return refuse(env);
  int fd = socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
  bool error_queue = domain == AF_INET || domain == AF_INET6 || domain == AF_PACKET;
  return integer(env, fd < 0 ? -errno : adopt(environment, fd, false, error_queue));
}

static napi_value descriptor_close(napi_env env, napi_callback_info info) {
  napi_value values[1];
  int fd;
  struct environment *environment = arguments(env, info, 1, values);
  if (environment == NULL || !get_int(env, values[0], &fd)) return refuse(env);
  struct descriptor *descriptor = find(environment, fd);
  return integer(env, descriptor == NULL ? -EBADF : release(descriptor));
}

static void call(struct environment *environment, napi_ref reference, size_t count, const napi_value *values) {
  napi_env env = environment->env;
  napi_value function, receiver, error;
  bool pending = false;
  if (reference == NULL || environment->closing) return;
  if (napi_get_reference_value(env, reference, &function) != napi_ok || napi_get_global(env, &receiver) != napi_ok) return;
  if (napi_make_callback(env, NULL, receiver, function, count, values, NULL) == napi_ok) return;
  if (napi_is_exception_pending(env, &pending) != napi_ok || !pending) return;
  if (napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
}

static void call_with_errno(struct descriptor *descriptor, int error) {
  napi_value value = integer(descriptor->environment->env, error);
  if (value != NULL) call(descriptor->environment, descriptor->on_error, 1, &value);
}

static int pending_error(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0 ? errno : error;
}

/*
 * Takes the pending error. What waits in the error queue raises POLLERR as well and must go, or the loop would spin.
 * Only of families that have such a queue: netlink and Unix sockets overlook the flag and would give away a message.
 */
static int take_error(struct descriptor *descriptor) {
  int error = pending_error(descriptor->fd);
  for (int i = 0; descriptor->error_queue && i < MAX_BATCH; i++) {
    struct msghdr message = {.msg_iovlen = 0};
    if (recvmsg(descriptor->fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) break;
    int next = pending_error(descriptor->fd);
    if (error == 0) error = next;
  }
  return error;
}

static void on_poll(uv_poll_t *handle, int status, int events);

static void start_polling(struct descriptor *descriptor) {
  int result = uv_poll_start(descriptor->poll, UV_READABLE, on_poll);
  if (result < 0) call_with_errno(descriptor, -result);
}

static void on_pause_end(uv_timer_t *timer) {
  struct descriptor *descriptor = uv_handle_get_data((uv_handle_t *)timer);
  napi_handle_scope scope;
  if (napi_open_handle_scope(descriptor->environment->env, &scope) != napi_ok) return;
  start_polling(descriptor);
  napi_close_handle_scope(descriptor->environment->env, scope);
}

/*
 * On POLLERR libuv stops the handle and says UV_EBADF, whatever happened. An overrun netlink socket or a packet
 * socket whose link went down is as good as before, so polling starts again: at once for an error that could be
 * taken from the socket, after a pause for one that could not or that comes in bursts.
 */
static void on_poll_error(struct descriptor *descriptor) {
  int error = take_error(descriptor);
  uint64_t now = uv_now(descriptor->environment->loop);
  if (now - descriptor->burst_began >= ERROR_PAUSE_MS) {
    descriptor->burst_began = now;
    descriptor->burst_errors = 0;
  }
  if (error == 0 || ++descriptor->burst_errors > ERROR_BURST)
    uv_timer_start(descriptor->pause, on_pause_end, ERROR_PAUSE_MS, 0);
  else
    start_polling(descriptor);
  if (error != 0) call_with_errno(descriptor, error);
}

static void on_poll(uv_poll_t *handle, int status, int events) {
  struct descriptor *descriptor = uv_handle_get_data((uv_handle_t *)handle);
  napi_env env = descriptor->environment->env;
  napi_handle_scope scope;
  uint64_t expirations;
  (void)events;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  if (status < 0)
    on_poll_error(descriptor);
  else if (!descriptor->timer || read(descriptor->fd, &expirations, sizeof expirations) > 0)
    call(descriptor->environment, descriptor->on_readable, 0, NULL);
  napi_close_handle_scope(env, scope);
}

static int start_watching(struct descriptor *descriptor) {
  struct environment *environment = descriptor->environment;
  if (descriptor->watched) return 0;
  /* Sizes are asked for: the structs grew between the libuv versions that one build meets. */
  uv_poll_t *poll = malloc(uv_handle_size(UV_POLL));
  uv_timer_t *pause = malloc(uv_handle_size(UV_TIMER));
  int result = poll == NULL || pause == NULL ? UV_ENOMEM : uv_poll_init(environment->loop, poll, descriptor->fd);
  if (result < 0) {
    free(poll);
    free(pause);
    return result;
  }
  uv_timer_init(environment->loop, pause);
  uv_handle_set_data((uv_handle_t *)poll, descriptor);
  uv_handle_set_data((uv_handle_t *)pause, descriptor);
  descriptor->poll = poll;
  descriptor->pause = pause;
  descriptor->watched = true;
  descriptor->open_handles = 2;
  environment->open_handles += 2;
  return uv_poll_start(poll, UV_READABLE, on_poll);
}

/* watch(fd, onReadable, onError | undefined): a second call replaces the functions. */
static napi_value descriptor_watch(napi_env env, napi_callback_info info) {
  napi_value values[3];
  int fd;
  struct environment *environment = arguments(env, info, 3, values);
  if (environment == NULL || !get_int(env, values[0], &fd) || !is_function(env, values[1])) return refuse(env);
  struct descriptor *descriptor = find(environment, fd);
  if (descriptor == NULL) return integer(env, -EBADF);
  drop_reference(env, &descriptor->on_readable);
  drop_reference(env, &descriptor->on_error);
  napi_create_reference(env, values[1], 1, &descriptor->on_readable);
  if (is_function(env, values[2])) napi_create_reference(env, values[2], 1, &descriptor->on_error);
  return integer(env, start_watching(descriptor));
}

static napi_value socket_bind(napi_env env, napi_callback_info info) {
  napi_value values[2];
  int fd;
  void *name;
  size_t length;
  if (arguments(env, info, 2, values) == NULL || !get_int(env, values[0], &fd) ||
      !get_bytes(env, values[1], &name, &length))
    return refuse(env);
  return integer(env, outcome(bind(fd, name, (socklen_t)length)));
}

static napi_value socket_connect(napi_env env, napi_callback_info info) {
  napi_value values[2];
  int fd;
  void *name;
  size_t length;
  if (arguments(env, info, 2, values) == NULL || !get_int(env, values[0], &fd) ||
      !get_bytes(env, values[1], &name, &length))
    return refuse(env);
  return integer(env, outcome(connect(fd, name, (socklen_t)length)));
}

/* name(fd, into): the length of the socket's own address. */
static napi_value socket_name(napi_env env, napi_callback_info info) {
  napi_value values[2];
  int fd;
  void *name;
  size_t size;
  if (arguments(env, info, 2, values) == NULL || !get_int(env, values[0], &fd) || !get_bytes(env, values[1], &name, &size))
    return refuse(env);
  socklen_t length = (socklen_t)size;
  int result = getsockname(fd, name, &length);
  return integer(env, result < 0 ? -errno : (int)length);
}

static napi_value socket_set_option(napi_env env, napi_callback_info info) {
  napi_value values[4];
  int fd, level, option;
  void *value;
  size_t length;
  if (arguments(env, info, 4, values) == NULL || !get_int(env, values[0], &fd) || !get_int(env, values[1], &level) ||
      !get_int(env, values[2], &option) || !get_bytes(env, values[3], &value, &length))
    return refuse(env);
  return integer(env, outcome(setsockopt(fd, level, option, value, (socklen_t)length)));
}

/* getOption(fd, level, name, into): the length of the value. */
static napi_value socket_get_option(napi_env env, napi_callback_info info) {
  napi_value values[4];
  int fd, level, option;
  void *value;
  size_t size;
  if (arguments(env, info, 4, values) == NULL || !get_int(env, values[0], &fd) || !get_int(env, values[1], &level) ||
      !get_int(env, values[2], &option) || !get_bytes(env, values[3], &value, &size))
    return refuse(env);
  socklen_t length = (socklen_t)size;
  int result = getsockopt(fd, level, option, value, &length);
  return integer(env, result < 0 ? -errno : (int)length);
}

static napi_value socket_attach_filter(napi_env env, napi_callback_info info) {
  napi_value values[2];
  int fd;
  void *program;
  size_t length;
  if (arguments(env, info, 2, values) == NULL || !get_int(env, values[0], &fd) ||
      !get_bytes(env, values[1], &program, &length))
    return refuse(env);
  if (length % sizeof(struct sock_filter) != 0 || length / sizeof(struct sock_filter) > BPF_MAXINSNS)
    return integer(env, -EINVAL);
  struct sock_fprog filter = {.len = (unsigned short)(length / sizeof(struct sock_filter)), .filter = program};
  return integer(env, outcome(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter)));
}

/* send(fd, bytes, sockaddr | undefined) */
static napi_value socket_send(napi_env env, napi_callback_info info) {
  napi_value values[3];
  int fd;
  void *bytes, *name = NULL;
  size_t length, name_length = 0;
  if (arguments(env, info, 3, values) == NULL || !get_int(env, values[0], &fd) ||
      !get_bytes(env, values[1], &bytes, &length))
    return integer(env, -EINVAL);
  if (!get_bytes(env, values[2], &name, &name_length)) name_length = 0;
  ssize_t sent;
  do sent = sendto(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL, name_length > 0 ? name : NULL, (socklen_t)name_length);
  while (sent < 0 && errno == EINTR);
  return integer(env, sent < 0 ? -errno : (int)sent);
}

/*
 * The clock of timers and arrivals goes on while the machine is suspended: what was to happen meanwhile is overdue
 * afterwards. CLOCK_MONOTONIC would stand still, and a machine that slept for an hour would not know.
 */
#define OUR_CLOCK CLOCK_BOOTTIME
/* A send that runs on a thread of the pool: the kernel may sleep in it, and this thread must not. */
struct errand {
  napi_async_work work;
  napi_ref done;
  int fd;
  int result;
  size_t length;
  unsigned char bytes[];
};

static void run_errand(napi_env env, void *data) {
  (void)env;
  struct errand *errand = data;
  ssize_t sent;
  do sent = send(errand->fd, errand->bytes, errand->length, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  errand->result = sent < 0 ? -errno : (int)sent;
}

static void end_errand(napi_env env, napi_status status, void *data) {
  struct errand *errand = data;
  napi_value done = NULL, receiver, argument = integer(env, status == napi_ok ? errand->result : -ECANCELED);
  napi_get_reference_value(env, errand->done, &done);
  napi_delete_reference(env, errand->done);
  napi_delete_async_work(env, errand->work);
  close(errand->fd);
  free(errand);
  if (status != napi_cancelled && done != NULL && napi_get_global(env, &receiver) == napi_ok)
    napi_call_function(env, receiver, done, 1, &argument, NULL);
}

/* sendAside(fd, bytes, done): done(bytes sent or negative errno), later. The bytes are copied. */
static napi_value socket_send_aside(napi_env env, napi_callback_info info) {
  napi_value values[3], name;
  int fd;
  void *bytes;
  size_t length;
  if (arguments(env, info, 3, values) == NULL || !get_int(env, values[0], &fd) ||
      !get_bytes(env, values[1], &bytes, &length) || !is_function(env, values[2]))
    return refuse(env);
  struct errand *errand = malloc(sizeof *errand + length);
  if (errand == NULL) return integer(env, -ENOMEM);
  errand->length = length;
  memcpy(errand->bytes, bytes, length);
  /* The socket may be closed meanwhile, and its number given to another. */
  errand->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (errand->fd < 0) {
    int error = errno;
    free(errand);
    return integer(env, -error);
  }
  if (napi_create_string_utf8(env, "viprd send", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_reference(env, values[2], 1, &errand->done) != napi_ok) {
    close(errand->fd);
    free(errand);
    return integer(env, -ENOMEM);
  }
  if (napi_create_async_work(env, NULL, name, run_errand, end_errand, errand, &errand->work) != napi_ok) {
    napi_delete_reference(env, errand->done);
    close(errand->fd);
    free(errand);
    return integer(env, -ENOMEM);
  }
  if (napi_queue_async_work(env, errand->work) != napi_ok) {
    napi_delete_async_work(env, errand->work);
    napi_delete_reference(env, errand->done);
    close(errand->fd);
    free(errand);
    return integer(env, -ENOMEM);
  }
  return integer(env, 0);
}

static int64_t nanoseconds(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Our clock minus real time. Read again when something came between the readings. */
static int64_t clock_difference(void) {
  int64_t difference = 0;
  for (int i = 0; i < 4; i++) {
    int64_t before = nanoseconds(OUR_CLOCK);
    int64_t real = nanoseconds(CLOCK_REALTIME);
    int64_t after = nanoseconds(OUR_CLOCK);
    difference = before + (after - before) / 2 - real;
    if (after - before < 20000) break;
  }
  return difference;
}

struct ancillary {
  int ttl;
  int interface_index;
  int destination_length;
  int64_t stamp; /* real time in nanoseconds, 0 without */
};

static struct ancillary read_control(struct msghdr *header, unsigned char *destination) {
  struct ancillary found = {.ttl = -1};
  for (struct cmsghdr *item = CMSG_FIRSTHDR(header); item != NULL; item = CMSG_NXTHDR(header, item)) {
    if (item->cmsg_level == SOL_SOCKET && item->cmsg_type == SCM_TIMESTAMPNS) {
      struct timespec stamp;
      memcpy(&stamp, CMSG_DATA(item), sizeof stamp);
      found.stamp = (int64_t)stamp.tv_sec * 1000000000 + stamp.tv_nsec;
    } else if ((item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_TTL) ||
               (item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_HOPLIMIT)) {
      memcpy(&found.ttl, CMSG_DATA(item), sizeof found.ttl);
    } else if (item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_PKTINFO) {
      struct in_pktinfo info;
      memcpy(&info, CMSG_DATA(item), sizeof info);
      memcpy(destination, &info.ipi_addr, 4);
      found.destination_length = 4;
      found.interface_index = info.ipi_ifindex;
    } else if (item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_PKTINFO) {
      struct in6_pktinfo info;
      memcpy(&info, CMSG_DATA(item), sizeof info);
      memcpy(destination, &info.ipi6_addr, 16);
      found.destination_length = 16;
      found.interface_index = (int)info.ipi6_ifindex;
    }
  }
  if (found.interface_index == 0 && header->msg_namelen >= sizeof(struct sockaddr_ll)) {
    struct sockaddr_ll source;
    memcpy(&source, header->msg_name, sizeof source);
    if (source.sll_family == AF_PACKET) found.interface_index = source.sll_ifindex;
  }
  return found;
}

/*
 * receive(fd, slab, count, slotSize): how many messages came, 0 when none waits. The slab holds, for `count`
 * messages each: META_FIELDS doubles, a name, a destination, a slot of bytes (see src/socket/batch.ts).
 */
static napi_value socket_receive(napi_env env, napi_callback_info info) {
  napi_value values[4];
  int fd, count, slot_size;
  void *slab;
  size_t size;
  if (arguments(env, info, 4, values) == NULL || !get_int(env, values[0], &fd) ||
      napi_get_arraybuffer_info(env, values[1], &slab, &size) != napi_ok || !get_int(env, values[2], &count) ||
      !get_int(env, values[3], &slot_size))
    return integer(env, -EINVAL);
  size_t head = META_FIELDS * sizeof(double) + NAME_SIZE + DESTINATION_SIZE;
  if (count < 1 || count > MAX_BATCH || slot_size < 1 || size < (head + (size_t)slot_size) * (size_t)count)
    return integer(env, -EINVAL);

  double *meta = slab;
  unsigned char *names = (unsigned char *)(meta + (size_t)count * META_FIELDS);
  unsigned char *destinations = names + (size_t)count * NAME_SIZE;
  unsigned char *bytes = destinations + (size_t)count * DESTINATION_SIZE;
  struct mmsghdr messages[MAX_BATCH];
  struct iovec slots[MAX_BATCH];
  _Alignas(struct cmsghdr) unsigned char control[MAX_BATCH][CONTROL_SIZE];
  for (int i = 0; i < count; i++) {
    slots[i] = (struct iovec){.iov_base = bytes + (size_t)i * (size_t)slot_size, .iov_len = (size_t)slot_size};
    /* By name only: musl's struct has padding members between the fields, and they must be zero. */
    messages[i] = (struct mmsghdr){.msg_hdr = {.msg_name = names + (size_t)i * NAME_SIZE,
                                               .msg_namelen = NAME_SIZE,
                                               .msg_iov = &slots[i],
                                               .msg_iovlen = 1,
                                               .msg_control = control[i],
                                               .msg_controllen = CONTROL_SIZE}};
  }
  int received;
  do received = recvmmsg(fd, messages, (unsigned)count, MSG_DONTWAIT, NULL);
  while (received < 0 && errno == EINTR);
  if (received < 0) return integer(env, errno == EAGAIN ? 0 : -errno);

  int64_t now = nanoseconds(OUR_CLOCK);
  int64_t difference = 0;
  for (int i = 0; i < received; i++) {
    struct ancillary found = read_control(&messages[i].msg_hdr, destinations + (size_t)i * DESTINATION_SIZE);
    int64_t at = now;
    if (found.stamp != 0) {
      if (difference == 0) difference = clock_difference();
      at = found.stamp + difference;
      /* A step of the real-time clock between arrival and now must not make an arrival of the future or the far past. */
      if (at > now) at = now;
      if (at < now - 60000000000) at = now - 60000000000;
    }
    double *field = meta + (size_t)i * META_FIELDS;
    field[0] = messages[i].msg_len;
    field[1] = (messages[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
    field[2] = messages[i].msg_hdr.msg_namelen < NAME_SIZE ? messages[i].msg_hdr.msg_namelen : NAME_SIZE;
    field[3] = found.ttl;
    field[4] = found.interface_index;
    field[5] = found.destination_length;
    field[6] = (double)at / 1e6;
  }
  return integer(env, received);
}

/*
 * Many short TCP connections. Thousands of them come and go each second, so they have neither a libuv handle nor a
 * struct descriptor each: one epoll instance watches all of them, and libuv watches that one. Every event disarms its
 * connection, and is told with the error that was pending. A reset ends them (SO_LINGER 0): no TIME_WAIT is left.
 */
#define MAX_EVENTS 256

/* pollOpen(): a descriptor for watch(), readable while one of its connections has an event. */
static napi_value poll_open(napi_env env, napi_callback_info info) {
  struct environment *environment = arguments(env, info, 0, NULL);
  if (environment == NULL) return refuse(env);
  int fd = epoll_create1(EPOLL_CLOEXEC);
  return integer(env, fd < 0 ? -errno : adopt(environment, fd, false, false));
}

/* unref(fd): watching it keeps the process alive no longer. */
static napi_value descriptor_unref(napi_env env, napi_callback_info info) {
  napi_value values[1];
  int fd;
  struct environment *environment = arguments(env, info, 1, values);
  if (environment == NULL || !get_int(env, values[0], &fd)) return refuse(env);
  struct descriptor *descriptor = find(environment, fd);
  if (descriptor == NULL || !descriptor->watched) return integer(env, -EBADF);
  uv_unref((uv_handle_t *)descriptor->poll);
  return integer(env, 0);
}

/* A port that is picked may be the very one that is connected to: without a listener the connection is to itself. */
static bool is_own_address(int fd, const struct sockaddr *to) {
  struct sockaddr_in6 own = {0};
  socklen_t length = sizeof own;
  if (getsockname(fd, (struct sockaddr *)&own, &length) < 0) return false;
  const struct sockaddr_in *own4 = (const void *)&own, *to4 = (const void *)to;
  const struct sockaddr_in6 *to6 = (const void *)to;
  if (own.sin6_family == AF_INET)
    return own4->sin_port == to4->sin_port && own4->sin_addr.s_addr == to4->sin_addr.s_addr;
  return own.sin6_port == to6->sin6_port && memcmp(&own.sin6_addr, &to6->sin6_addr, sizeof own.sin6_addr) == 0;
}

static int begin_stream(int poll, const struct sockaddr *to, socklen_t to_length, const void *from,
                        socklen_t from_length, int mark) {
  int one = 1;
  struct linger reset = {.l_onoff = 1, .l_linger = 0};
  int fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  struct epoll_event event = {.events = EPOLLOUT | EPOLLONESHOT, .data.fd = fd};
  if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) < 0 ||
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0 ||
      (mark != 0 && setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark) < 0) ||
      /* The port is chosen by connect(), which needs it to be free towards one destination only. */
      (from_length > 0 && (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one) < 0 ||
                           bind(fd, from, from_length) < 0)) ||
      (connect(fd, to, to_length) < 0 && errno != EINPROGRESS) || epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) < 0) {
    int error = errno;
    close(fd);
    return -error;
  }
  if (is_own_address(fd, to)) {
    close(fd);
    return -ECONNREFUSED;
  }
  return fd;
}

/* streamOpen(poll, sockaddr, source sockaddr | undefined, mark or 0): a connection that has an event when it is open. */
static napi_value stream_open(napi_env env, napi_callback_info info) {
  napi_value values[4];
  int poll, mark;
  void *to, *from = NULL;
  size_t to_length, from_length = 0;
  if (arguments(env, info, 4, values) == NULL || !get_int(env, values[0], &poll) ||
      !get_bytes(env, values[1], &to, &to_length) || !get_int(env, values[3], &mark))
    return refuse(env);
  if (!get_bytes(env, values[2], &from, &from_length)) from_length = 0;
  if (to_length < sizeof(struct sockaddr_in)) return integer(env, -EINVAL);
  if (((struct sockaddr *)to)->sa_family == AF_INET6 && to_length < sizeof(struct sockaddr_in6))
    return integer(env, -EINVAL);
  return integer(env, begin_stream(poll, to, (socklen_t)to_length, from, (socklen_t)from_length, mark));
}

/* streamEvents(poll, into): how many connections have one; `into` gets a descriptor and an errno or 0 for each. */
static napi_value stream_events(napi_env env, napi_callback_info info) {
  napi_value values[2];
  int poll;
  void *into;
  size_t length;
  napi_typedarray_type type;
  if (arguments(env, info, 2, values) == NULL || !get_int(env, values[0], &poll) ||
      napi_get_typedarray_info(env, values[1], &type, &length, &into, NULL, NULL) != napi_ok || type != napi_int32_array)
    return refuse(env);
  struct epoll_event events[MAX_EVENTS];
  int most = length / 2 < MAX_EVENTS ? (int)(length / 2) : MAX_EVENTS;
  int count;
  do count = epoll_wait(poll, events, most, 0);
  while (count < 0 && errno == EINTR);
  if (count < 0) return integer(env, -errno);
  int32_t *field = into;
  for (int i = 0; i < count; i++) {
    *field++ = events[i].data.fd;
    *field++ = events[i].events & (EPOLLERR | EPOLLHUP) ? pending_error(events[i].data.fd) : 0;
  }
  return integer(env, count);
}

/* streamAwait(poll, fd): its next event is that something can be read. */
static napi_value stream_await(napi_env env, napi_callback_info info) {
  napi_value values[2];
  int poll, fd;
  if (arguments(env, info, 2, values) == NULL || !get_int(env, values[0], &poll) || !get_int(env, values[1], &fd))
    return refuse(env);
  struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.fd = fd};
  return integer(env, outcome(epoll_ctl(poll, EPOLL_CTL_MOD, fd, &event)));
}

/* streamRead(fd, into): how many bytes came, 0 at the end of the stream, -EAGAIN when there are none yet. */
static napi_value stream_read(napi_env env, napi_callback_info info) {
  napi_value values[2];
  int fd;
  void *into;
  size_t length;
  if (arguments(env, info, 2, values) == NULL || !get_int(env, values[0], &fd) ||
      !get_bytes(env, values[1], &into, &length))
    return refuse(env);
  ssize_t count;
  do count = recv(fd, into, length, MSG_DONTWAIT);
  while (count < 0 && errno == EINTR);
  return integer(env, count < 0 ? -errno : (int)count);
}

/* streamClose(poll, fd): with a reset. Only what this poll watches: no other descriptor is closed by mistake. */
static napi_value stream_close(napi_env env, napi_callback_info info) {
  napi_value values[2];
  int poll, fd;
  if (arguments(env, info, 2, values) == NULL || !get_int(env, values[0], &poll) || !get_int(env, values[1], &fd))
    return refuse(env);
  if (epoll_ctl(poll, EPOLL_CTL_DEL, fd, NULL) < 0) return integer(env, -errno);
  return integer(env, outcome(close(fd)));
}

static napi_value clock_now(napi_env env, napi_callback_info info) {
  napi_value result = NULL;
  (void)info;
  napi_create_double(env, (double)nanoseconds(OUR_CLOCK) / 1e6, &result);
  return result;
}

/* Milliseconds that the machine was suspended for since it was started. */
static napi_value clock_suspended(napi_env env, napi_callback_info info) {
  napi_value result = NULL;
  (void)info;
  int64_t monotonic = nanoseconds(CLOCK_MONOTONIC);
  napi_create_double(env, (double)(nanoseconds(CLOCK_BOOTTIME) - monotonic) / 1e6, &result);
  return result;
}

/* Milliseconds of a processor that this thread has had. */
static napi_value clock_thread_time(napi_env env, napi_callback_info info) {
  napi_value result = NULL;
  (void)info;
  napi_create_double(env, (double)nanoseconds(CLOCK_THREAD_CPUTIME_ID) / 1e6, &result);
  return result;
}

static napi_value timer_open(napi_env env, napi_callback_info info) {
  struct environment *environment = arguments(env, info, 0, NULL);
  if (environment == NULL) return refuse(env);
  int fd = timerfd_create(OUR_CLOCK, TFD_CLOEXEC | TFD_NONBLOCK);
  return integer(env, fd < 0 ? -errno : adopt(environment, fd, true, false));
}

/* timerArm(fd, milliseconds on our clock): what is past fires at once; infinity (from 285 years on) disarms. */
static napi_value timer_arm(napi_env env, napi_callback_info info) {
  napi_value values[2];
  int fd;
  double at;
  if (arguments(env, info, 2, values) == NULL || !get_int(env, values[0], &fd) ||
      napi_get_value_double(env, values[1], &at) != napi_ok)
    return refuse(env);
  struct itimerspec setting = {0};
  if (at < 9e12) {
    /* Zero would disarm; rounding up keeps the timer from firing before its time. */
    double wanted = at * 1e6;
    int64_t nanosecond = wanted >= 1 ? (int64_t)wanted : 1;
    if ((double)nanosecond < wanted) nanosecond++;
    setting.it_value.tv_sec = nanosecond / 1000000000;
    setting.it_value.tv_nsec = nanosecond % 1000000000;
  }
  return integer(env, outcome(timerfd_settime(fd, TFD_TIMER_ABSTIME, &setting, NULL)));
}

/* setScheduler(tid, policy, priority). By number: musl's sched_setscheduler only says ENOSYS. */
static napi_value thread_set_scheduler(napi_env env, napi_callback_info info) {
  napi_value values[3];
  int tid, policy, priority;
  if (arguments(env, info, 3, values) == NULL || !get_int(env, values[0], &tid) || !get_int(env, values[1], &policy) ||
      !get_int(env, values[2], &priority))
    return refuse(env);
  int parameter = priority; /* struct sched_param of the kernel */
  return integer(env, outcome((int)syscall(SYS_sched_setscheduler, tid, policy, &parameter)));
}

static napi_value thread_set_nice(napi_env env, napi_callback_info info) {
  napi_value values[2];
  int tid, nice;
  if (arguments(env, info, 2, values) == NULL || !get_int(env, values[0], &tid) || !get_int(env, values[1], &nice))
    return refuse(env);
  return integer(env, outcome(setpriority(PRIO_PROCESS, (id_t)tid, nice)));
}

/* scheduler(tid): [policy, priority, nice] or a negative errno. */
static napi_value thread_scheduler(napi_env env, napi_callback_info info) {
  napi_value values[1], result = NULL;
  int tid, priority = 0;
  if (arguments(env, info, 1, values) == NULL || !get_int(env, values[0], &tid)) return refuse(env);
  int policy = (int)syscall(SYS_sched_getscheduler, tid);
  if (policy < 0 || syscall(SYS_sched_getparam, tid, &priority) < 0) return integer(env, -errno);
  errno = 0;
  int nice = getpriority(PRIO_PROCESS, (id_t)tid);
  if (nice == -1 && errno != 0) return integer(env, -errno);
  napi_create_array_with_length(env, 3, &result);
  napi_set_element(env, result, 0, integer(env, policy));
  napi_set_element(env, result, 1, integer(env, priority));
  napi_set_element(env, result, 2, integer(env, nice));
  return result;
}

/* lockMemory(start, length): numbers of bytes. What lies in memory is locked now, the rest when it is touched. */
static napi_value process_lock_memory(napi_env env, napi_callback_info info) {
  napi_value values[2];
  int64_t start, length;
  if (arguments(env, info, 2, values) == NULL || napi_get_value_int64(env, values[0], &start) != napi_ok ||
      napi_get_value_int64(env, values[1], &length) != napi_ok)
    return refuse(env);
  return integer(env, outcome((int)syscall(SYS_mlock2, (uintptr_t)start, (size_t)length, MLOCK_ONFAULT)));
}

/* setNetworkNamespace(fd): of the calling thread. */
static napi_value thread_set_network_namespace(napi_env env, napi_callback_info info) {
  napi_value values[1];
  int fd;
  if (arguments(env, info, 1, values) == NULL || !get_int(env, values[0], &fd)) return refuse(env);
  return integer(env, outcome(setns(fd, CLONE_NEWNET)));
}

/* control(option, second, third) */
static napi_value process_control(napi_env env, napi_callback_info info) {
  napi_value values[3];
  int option, second, third;
  if (arguments(env, info, 3, values) == NULL || !get_int(env, values[0], &option) ||
      !get_int(env, values[1], &second) || !get_int(env, values[2], &third))
    return refuse(env);
  return integer(env, outcome(prctl(option, (unsigned long)second, (unsigned long)third, 0UL, 0UL)));
}

/* makeFifo(path, mode) */
static napi_value fifo_make(napi_env env, napi_callback_info info) {
  napi_value values[2];
  char path[4096];
  size_t length;
  int mode;
  if (arguments(env, info, 2, values) == NULL || !get_int(env, values[1], &mode) ||
      napi_get_value_string_utf8(env, values[0], path, sizeof path, &length) != napi_ok)
    return refuse(env);
  /* One that was cut off to fit is another path. */
  if (length == sizeof path - 1) return integer(env, -ENAMETOOLONG);
  return integer(env, outcome(mkfifo(path, (mode_t)mode)));
}

static napi_value interface_index(napi_env env, napi_callback_info info) {
  napi_value values[1];
  char name[64];
  size_t length;
  if (arguments(env, info, 1, values) == NULL ||
      napi_get_value_string_utf8(env, values[0], name, sizeof name, &length) != napi_ok)
    return refuse(env);
  unsigned index = if_nametoindex(name);
  return integer(env, index == 0 ? -errno : (int)index);
}

/* The name, or a negative errno. */
static napi_value interface_name(napi_env env, napi_callback_info info) {
  napi_value values[1], result = NULL;
  int index;
  char name[IF_NAMESIZE];
  if (arguments(env, info, 1, values) == NULL || !get_int(env, values[0], &index)) return refuse(env);
  if (if_indextoname((unsigned)index, name) == NULL) return integer(env, -errno);
  napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &result);
  return result;
}

static const struct {
  const char *name;
  napi_callback function;
} functions[] = {
    {"open", socket_open},
    {"close", descriptor_close},
    {"watch", descriptor_watch},
    {"bind", socket_bind},
    {"connect", socket_connect},
    {"name", socket_name},
    {"setOption", socket_set_option},
    {"getOption", socket_get_option},
    {"attachFilter", socket_attach_filter},
    {"send", socket_send},
    {"sendAside", socket_send_aside},
    {"receive", socket_receive},
    {"pollOpen", poll_open},
    {"unref", descriptor_unref},
    {"streamOpen", stream_open},
    {"streamEvents", stream_events},
    {"streamAwait", stream_await},
    {"streamRead", stream_read},
    {"streamClose", stream_close},
    {"now", clock_now},
    {"suspended", clock_suspended},
    {"threadTime", clock_thread_time},
    {"timerOpen", timer_open},
    {"timerArm", timer_arm},
    {"setScheduler", thread_set_scheduler},
    {"setNice", thread_set_nice},
    {"scheduler", thread_scheduler},
    {"lockMemory", process_lock_memory},
    {"control", process_control},
    {"setNetworkNamespace", thread_set_network_namespace},
    {"makeFifo", fifo_make},
    {"interfaceIndex", interface_index},
    {"interfaceName", interface_name},
};

NAPI_MODULE_INIT() {
  struct environment *environment = calloc(1, sizeof *environment);
  if (environment == NULL) return NULL;
  environment->env = env;
  if (napi_get_uv_event_loop(env, &environment->loop) != napi_ok ||
      napi_add_async_cleanup_hook(env, on_teardown, environment, &environment->hook) != napi_ok) {
    free(environment);
    return NULL;
  }
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value function;
    if (napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].function, environment, &function) !=
            napi_ok ||
        napi_set_named_property(env, exports, functions[i].name, function) != napi_ok)
      return NULL;
  }
  return exports;
}
