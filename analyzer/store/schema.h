/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/schema.h - the texts of schema/, embedded
 */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

enum {
	SCHEMA_APPLICATION_ID = 0x61707266, /* as in schema/tables.sql; a test compares */
	SCHEMA_VERSION = 1,
};

extern const char schema_tables[];
extern const char schema_views[];
extern const char schema_indices[];

/* Queries; their parameters are explained in their own text. */
extern const char schema_query_sites[];
extern const char schema_query_groups[];
extern const char schema_query_stacks[];
extern const char schema_query_allocinfo[];
extern const char schema_query_recording[];
extern const char schema_query_totals[];
extern const char schema_query_self[];
extern const char schema_query_reconcile[];
extern const char schema_query_score[];
extern const char schema_query_notes[];
extern const char schema_query_origin[];

#endif
