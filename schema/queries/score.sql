-- SPDX-License-Identifier: GPL-2.0-or-later
-- How well the recording agrees with the kernel's own /proc/allocinfo.
SELECT sites, kernel_bytes, byte_error, site_exact, site_near, byte_exact, recording, host
FROM reconcile_score
