// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tests/vm/load.c - kernel allocations on demand, for the guest's workloads
 *
 * load KIND COUNT [SIZE]       do it and undo it
 * load hold KIND COUNT [SIZE]  do it, go to the background when it stands, and
 *                              keep it until killed
 *
 * Static and free of dependencies, so that it runs on a bare busybox root. A
 * step that this kernel refuses ends the program with a message and status 1:
 * a workload that silently does nothing would be a test that cannot fail.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static __attribute__((noreturn, format(printf, 1, 2))) void fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "load: ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, ": %s\n", strerror(errno));
	va_end(ap);
	exit(1);
}

static long must(long result, const char *what)
{
	if (result < 0)
		fail("%s", what);
	return result;
}

/* kfree_rcu of an object with a cache of its own size. */
static void do_timerfd(long count, long size, int hold)
{
	(void)size;
	for (long i = 0; i < count; i++) {
		int fd = must(timerfd_create(CLOCK_MONOTONIC, 0), "timerfd_create");

		if (!hold)
			close(fd);
	}
}

/* An epoll file, its item (kfree_rcu by cache) and the eventfd it watches. */
static void do_epoll(long count, long size, int hold)
{
	(void)size;
	for (long i = 0; i < count; i++) {
		int ep = must(epoll_create1(0), "epoll_create1");
		int ev = must(eventfd(0, 0), "eventfd");
		struct epoll_event want = { .events = EPOLLIN };

		must(epoll_ctl(ep, EPOLL_CTL_ADD, ev, &want), "epoll_ctl");
		if (!hold) {
			close(ev);
			close(ep);
		}
	}
}

/* Mappings that cannot merge with their neighbours: maple nodes and VMAs. */
static void do_mmap(long count, long size, int hold)
{
	size = size ? size : 4096;
	char **map = calloc(count, sizeof(*map));

	for (long i = 0; i < count; i++) {
		int prot = i & 1 ? PROT_READ : PROT_READ | PROT_WRITE;

		map[i] = mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (map[i] == MAP_FAILED)
			fail("mmap %ld", i);
	}
	/* Every other one goes first, so that the tree has to be rebalanced. */
	for (long i = 0; i < count; i += 2)
		munmap(map[i], size);
	for (long i = 1; i < count && !hold; i += 2)
		munmap(map[i], size);
	free(map);
}

