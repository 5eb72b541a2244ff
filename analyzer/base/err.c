// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/err.h"

#include <stdarg.h>
#include <string.h>

#include "base/xalloc.h"

struct err {
	enum err_kind kind;
	int errnum;
	char *text;
};

static struct err *make(enum err_kind kind, int errnum, char *text)
{
	struct err *err = xmalloc(sizeof(*err));

	*err = (struct err){ .kind = kind, .errnum = errnum, .text = text };
	return err;
}

struct err *err_new(enum err_kind kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *text = xvasprintf(fmt, ap);
	va_end(ap);
	return make(kind, 0, text);
}

struct err *err_os(int errnum, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	auto_free char *text = xvasprintf(fmt, ap);
	va_end(ap);
	return make(ERR_OS, errnum, xasprintf("%s: %s", text, strerror(errnum)));
}

struct err *err_wrap(struct err *err, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return NULL;
	va_start(ap, fmt);
	auto_free char *outer = xvasprintf(fmt, ap);
	va_end(ap);
	char *text = xasprintf("%s: %s", outer, err->text);
	free(err->text);
	err->text = text;
	return err;
}

const char *err_text(const struct err *err)
{
	return err->text;
}

enum err_kind err_kind(const struct err *err)
{
	return err->kind;
}

int err_errno(const struct err *err)
{
	return err->errnum;
}

void err_free(struct err *err)
{
	if (!err)
		return;
	free(err->text);
	free(err);
}
