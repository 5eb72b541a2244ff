// SPDX-License-Identifier: GPL-2.0-or-later
#include "opt.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

static bool takes_arg(const struct opt *opt)
{
	return opt->type != OPT_IS_FLAG && opt->arg[0] != '[';
}

static struct err *bad_value(const struct opt *opt, const char *value, const char *want)
{
	if (opt->name)
		return err_new(ERR_USAGE, "--%s %s: %s", opt->name, value, want);
	return err_new(ERR_USAGE, "-%c %s: %s", opt->letter, value, want);
}

/* A decimal number times the unit behind it; true when all of @text is that. */
static bool scaled(const char *text, const char *units, const double *factor, double *ret)
{
	char *end;
	double v = strtod(text, &end);

	/* strtod also takes signs, "inf", exponents and hexadecimal. */
	if (!isdigit((unsigned char)text[*text == '.']) ||
	    end != text + strspn(text, "0123456789."))
		return false;
	if (*end) {
		const char *unit = strchr(units, toupper((unsigned char)*end));

		if (!unit || end[1])
			return false;
		v *= factor[unit - units];
	}
	if (!(v < 0x1p63))
		return false;
	*ret = v;
	return true;
}

bool opt_size(const char *text, uint64_t *ret)
{
	static const double bytes[] = { 0x1p10, 0x1p20, 0x1p30, 0x1p40 };
	double v;

	if (!scaled(text, "KMGT", bytes, &v))
		return false;
	*ret = (uint64_t)v;
	return true;
}

bool opt_seconds(const char *text, uint64_t *ret_ns)
{
	static const double seconds[] = { 1, 60, 3600 };
	double v;

	if (!scaled(text, "SMH", seconds, &v) || !(v * 1e9 < 0x1p63))
		return false;
	*ret_ns = (uint64_t)llround(v * 1e9);
	return true;
}

static struct err *set(const struct opt *opt, void *args, const char *value)
{
	void *p = (char *)args + opt->off;
	char *end;

	switch (opt->type) {
	case OPT_IS_FLAG:
		*(bool *)p = true;
		return NULL;
	case OPT_IS_TEXT:
		*(const char **)p = value;
		return NULL;
	case OPT_IS_LIST: {
		struct opt_list *list = p;

		list->item = xreallocarray(list->item, list->nr + 2, sizeof(*list->item));
		list->item[list->nr++] = value;
		list->item[list->nr] = NULL;
		return NULL;
	}
	case OPT_IS_NUMBER:
		errno = 0;
		*(uint64_t *)p = strtoull(value, &end, 10);
		if (!isdigit((unsigned char)value[0]) || *end || errno)
			return bad_value(opt, value, "not a number");
		return NULL;
	case OPT_IS_SIZE:
		if (!opt_size(value, p))
			return bad_value(opt, value,
					 "not a size such as 4096, 512K, 64M or 2G");
		return NULL;
	case OPT_IS_SECONDS:
		if (!opt_seconds(value, p))
			return bad_value(opt, value, "not a time such as 10, 0.5, 5m or 1h");
		return NULL;
	case OPT_END:
		break;
	}
	return NULL;
}

static const struct opt *find_letter(const struct opt *opts, char letter)
{
	for (; opts->type != OPT_END; opts++)
		if (opts->letter == letter)
			return opts;
	return NULL;
}

static const struct opt *find_name(const struct opt *opts, const char *name, size_t len)
{
	for (; opts->type != OPT_END; opts++)
		if (opts->name && !strncmp(opts->name, name, len) && !opts->name[len])
			return opts;
	return NULL;
}

/* --name, --name=value, --name value; *argv is left at the last word taken. */
static struct err *parse_long(const struct opt *opts, char ***argv, void *args)
{
	const char *name = **argv + 2;
	size_t len = strcspn(name, "=");
	const char *value = name[len] ? name + len + 1 : NULL;
	const struct opt *opt = find_name(opts, name, len);

