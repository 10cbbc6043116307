// What function code tries that JavaScript has no words for. `probe NAME [ARGUMENT]` prints one line for each try: what it
// was, and `ok` or the name of the error.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static void tell(const char *what, long result) {
  printf("%s %s\n", what, result == -1 ? strerrorname_np(errno) : "ok");
  fflush(stdout);
}

static void trace(int pid) {
  tell("ptrace", ptrace(PTRACE_SEIZE, pid, 0, 0));
  char byte;
  struct iovec own = {&byte, 1}, other = {&byte, 1};
  tell("process_vm_readv", syscall(SYS_process_vm_readv, pid, &own, 1, &other, 1, 0));
  tell("process_vm_writev", syscall(SYS_process_vm_writev, pid, &own, 1, &other, 1, 0));
  tell("kcmp", syscall(SYS_kcmp, pid, getpid(), 0, 0, 0));
}

static void files_of(int pid) {
  static const char *names[] = {"mem", "environ", "maps", "fd/3", "fd/4", "cwd/x", "root/etc/passwd"};
  for (size_t at = 0; at < sizeof names / sizeof *names; at += 1) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, names[at]);
    tell(names[at], open(path, at == 0 ? O_RDWR : O_RDONLY));
  }
}

static void take_descriptor(int pid) {
  int pidfd = syscall(SYS_pidfd_open, pid, 0);
  tell("pidfd_open", pidfd);
  tell("pidfd_getfd", syscall(SYS_pidfd_getfd, pidfd, 3, 0));
  tell("pidfd_getfd-answers", syscall(SYS_pidfd_getfd, pidfd, 4, 0));
}

static void mounts(void) {
  tell("mount", mount("tmpfs", "/tmp", "tmpfs", 0, NULL));
  tell("bind", mount("/tmp", "/var/task", NULL, MS_BIND, NULL));
  tell("remount", mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL));
  tell("umount2", umount2("/var/task", MNT_DETACH));
  tell("chroot", chroot("/tmp"));
  tell("pivot_root", syscall(SYS_pivot_root, "/tmp", "/tmp"));
  tell("open_tree", syscall(SYS_open_tree, AT_FDCWD, "/tmp", 1));
  tell("move_mount", syscall(SYS_move_mount, AT_FDCWD, "/tmp", AT_FDCWD, "/opt", 0));
  tell("fsopen", syscall(SYS_fsopen, "tmpfs", 0));
  tell("mknod", mknod("/tmp/disk", S_IFBLK | 0600, 0x800));
}

static int nothing(void *unused) { return unused != NULL; }

static void namespaces(void) {
  static const int kinds[] = {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWCGROUP};
  static const char *names[] = {"user", "mnt", "pid", "net", "ipc", "uts", "cgroup"};
  static char stack[16384];
  for (size_t at = 0; at < sizeof kinds / sizeof *kinds; at += 1) {
    char what[32];
    snprintf(what, sizeof what, "unshare-%s", names[at]);
    tell(what, unshare(kinds[at]));
    snprintf(what, sizeof what, "clone-%s", names[at]);
    tell(what, clone(nothing, stack + sizeof stack, kinds[at] | SIGCHLD, NULL));
    snprintf(what, sizeof what, "/proc/1/ns/%s", names[at]);
    tell(what, open(what, O_RDONLY));
  }
  char arguments[88] = {0};
  tell("clone3", syscall(SYS_clone3, arguments, sizeof arguments));
  int own = open("/proc/self/ns/net", O_RDONLY);
  tell("setns", setns(own, 0));
}