/* One touched page per 2 MB: a page table page for each. */
static void do_pagetables(long count, long size, int hold)
{
	(void)size;
	size_t step = 2 << 20;
	char *map = mmap(NULL, count * step, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (map == MAP_FAILED)
		fail("mmap of %ld page tables", count);
	for (long i = 0; i < count; i++)
		map[i * step] = 1;
	if (!hold)
		munmap(map, count * step);
}

static void do_anon(long count, long size, int hold)
{
	size = size ? size : 4096;
	char *map = mmap(NULL, count * size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED)
		fail("mmap of %ld bytes", count * size);
	for (long at = 0; at < count * size; at += 4096)
		map[at] = 1;
	if (!hold)
		munmap(map, count * size);
}

/* Every other page freed: what memory compaction likes to find. */
static void do_holes(long count, long size, int hold)
{
	(void)size;
	char *map = mmap(NULL, count * 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED)
		fail("mmap of %ld pages", count);
	memset(map, 1, count * 4096);
	for (long i = 0; i < count; i += 2)
		must(madvise(map + i * 4096, 4096, MADV_DONTNEED), "madvise");
	if (!hold)
		munmap(map, count * 4096);
}

static void *sleeper(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void *passer(void *arg)
{
	return arg;
}

static void do_threads(long count, long size, int hold)
{
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, size ? size : 65536);
	for (long i = 0; i < count; i++) {
		pthread_t thread;

		errno = pthread_create(&thread, &attr, hold ? sleeper : passer, NULL);
		if (errno)
			fail("pthread_create %ld", i);
		if (!hold)
			pthread_join(thread, NULL);
	}
}

/* A tree of processes, @size children below each down to @count levels. */
static void do_forks(long count, long size, int hold)
{
	size = size ? size : 2;
	int ready[2];

	must(pipe(ready), "pipe");
	long total = 0, row = 1;

	for (long level = 0; level < count; level++)
		total += row *= size;
	for (long level = 0; level < count; level++) {
		int child = 0;

		for (long i = 0; i < size && !child; i++)
			child = must(fork(), "fork") == 0;
		if (!child) {
			if (level == 0)
				break;
			while (!hold && wait(NULL) > 0)
				;
			if (!hold)
				_exit(0);
			for (;;)
				pause();
		}
		must(write(ready[1], "", 1), "write");
		if (level + 1 == count) {
			if (!hold)
				_exit(0);
			for (;;)
				pause();
		}
	}
	char byte;

	for (long i = 0; i < total; i++)
		must(read(ready[0], &byte, 1), "read");
	while (!hold && wait(NULL) > 0)
		;
}

/* Pipes with data in them. */
static void do_pipes(long count, long size, int hold)
{
	size = size ? size : 4096;
	char *data = calloc(1, size);

	for (long i = 0; i < count; i++) {
		int fd[2];

		must(pipe(fd), "pipe");
		if (size > 65536)
			must(fcntl(fd[1], F_SETPIPE_SZ, size), "F_SETPIPE_SZ");
		for (long done = 0; done < size;)
			done += must(write(fd[1], data, size - done), "write to a pipe");
		if (!hold) {
			close(fd[0]);
			close(fd[1]);
		}
	}
	free(data);
}

/* File pages moved and copied into pipes, some left there. */
static void do_splice(long count, long size, int hold)
{
	size = size ? size : 32768;
	int file = must(open("splice.data", O_RDWR | O_CREAT | O_TRUNC, 0600), "open");
	char *data = calloc(1, size);

	must(pwrite(file, data, size, 0), "pwrite");
	int zero = must(open("/dev/zero", O_RDONLY), "/dev/zero");
	int null = must(open("/dev/null", O_WRONLY), "/dev/null");

	for (long i = 0; i < count; i++) {
		int fd[2], copy[2];
		loff_t off = 0;

		must(pipe(fd), "pipe");
		must(pipe(copy), "pipe");
		must(splice(file, &off, fd[1], NULL, size / 2, 0), "splice from a file");
		must(splice(zero, NULL, fd[1], NULL, size / 2, 0), "splice from a device");
		must(tee(fd[0], copy[1], size, 0), "tee");
		struct iovec iov = { data, 4096 };

		must(vmsplice(copy[1], &iov, 1, 0), "vmsplice");
		must(splice(fd[0], NULL, null, NULL, size / 4, 0), "splice to a device");
		if (!hold) {
			close(fd[0]);
			close(fd[1]);
			close(copy[0]);
			close(copy[1]);
		}
	}
	free(data);
	close(file);
	unlink("splice.data");
}

static void fill(int fd, long size)
{
	static char data[65536];

	for (long done = 0; done < size;) {
		long want = size - done < (long)sizeof(data) ? size - done : (long)sizeof(data);
		long n = send(fd, data, want, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0) {
			if (errno == EAGAIN)
				return;
			fail("send");
		}
		done += n;
	}
}

/* Socket pairs with unread data in both directions. */
static void do_unix(long count, long size, int hold, int type)
{
	size = size ? size : 512;
	for (long i = 0; i < count; i++) {
		int fd[2];

		must(socketpair(AF_UNIX, type, 0, fd), "socketpair");
		fill(fd[0], size);
		fill(fd[1], size);
		if (!hold) {
			close(fd[0]);
			close(fd[1]);
		}
	}
}

static void do_stream(long count, long size, int hold)
{
	do_unix(count, size, hold, SOCK_STREAM);
}

static void do_dgram(long count, long size, int hold)
{
	do_unix(count, size, hold, SOCK_DGRAM);
}

static int bound(int type, struct sockaddr_in *at)
{
	int fd = must(socket(AF_INET, type, 0), "socket");
	socklen_t len = sizeof(*at);

	*at = (struct sockaddr_in){ .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	must(bind(fd, (void *)at, sizeof(*at)), "bind");
	must(getsockname(fd, (void *)at, &len), "getsockname");
	return fd;
}

static void do_tcp(long count, long size, int hold)
{
	size = size ? size : 1024;
	struct sockaddr_in at;
	int listener = bound(SOCK_STREAM, &at);

	must(listen(listener, 128), "listen");
	for (long i = 0; i < count; i++) {
		int client = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
		struct linger now = { 1, 0 };

		/* Reset at close: no socket in TIME_WAIT outlives the loop. */
		setsockopt(client, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		must(connect(client, (void *)&at, sizeof(at)), "connect");
		int server = must(accept(listener, NULL, NULL), "accept");

		fill(client, size);
		fill(server, size);
		if (!hold) {
			close(client);
			close(server);
		}
	}
	if (!hold)
		close(listener);
}

static void do_udp(long count, long size, int hold)
{
	size = size && size < 60000 ? size : 512;
	char *data = calloc(1, size);

	for (long i = 0; i < count; i++) {
		struct sockaddr_in at;
		int to = bound(SOCK_DGRAM, &at);
		int from = must(socket(AF_INET, SOCK_DGRAM, 0), "socket");

		for (int n = 0; n < 4; n++)
			must(sendto(from, data, size, 0, (void *)&at, sizeof(at)), "sendto");
		close(from);
		if (!hold)
			close(to);
	}
	free(data);
}

/* A descriptor table of @count entries: kvmalloc, pages or vmalloc behind it. */
static void do_fdtable(long count, long size, int hold)
{
	(void)size;
	struct rlimit limit = { count + 64, count + 64 };

	must(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
	pid_t pid = hold ? 0 : must(fork(), "fork");

	if (pid) {
		waitpid(pid, NULL, 0);
		return;
	}
	must(dup2(2, count), "dup2");
	if (!hold)
		_exit(0);
}

/* Requests beyond the largest slab: 1,024 iovecs are 16 KB of kmalloc. */
static void do_writev(long count, long size, int hold)
{
	(void)size, (void)hold;
	static struct iovec iov[1024];
	static char byte;
	int null = must(open("/dev/null", O_WRONLY), "/dev/null");
	int fd[2];

	must(pipe(fd), "pipe");
	for (int i = 0; i < 1024; i++)
		iov[i] = (struct iovec){ &byte, 1 };
	for (long i = 0; i < count; i++) {
		char sink[1024];

		must(writev(null, iov, 1024), "writev");
		must(writev(fd[1], iov, 1024), "writev");
		must(read(fd[0], sink, sizeof(sink)), "read");
	}
}

/* Semaphore sets: kvzalloc by size. */
static void do_sems(long count, long size, int hold)
{
	size = size ? size : 2000;
	for (long i = 0; i < count; i++) {
		int id = must(semget(IPC_PRIVATE, size, 0600), "semget");

		if (!hold)
			must(semctl(id, 0, IPC_RMID), "semctl");
	}
}

static void do_msgs(long count, long size, int hold)
{
	size = size ? size : 8000;
	struct msgbuf *msg = calloc(1, sizeof(long) + size);

	msg->mtype = 1;
	for (long i = 0; i < count; i++) {
		int id = must(msgget(IPC_PRIVATE, 0600), "msgget");

		must(msgsnd(id, msg, size, IPC_NOWAIT), "msgsnd");
		if (!hold)
			must(msgctl(id, IPC_RMID, NULL), "msgctl");
	}
	free(msg);
}

/* Payloads of user keys: kvmalloc and memdup; freed by RCU at revocation. */
static void do_keys(long count, long size, int hold)
{
	size = size ? size : 6000;
	char *data = calloc(1, size);

	memset(data, 'x', size);
	for (long i = 0; i < count; i++) {
		char name[32];

		snprintf(name, sizeof(name), "load:%d:%ld", (int)getpid(), i);
		long key = must(syscall(SYS_add_key, "user", name, data, size, -4), "add_key");

		if (!hold)
			must(syscall(SYS_keyctl, 9, key, -4), "unlink a key");
	}
	free(data);
}

static void do_xattrs(long count, long size, int hold)
{
	size = size ? size : 3000;
	char *data = calloc(1, size);

	for (long i = 0; i < count; i++) {
		char path[64];

		snprintf(path, sizeof(path), "xattr.%ld", i);
		close(must(open(path, O_CREAT | O_RDWR, 0600), path));
		must(setxattr(path, "trusted.load", data, size, 0), "setxattr");
		must(getxattr(path, "trusted.load", data, size), "getxattr");
		if (!hold)
			unlink(path);
	}
	free(data);
}

/* Namespaces, each with its sysctl tables, percpu counters and loopback. */
static void do_netns(long count, long size, int hold)
{
	(void)size;
	for (long i = 0; i < count; i++) {
		must(unshare(CLONE_NEWNET), "unshare");
		if (hold)
			must(open("/proc/self/ns/net", O_RDONLY), "/proc/self/ns/net");
	}
	/* Back to the first, so that the last one can die as well. */
	if (!hold) {
		int init = must(open("/proc/1/ns/net", O_RDONLY), "/proc/1/ns/net");

		must(setns(init, CLONE_NEWNET), "setns");
		close(init);
	}
}

/* io_uring instances; their requests come from a bulk allocation. */
static void do_uring(long count, long size, int hold)
{
	size = size ? size : 64;
	for (long i = 0; i < count; i++) {
		uint32_t params[30] = { 0 };
		int fd = must(syscall(SYS_io_uring_setup, size, params), "io_uring_setup");
		/* Submission queue entries: offset 0x10000000; ring: offset 0. */
		uint8_t *sqe = mmap(NULL, size * 64, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
				    0x10000000);
		uint8_t *ring = mmap(NULL, params[16] + size * 4, PROT_READ | PROT_WRITE,
				     MAP_SHARED, fd, 0);

		if (sqe == MAP_FAILED || ring == MAP_FAILED)
			fail("mmap of an io_uring");
		uint32_t *tail = (uint32_t *)(ring + params[11]);
		uint32_t *array = (uint32_t *)(ring + params[16]);

		for (uint32_t n = 0; n < 8; n++) { /* opcode 0: nothing */
			memset(sqe + n * 64, 0, 64);
			array[n] = n;
		}
		__atomic_store_n(tail, 8, __ATOMIC_RELEASE);
		must(syscall(SYS_io_uring_enter, fd, 8, 8, 1, NULL, 0), "io_uring_enter");
		munmap(sqe, size * 64);
		munmap(ring, params[16] + size * 4);
		if (!hold)
			close(fd);
	}
}

/* Files of memory only, and System V segments: tmpfs pages without a mount. */
static void do_memfd(long count, long size, int hold)
{
	size = size ? size : 20000;
	char *data = calloc(1, size);

	for (long i = 0; i < count; i++) {
		int fd = must(memfd_create("load", 0), "memfd_create");

		must(write(fd, data, size), "write to a memfd");
		if (!hold)
			close(fd);
	}
	free(data);
}

static void do_shm(long count, long size, int hold)
{
	size = size ? size : 20000;
	for (long i = 0; i < count; i++) {
		int id = must(shmget(IPC_PRIVATE, size, 0600), "shmget");
		char *map = shmat(id, NULL, 0);

		if (map == (void *)-1)
			fail("shmat");
		memset(map, 1, size);
		if (hold)
			continue;
		shmdt(map);
		must(shmctl(id, IPC_RMID, NULL), "shmctl");
	}
}

/* Watches: marks on inodes, freed through SRCU by a worker, and unread events. */
static void do_inotify(long count, long size, int hold)
{
	(void)size;
	int fd = must(inotify_init(), "inotify_init");

	mkdir("watched", 0700);
	for (long i = 0; i < count; i++) {
		char path[64];

		snprintf(path, sizeof(path), "watched/%ld", i);
		close(must(open(path, O_CREAT | O_RDWR, 0600), path));
		must(inotify_add_watch(fd, path, IN_ALL_EVENTS), "inotify_add_watch");
		close(must(open(path, O_RDONLY), path));
		if (!hold)
			unlink(path);
	}
	if (!hold) {
		close(fd);
		rmdir("watched");
	}
}

static void do_timers(long count, long size, int hold)
{
	(void)size;
	for (long i = 0; i < count; i++) {
		struct sigevent none = { .sigev_notify = SIGEV_NONE };
		timer_t timer;

		must(timer_create(CLOCK_MONOTONIC, &none, &timer), "timer_create");
		if (!hold)
			timer_delete(timer);
	}
}

/* Rings of packet sockets: blocks of @size bytes, pages of a high order. */
static void do_packet(long count, long size, int hold)
{
	size = size ? size : 65536;
	for (long i = 0; i < count; i++) {
		int fd = must(socket(AF_PACKET, SOCK_RAW, 0), "AF_PACKET");
		struct tpacket_req ring = { .tp_block_size = size,
					    .tp_block_nr = 4,
					    .tp_frame_size = 2048,
					    .tp_frame_nr = 4 * size / 2048 };

		must(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof(ring)),
		     "PACKET_RX_RING");
		if (!hold)
			close(fd);
	}
}

static void do_aio(long count, long size, int hold)
{
	size = size ? size : 128;
	for (long i = 0; i < count; i++) {
		unsigned long context = 0;

		must(syscall(SYS_io_setup, size, &context), "io_setup");
		if (!hold)
			must(syscall(SYS_io_destroy, context), "io_destroy");
	}
}

static const struct kind {
	const char *name;
	void (*run)(long count, long size, int hold);
} kinds[] = {
	{ "aio", do_aio },	   { "anon", do_anon },	      { "dgram", do_dgram },
	{ "epoll", do_epoll },	   { "fdtable", do_fdtable }, { "forks", do_forks },
	{ "holes", do_holes },	   { "inotify", do_inotify }, { "keys", do_keys },
	{ "memfd", do_memfd },	   { "mmap", do_mmap },	      { "msgs", do_msgs },
	{ "netns", do_netns },	   { "packet", do_packet },   { "pagetables", do_pagetables },
	{ "pipes", do_pipes },	   { "sems", do_sems },	      { "shm", do_shm },
	{ "splice", do_splice },   { "stream", do_stream },   { "tcp", do_tcp },
	{ "threads", do_threads }, { "timerfd", do_timerfd }, { "timers", do_timers },
	{ "udp", do_udp },	   { "uring", do_uring },     { "writev", do_writev },
	{ "xattrs", do_xattrs },
};

static int background(const struct kind *kind, long count, long size)
{
	int ready[2];

	must(pipe(ready), "pipe");
	pid_t pid = must(fork(), "fork");

	if (!pid) {
		close(ready[0]);
		setsid();
		kind->run(count, size, 1);
		must(write(ready[1], "", 1), "write");
		/* Whoever waits for the end of our output must not wait for us. */
		int null = open("/dev/null", O_RDWR);

		for (int fd = 0; fd < 3; fd++)
			dup2(null, fd);
		close(ready[1]);
		for (;;)
			pause();
	}
	close(ready[1]);
	char byte;

	return read(ready[0], &byte, 1) == 1 ? 0 : 1;
}

int main(int argc, char **argv)
{
	int hold = argc > 1 && !strcmp(argv[1], "hold");

	argc -= hold;
	argv += hold;
	if (argc < 3) {
		fprintf(stderr, "usage: load [hold] KIND COUNT [SIZE]\n");
		return 2;
	}
	long count = atol(argv[2]), size = argc > 3 ? atol(argv[3]) : 0;
	struct rlimit files = { 65536, 65536 };

	setrlimit(RLIMIT_NOFILE, &files);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(kinds[i].name, argv[1]))
			continue;
		if (hold)
			return background(&kinds[i], count, size);
		kinds[i].run(count, size, 0);
		return 0;
	}
	fprintf(stderr, "load: no kind %s\n", argv[1]);
	return 2;
}
