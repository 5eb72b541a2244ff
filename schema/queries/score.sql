-- SPDX-License-Identifier: GPL-2.0-or-later
-- The last line of allocprof report --reconcile.
SELECT sites, kernel_bytes, byte_error, site_exact, site_near, byte_exact FROM reconcile_score
