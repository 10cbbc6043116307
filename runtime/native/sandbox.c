// What the bootstrap must ask of the system and of V8 and JavaScript has no words for. Loading it makes this process
// undumpable; of its functions two lower limits, one tells whether the event loop has anything to do, and two have the event
// loop tell when the gateway has written. One file serves Node.js 20, 22 and 24: the module speaks Node-API, which is
// stable, and V8's few functions are named as C++ compilers name them and looked for when it is loaded. No header of
// Node.js's is needed to build it.

#define _GNU_SOURCE
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

typedef struct napi_env__ *napi_env;
typedef struct napi_value__ *napi_value;
typedef struct napi_callback_info__ *napi_callback_info;
typedef struct napi_ref__ *napi_ref;
typedef struct napi_handle_scope__ *napi_handle_scope;
typedef napi_value (*napi_callback)(napi_env env, napi_callback_info info);

extern int napi_create_function(napi_env env, const char *name, size_t length, napi_callback call, void *data,
                                napi_value *result);
extern int napi_set_named_property(napi_env env, napi_value object, const char *name, napi_value value);
extern int napi_get_cb_info(napi_env env, napi_callback_info info, size_t *count, napi_value *arguments,
                            napi_value *self, void **data);
extern int napi_get_value_int64(napi_env env, napi_value value, int64_t *result);
extern int napi_get_boolean(napi_env env, bool value, napi_value *result);
extern int napi_get_uv_event_loop(napi_env env, void **loop);
extern int napi_create_reference(napi_env env, napi_value value, uint32_t count, napi_ref *result);
extern int napi_get_reference_value(napi_env env, napi_ref reference, napi_value *result);
extern int napi_get_global(napi_env env, napi_value *result);
extern int napi_open_handle_scope(napi_env env, napi_handle_scope *result);
extern int napi_close_handle_scope(napi_env env, napi_handle_scope scope);
extern int napi_make_callback(napi_env env, void *async_context, napi_value self, napi_value function, size_t count,
                              const napi_value *arguments, napi_value *result);
extern int napi_get_and_clear_last_exception(napi_env env, napi_value *result);
extern int napi_fatal_exception(napi_env env, napi_value error);
extern int napi_throw_error(napi_env env, const char *code, const char *message);

// libuv: whether a loop has active and referenced handles, active requests or closing handles.
extern int uv_loop_alive(const void *loop);
// Its handle that waits for a descriptor, and the numbers by which uv.h knows it and what it waits for.
extern size_t uv_handle_size(int type);
extern int uv_poll_init(void *loop, void *handle, int fd);
extern int uv_poll_start(void *handle, int events, void (*call)(void *handle, int status, int events));
extern int uv_poll_stop(void *handle);
extern void uv_unref(void *handle);
#define UV_POLL 8
#define UV_READABLE 1

// v8::Isolate and v8::V8 (v8-isolate.h, v8-initialization.h). Weak: a Node.js that lacks one is told of by name.
typedef size_t (*near_heap_limit)(void *data, size_t current, size_t initial);
typedef void (*out_of_memory)(const char *location, const void *details);
extern void *isolate_current(void) __asm__("_ZN2v87Isolate10GetCurrentEv") __attribute__((weak));
extern void isolate_add_near_heap_limit(void *isolate, near_heap_limit call, void *data) __asm__(
    "_ZN2v87Isolate24AddNearHeapLimitCallbackEPFmPvmmES1_") __attribute__((weak));
extern void isolate_remove_near_heap_limit(void *isolate, near_heap_limit call, size_t limit) __asm__(
    "_ZN2v87Isolate27RemoveNearHeapLimitCallbackEPFmPvmmEm") __attribute__((weak));
extern void isolate_set_out_of_memory(void *isolate, out_of_memory call) __asm__(
    "_ZN2v87Isolate18SetOOMErrorHandlerEPFvPKcRKNS_10OOMDetailsEE") __attribute__((weak));
extern void v8_set_out_of_memory(out_of_memory call) __asm__(
    "_ZN2v82V827SetFatalMemoryErrorCallbackEPFvPKcRKNS_10OOMDetailsEE") __attribute__((weak));
extern void v8_set_flags(const char *flags, size_t length) __asm__("_ZN2v82V818SetFlagsFromStringEPKcm")
    __attribute__((weak));
// std::set_new_handler, where Node.js brings the C++ library as one of its own.
extern void *cxx_set_new_handler(void (*call)(void)) __asm__("_ZSt15set_new_handlerPFvvE") __attribute__((weak));

// A process that has run out of memory ends by this signal, which nothing on Linux sends. It is how the gateway knows the
// cause: `sandbox::Exit::OutOfMemory`.
#define OUT_OF_MEMORY SIGSTKFLT