	if (!opt)
		return err_new(ERR_USAGE, "--%.*s: no such option", (int)len, name);
	if (opt->type == OPT_IS_FLAG && value)
		return err_new(ERR_USAGE, "--%s takes no value", opt->name);
	if (takes_arg(opt) && !value) {
		if (!(*argv)[1])
			return err_new(ERR_USAGE, "--%s needs %s", opt->name, opt->arg);
		value = *++*argv;
	}
	return set(opt, args, value ? value : "");
}

/* -a, -ab, -i value, -ivalue. */
static struct err *parse_letters(const struct opt *opts, char ***argv, void *args,
				 enum opt_wish *wish)
{
	for (const char *p = **argv + 1; *p; p++) {
		const struct opt *opt = find_letter(opts, *p);

		if (!opt && *p == 'h') {
			*wish = OPT_HELP;
			return NULL;
		}
		if (!opt)
			return err_new(ERR_USAGE, "-%c: no such option", *p);
		if (opt->type == OPT_IS_FLAG) {
			TRY(set(opt, args, ""));
			continue;
		}
		const char *value = p + 1;

		if (!*value && takes_arg(opt)) {
			if (!(*argv)[1])
				return err_new(ERR_USAGE, "-%c needs %s", *p, opt->arg);
			value = *++*argv;
		}
		return set(opt, args, value);
	}
	return NULL;
}

struct err *opt_parse(const struct opt *opts, bool options_first, char **argv, void *args,
		      enum opt_wish *ret)
{
	char **words = argv;

	*ret = OPT_RUN;
	for (; *argv; argv++) {
		const char *word = *argv;

		if (!strcmp(word, "--")) {
			argv++;
			break;
		}
		if (word[0] != '-' || !word[1]) {
			if (options_first)
				break;
			*words++ = *argv;
			continue;
		}
		if (!strcmp(word, "--help"))
			*ret = OPT_HELP;
		else if (!strcmp(word, "--version"))
			*ret = OPT_VERSION;
		else if (word[1] == '-')
			TRY(parse_long(opts, &argv, args));
		else
			TRY(parse_letters(opts, &argv, args, ret));
		if (*ret != OPT_RUN)
			return NULL;
	}
	while (*argv)
		*words++ = *argv++;
	*words = NULL;
	return NULL;
}

void opt_release(const struct opt *opts, void *args)
{
	for (; opts->type != OPT_END; opts++)
		if (opts->type == OPT_IS_LIST)
			free(((struct opt_list *)((char *)args + opts->off))->item);
}

static void print_one(const struct opt *opt)
{
	enum { HELP_COLUMN = 26 };
	auto_free char *left =
		xasprintf("  %c%c%s%s%s%s%s", opt->letter ? '-' : ' ',
			  opt->letter ? opt->letter : ' ',
			  opt->letter && opt->name ? ", "
			  : opt->name		   ? "  "
						   : "",
			  opt->name ? "--" : "", opt->name ? opt->name : "",
			  opt->arg && (opt->name || opt->arg[0] != '[') ? " " : "",
			  opt->arg ? opt->arg : "");

	if (opt->arg && opt->arg[0] == '[' && opt->name)
		left[strlen(left) - strlen(opt->arg) - 1] = '=';
	fputs(left, stdout);
	if (strlen(left) < HELP_COLUMN)
		printf("%*s", (int)(HELP_COLUMN - strlen(left)), "");
	else
		printf("\n%*s", HELP_COLUMN, "");
	for (const char *p = opt->help; *p; p++) {
		putchar(*p);
		if (*p == '\n')
			printf("%*s", HELP_COLUMN, "");
	}
	putchar('\n');
}

void opt_print(const struct opt *opts)
{
	static const struct opt help = { 'h', "help", NULL, OPT_IS_FLAG, 0, "print this text" };
	static const struct opt version = { 0,		 "version", NULL,
					    OPT_IS_FLAG, 0,	    "print the version" };

	for (; opts->type != OPT_END; opts++)
		print_one(opts);
	print_one(&help);
	print_one(&version);
}
