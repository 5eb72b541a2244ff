/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/outward.h - who called each raw site, so many frames outward
 *
 * In:     the raw sites of a database, and in their options how far (1: who called)
 * Out:    by index of the raw site a number of its strings, "func file:line"; 0: none
 */
#ifndef STORE_OUTWARD_H
#define STORE_OUTWARD_H

#include "store/rawsites.h"

/* *ret: nr_raw numbers, to be freed. */
struct err *outward_names(struct rawsites *sites, struct query_db *db,
			  uint32_t **ret) MUST_CHECK;

#endif
