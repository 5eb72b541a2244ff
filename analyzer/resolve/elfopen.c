// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/elfopen.h"

#include <elfutils/libdwelf.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <zstd.h>

#include "base/xalloc.h"

static bool write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static bool unpack_frames(ZSTD_DCtx *ctx, const void *data, size_t len, int out)
{
	ZSTD_inBuffer in = { data, len, 0 };
	size_t size = ZSTD_DStreamOutSize(), want = 1;
	auto_free char *buf = xmalloc(size);
	uint64_t left = (uint64_t)len * ELFOPEN_MAX_RATIO;

	while (in.pos < in.size || want) {
		ZSTD_outBuffer block = { buf, size, 0 };
		size_t before = in.pos;

		want = ZSTD_decompressStream(ctx, &block, &in);
		if (ZSTD_isError(want) || block.pos > left || !write_all(out, buf, block.pos))
			return false;
		left -= block.pos;
		/* Cut short: it asks for more than there is. */
		if (!block.pos && in.pos == before)
			return !want;
	}
	return true;
}

static int unpack(int fd)
{
	struct stat st;
	auto_fd int out = memfd_create("vmlinux", MFD_CLOEXEC);
	ZSTD_DCtx *ctx = ZSTD_createDCtx();
	bool done = false;

	if (ctx && out >= 0 && !fstat(fd, &st) && st.st_size > 0) {
		size_t len = (size_t)st.st_size;
		void *data = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);

		if (data != MAP_FAILED) {
			done = unpack_frames(ctx, data, len, out);
			munmap(data, len);
		}
	}
	ZSTD_freeDCtx(ctx);
	return done ? take_fd(out) : -1;
}

/* libdw unpacks the others, zstd only as of late. */
static bool is_zstd(int fd)
{
	uint8_t magic[4];

	return pread(fd, magic, 4, 0) == 4 && !memcmp(magic, "\x28\xb5\x2f\xfd", 4);
}

Elf *elfopen(int *fd)
{
	elf_version(EV_CURRENT);
	if (is_zstd(*fd)) {
		int unpacked = unpack(*fd);

		if (unpacked < 0)
			return NULL;
		close(*fd);
		*fd = unpacked;
	}
	return dwelf_elf_begin(*fd);
}