#define MIB ((uint64_t)1 << 20)
// Private memory that a fresh Node.js has only if what is set aside for code counts: else it has 50 MiB.
#define CODE_COUNTED (300 * MIB)

static _Noreturn void end_out_of_memory(const char *where) {
  // Neither allocates nor takes locks: there is no memory for the one, and another thread may hold the others.
  static const char before[] = "FATAL ERROR: ";
  static const char after[] = " - JavaScript heap out of memory\n";
  if (write(STDERR_FILENO, before, sizeof before - 1) < 0 || write(STDERR_FILENO, where, strlen(where)) < 0 ||
      write(STDERR_FILENO, after, sizeof after - 1) < 0) {
    // Nobody reads what it says. It ends all the same.
  }
  signal(OUT_OF_MEMORY, SIG_DFL);
  sigset_t own;
  sigemptyset(&own);
  sigaddset(&own, OUT_OF_MEMORY);
  sigprocmask(SIG_UNBLOCK, &own, NULL);
  kill(getpid(), OUT_OF_MEMORY);
  _exit(128 + OUT_OF_MEMORY);
}

static void v8_out_of_memory(const char *location, const void *details) {
  (void)details;
  end_out_of_memory(location == NULL ? "Allocation failed" : location);
}

static void cxx_out_of_memory(void) { end_out_of_memory("operator new failed"); }

static size_t as_it_is(void *data, size_t current, size_t initial) {
  (void)data;
  (void)initial;
  return current;
}

// The first argument, a number of MiB; false after having thrown.
static bool mebibytes(napi_env env, napi_callback_info info, uint64_t *bytes) {
  size_t count = 1;
  napi_value argument;
  int64_t value = 0;
  if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != 0 || count != 1 ||
      napi_get_value_int64(env, argument, &value) != 0 || value <= 0 || value > INT32_MAX) {
    napi_throw_error(env, NULL, "a number of MiB is wanted");
    return false;
  }
  *bytes = (uint64_t)value * MIB;
  return true;
}

// Lowers the heap's limit of the isolate that calls, and that of worker threads to come. V8 takes a limit back to a given
// value when a callback is removed that could have raised it; it never raises one so. (`node:v8` has a function for flags,
// but half a MiB and several milliseconds hang from that module.)
static napi_value set_heap_limit(napi_env env, napi_callback_info info) {
  uint64_t bytes;
  if (!mebibytes(env, info, &bytes)) {
    return NULL;
  }
  void *isolate = isolate_current();
  isolate_set_out_of_memory(isolate, v8_out_of_memory);
  isolate_add_near_heap_limit(isolate, as_it_is, NULL);
  isolate_remove_near_heap_limit(isolate, as_it_is, bytes);
  char flag[48];
  int length = snprintf(flag, sizeof flag, "--max-old-space-size=%u", (unsigned)(bytes / MIB));
  v8_set_flags(flag, (size_t)length);
  return NULL;
}

// The private writable memory that this process has now, in bytes; 0 if it cannot be told.
static uint64_t data_now(void) {
  uint64_t kibibytes = 0;
  char line[256];
  FILE *status = fopen("/proc/self/status", "re");
  while (status != NULL && fgets(line, sizeof line, status) != NULL) {
    if (strncmp(line, "VmData:", 7) == 0) {
      kibibytes = strtoull(line + 7, NULL, 10);
      break;
    }
  }
  if (status != NULL) {
    fclose(status);
  }
  return kibibytes * 1024;
}

// Limits private writable memory, of this process and of each that it starts, to what it has now and so much more.
//
// Newer versions of V8 (Node.js 24) map 512 MiB for code as writable in every thread that runs JavaScript. None of it is
// used, all of it would count, and the first worker thread would end the process: there this limit does not fit.
static napi_value set_data_limit(napi_env env, napi_callback_info info) {
  uint64_t bytes;
  if (!mebibytes(env, info, &bytes)) {
    return NULL;
  }
  uint64_t now = data_now();
  if (now > CODE_COUNTED) {
    return NULL;
  }
  struct rlimit limit = {.rlim_cur = now + bytes, .rlim_max = now + bytes};
  if (now == 0 || setrlimit(RLIMIT_DATA, &limit) != 0) {
    napi_throw_error(env, NULL, "the limit of private memory could not be set");
  }
  return NULL;
}

// Whether the event loop waits for anything or has anything to run: timers, immediates, sockets, threads, processes.
static napi_value is_loop_alive(napi_env env, napi_callback_info info) {
  (void)info;
  void *loop = NULL;
  napi_value result = NULL;
  if (napi_get_uv_event_loop(env, &loop) != 0 || napi_get_boolean(env, uv_loop_alive(loop) != 0, &result) != 0) {
    napi_throw_error(env, NULL, "the event loop could not be asked");
  }
  return result;
}

