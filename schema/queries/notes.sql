-- SPDX-License-Identifier: GPL-2.0-or-later
-- The last lines of allocprof report.
SELECT text FROM notes
