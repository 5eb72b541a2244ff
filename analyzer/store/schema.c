// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/schema.h"

const char schema_tables[] =
#include "schema/tables.sql.inc"
	;

const char schema_views[] =
#include "schema/views.sql.inc"
	;

const char schema_indices[] =
#include "schema/indices.sql.inc"
	;

const char schema_query_sites[] =
#include "schema/queries/sites.sql.inc"
	;

const char schema_query_groups[] =
#include "schema/queries/groups.sql.inc"
	;

const char schema_query_stacks[] =
#include "schema/queries/stacks.sql.inc"
	;

const char schema_query_allocinfo[] =
#include "schema/queries/allocinfo.sql.inc"
	;

const char schema_query_recording[] =
#include "schema/queries/recording.sql.inc"
	;

const char schema_query_totals[] =
#include "schema/queries/totals.sql.inc"
	;

const char schema_query_self[] =
#include "schema/queries/self.sql.inc"
	;

const char schema_query_reconcile[] =
#include "schema/queries/reconcile.sql.inc"
	;

const char schema_query_score[] =
#include "schema/queries/score.sql.inc"
	;

const char schema_query_notes[] =
#include "schema/queries/notes.sql.inc"
	;

const char schema_query_origin[] =
#include "schema/queries/origin.sql.inc"
	;