// What waits for the gateway's next frame, made when it is first wanted and kept. It does not keep the event loop alive.
static struct {
  napi_env env;
  napi_ref callback;
  void *handle;
} watched;

static void on_readable(void *handle, int status, int events) {
  (void)events;
  napi_handle_scope scope;
  napi_value self;
  napi_value callback;
  napi_value result;
  napi_env env = watched.env;
  if (status < 0) {
    uv_poll_stop(handle);
    return;
  }
  if (napi_open_handle_scope(env, &scope) != 0) {
    return;
  }
  if (napi_get_global(env, &self) == 0 && napi_get_reference_value(env, watched.callback, &callback) == 0 &&
      napi_make_callback(env, NULL, self, callback, 0, NULL, &result) != 0 &&
      napi_get_and_clear_last_exception(env, &result) == 0) {
    napi_fatal_exception(env, result);
  }
  napi_close_handle_scope(env, scope);
}

// A descriptor that can be read when `fd` can. libuv makes what it watches non-blocking, and that is a matter of the socket and
// not of the descriptor: watched itself, it would not block any more where the bootstrap waits for an INVOKE.
static int stand_in(int fd) {
  int set = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event readable = {.events = EPOLLIN};
  if (set >= 0 && epoll_ctl(set, EPOLL_CTL_ADD, fd, &readable) != 0) {
    close(set);
    return -1;
  }
  return set;
}

static bool set_up_watch(napi_env env, int fd, napi_value callback) {
  void *loop = NULL;
  int set = stand_in(fd);
  void *handle = set < 0 ? NULL : malloc(uv_handle_size(UV_POLL));
  if (handle == NULL || napi_get_uv_event_loop(env, &loop) != 0 ||
      napi_create_reference(env, callback, 1, &watched.callback) != 0 || uv_poll_init(loop, handle, set) != 0) {
    free(handle);
    if (set >= 0) {
      close(set);
    }
    return false;
  }
  uv_unref(handle);
  watched.env = env;
  watched.handle = handle;
  return true;
}

// The first argument, a descriptor, is watched; whenever it can be read the second is called. Where that cannot be, nothing is
// ever told, and the gateway ends what does not stop.
static napi_value watch(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  int64_t fd = -1;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != 0 || count != 2 ||
      napi_get_value_int64(env, arguments[0], &fd) != 0 || fd < 0 || fd > INT32_MAX ||
      (watched.handle != NULL && watched.env != env)) {
    napi_throw_error(env, NULL, "a descriptor and a function are wanted");
    return NULL;
  }
  if (watched.handle != NULL || set_up_watch(env, (int)fd, arguments[1])) {
    uv_poll_start(watched.handle, UV_READABLE, on_readable);
  }
  return NULL;
}

static napi_value unwatch(napi_env env, napi_callback_info info) {
  (void)info;
  if (watched.handle != NULL && watched.env == env) {
    uv_poll_stop(watched.handle);
  }
  return NULL;
}

static void export(napi_env env, napi_value exports, const char *name, napi_callback call) {
  napi_value function;
  if (napi_create_function(env, name, strlen(name), call, NULL, &function) != 0 ||
      napi_set_named_property(env, exports, name, function) != 0) {
    napi_throw_error(env, NULL, "the bootstrap's native part could not be set up");
  }
}

__attribute__((visibility("default"))) int32_t node_api_module_get_api_version_v1(void) { return 8; }

__attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  // From here on no child of this process may read its memory, trace it or take its descriptors. Exec undid what the first
  // process had set.
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    napi_throw_error(env, NULL, "this process could not be made undumpable");
    return exports;
  }
  if (isolate_current == NULL || isolate_add_near_heap_limit == NULL || isolate_remove_near_heap_limit == NULL ||
      isolate_set_out_of_memory == NULL || v8_set_out_of_memory == NULL || v8_set_flags == NULL) {
    napi_throw_error(env, NULL, "this version of Node.js lacks the functions that limit its heap");
    return exports;
  }
  v8_set_out_of_memory(v8_out_of_memory);
  if (cxx_set_new_handler != NULL) {
    cxx_set_new_handler(cxx_out_of_memory);
  }
  export(env, exports, "isLoopAlive", is_loop_alive);
  export(env, exports, "setHeapLimit", set_heap_limit);
  export(env, exports, "unwatch", unwatch);
  export(env, exports, "watch", watch);
  export(env, exports, "setDataLimit", set_data_limit);
  return exports;
}
