// SPDX-License-Identifier: GPL-2.0-or-later
/* mkrec - writes the small recording of tests/lib/smallrec.h: mkrec FILE [foreign] [plain]
 * [lossy] */
#include <string.h>

#include "tests/lib/smallrec.h"

int main(int argc, char **argv)
{
	struct smallrec_opts opts = {};

	if (argc < 2)
		return 2;
	for (int i = 2; i < argc; i++) {
		opts.foreign |= !strcmp(argv[i], "foreign");
		opts.plain |= !strcmp(argv[i], "plain");
		opts.lossy |= !strcmp(argv[i], "lossy");
	}
	smallrec_write(argv[1], &opts);
	return 0;
}
