/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * details.h - who, when, for how long and freed from where: what the matcher knows
 *             of a site beside its sums
 *
 * In:     a match that is finished, its raw sites written in their order
 * Out:    the tables _account, _bucket, _life, _peak and _free_pair, and those that
 *         name what they number
 */
#ifndef DETAILS_H
#define DETAILS_H

#include "decode/names.h"
#include "decode/tracefile.h"
#include "match/match.h"
#include "resolve/resolver.h"
#include "store/writer.h"

struct err *details_write(struct writer *writer, const struct tracefile *file,
			  const struct match *match, const struct names *names,
			  struct resolver *resolver) MUST_CHECK;

/*
 * The node of each CPU, *ret_nr of them, owned by the caller; CPUs that the
 * recording does not tell of are of node 0.
 */
uint8_t *details_cpu_nodes(const struct tracefile *file, size_t *ret_nr);

#endif