static void sockets(void) {
  struct { const char *name; int family, kind, protocol; } tries[] = {
      {"unix", AF_UNIX, SOCK_STREAM, 0},        {"inet", AF_INET, SOCK_STREAM, 0},
      {"inet6", AF_INET6, SOCK_DGRAM, 0},       {"route", AF_NETLINK, SOCK_RAW, 0},
      {"raw", AF_INET, SOCK_RAW, 1},            {"raw6", AF_INET6, SOCK_RAW, 58},
      {"packet", AF_PACKET, SOCK_RAW, 0},       {"vsock", AF_VSOCK, SOCK_STREAM, 0},
      {"alg", AF_ALG, SOCK_SEQPACKET, 0},       {"netfilter", AF_NETLINK, SOCK_RAW, 12},
      {"audit", AF_NETLINK, SOCK_RAW, 9},       {"uevent", AF_NETLINK, SOCK_RAW, 15},
      {"xdp", AF_XDP, SOCK_RAW, 0},             {"bluetooth", AF_BLUETOOTH, SOCK_RAW, 0},
  };
  for (size_t at = 0; at < sizeof tries / sizeof *tries; at += 1) {
    tell(tries[at].name, socket(tries[at].family, tries[at].kind, tries[at].protocol));
  }
}

static void keyrings(void) {
  tell("join", syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL));
  tell("read", syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_USER_KEYRING, NULL, 0));
  tell("add", syscall(SYS_add_key, "user", "callgate", "x", 1, KEY_SPEC_USER_KEYRING));
  tell("request", syscall(SYS_request_key, "user", "callgate", NULL, 0));
}

static void kernel(void) {
  char zeros[128] = {0};
  tell("io_uring_setup", syscall(SYS_io_uring_setup, 4, zeros));
  tell("userfaultfd", syscall(SYS_userfaultfd, 1));
  tell("bpf", syscall(SYS_bpf, 0, zeros, sizeof zeros));
  tell("perf_event_open", syscall(SYS_perf_event_open, zeros, 0, -1, -1, 0));
  tell("personality", syscall(SYS_personality, 0x0400000));
  tell("seccomp", syscall(SYS_seccomp, 3, 0, NULL));
  tell("landlock", syscall(SYS_landlock_create_ruleset, NULL, 0, 1));
  tell("mq_open", syscall(SYS_mq_open, "x", O_CREAT, 0600, NULL));
  tell("shmget", syscall(SYS_shmget, 1, 4096, 01600));
  tell("memfd_secret", syscall(SYS_memfd_secret, 0));
  tell("syslog", syscall(SYS_syslog, 3, zeros, sizeof zeros));
  tell("reboot", syscall(SYS_reboot, 0xfee1dead, 672274793, 0, NULL));
  tell("settimeofday", syscall(SYS_settimeofday, zeros, NULL));
  tell("sethostname", sethostname("x", 1));
  tell("open_by_handle_at", syscall(SYS_open_by_handle_at, AT_FDCWD, zeros, O_RDONLY));
}

static void become(void) {
  tell("setuid", setuid(0));
  tell("setgid", setgid(0));
  tell("setgroups", syscall(SYS_setgroups, 0, NULL));
  tell("capset", syscall(SYS_capset, NULL, NULL));
  tell("priority", setpriority(PRIO_PROCESS, 0, -5));
  struct sched_param most = {.sched_priority = 1};
  tell("realtime", sched_setscheduler(0, SCHED_FIFO, &most));
  struct rlimit limit;
  getrlimit(RLIMIT_NPROC, &limit);
  limit.rlim_max += 1;
  tell("processes", setrlimit(RLIMIT_NPROC, &limit));
  getrlimit(RLIMIT_CORE, &limit);
  limit.rlim_max = 1;
  tell("core", setrlimit(RLIMIT_CORE, &limit));
}

