-- SPDX-License-Identifier: GPL-2.0-or-later
-- What tells whether a database still stands for a recording.
SELECT input, input_bytes, input_mtime_ns, options, analyzer FROM recording
