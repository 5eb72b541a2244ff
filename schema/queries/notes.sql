-- SPDX-License-Identifier: GPL-2.0-or-later
-- What the user should know about this analysis: the last lines of allocprof report.
SELECT text, recording, (SELECT count(*) > 1 FROM recording) AS several FROM notes