static void go_on(int pid) {
  siginfo_t info = {.si_code = SI_QUEUE};
  int pidfd = syscall(SYS_pidfd_open, pid, 0);
  tell("kill", kill(pid, SIGCONT));
  tell("kill-all", kill(-1, SIGCONT));
  tell("kill-group", kill(0, SIGCONT));
  tell("tkill", syscall(SYS_tkill, pid, SIGCONT));
  tell("tgkill", syscall(SYS_tgkill, pid, pid, SIGCONT));
  tell("rt_sigqueueinfo", syscall(SYS_rt_sigqueueinfo, pid, SIGCONT, &info));
  tell("rt_tgsigqueueinfo", syscall(SYS_rt_tgsigqueueinfo, pid, pid, SIGCONT, &info));
  tell("pidfd_send_signal", syscall(SYS_pidfd_send_signal, pidfd, SIGCONT, NULL, 0));
  // Bits above those that the kernel looks at hide nothing.
  tell("kill-high-bits", syscall(SYS_kill, pid, 0x100000000UL | SIGCONT));
}

static void type_for_the_operator(void) {
  char letter = 'x';
  int terminal = posix_openpt(O_RDWR | O_NOCTTY);
  tell("own", terminal);
  tell("TIOCSTI", ioctl(terminal, TIOCSTI, &letter));
  tell("TIOCLINUX", ioctl(terminal, TIOCLINUX, &letter));
  tell("/dev/tty", open("/dev/tty", O_RDWR));
}

static void other_numbers(void) {
#ifdef __x86_64__
  tell("x32", syscall(0x40000000 | SYS_getpid));
  pid_t child = fork();
  if (child == 0) {
    long result = 20; // getpid of 32 bits
    __asm__ volatile("int $0x80" : "+a"(result) : : "memory");
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  printf("int80 %s\n", WIFSIGNALED(status) ? "killed" : "ok");
#else
  printf("x32 ENOSYS\nint80 killed\n");
#endif
}

// Starts processes until there may be no more, each of which does the same.
static void bomb(void) {
  int *count = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int *refused = mmap(NULL, sizeof *refused, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pid_t first = getpid();
  setsid();
  for (;;) {
    pid_t child = fork();
    if (child == 0) {
      __atomic_add_fetch(count, 1, __ATOMIC_SEQ_CST);
      close(STDOUT_FILENO);
      close(STDERR_FILENO);
    } else if (child == -1) {
      __atomic_store_n(refused, errno, __ATOMIC_SEQ_CST);
      break;
    }
    if (__atomic_load_n(refused, __ATOMIC_SEQ_CST) != 0) {
      break;
    }
  }
  if (getpid() != first) {
    for (;;) {
      pause();
    }
  }
  printf("%s %d\n", strerrorname_np(*refused), *count);
}

// Takes memory until there is no more.
static void hoard(void) {
  int mebibytes = 0;
  char *piece;
  while (mebibytes < 4096 && (piece = malloc(1 << 20)) != NULL) {
    memset(piece, 1, 1 << 20);
    mebibytes += 1;
  }
  printf("%d\n", mebibytes);
}

int main(int count, char **arguments) {
  const char *name = count > 1 ? arguments[1] : "";
  int number = count > 2 ? atoi(arguments[2]) : 0;
  if (!strcmp(name, "trace")) trace(number);
  else if (!strcmp(name, "files")) files_of(number);
  else if (!strcmp(name, "descriptor")) take_descriptor(number);
  else if (!strcmp(name, "mounts")) mounts();
  else if (!strcmp(name, "namespaces")) namespaces();
  else if (!strcmp(name, "sockets")) sockets();
  else if (!strcmp(name, "keyrings")) keyrings();
  else if (!strcmp(name, "kernel")) kernel();
  else if (!strcmp(name, "become")) become();
  else if (!strcmp(name, "continue")) go_on(number);
  else if (!strcmp(name, "terminal")) type_for_the_operator();
  else if (!strcmp(name, "numbers")) other_numbers();
  else if (!strcmp(name, "bomb")) bomb();
  else if (!strcmp(name, "hoard")) hoard();
  else if (!strcmp(name, "ids")) printf("%d %d %d %d\n", getuid(), geteuid(), getgid(), getegid());
  else if (!strcmp(name, "signal")) tell("kill", kill(number, atoi(arguments[3])));
  else return 2;
  return 0;
}
