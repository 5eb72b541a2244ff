-- SPDX-License-Identifier: GPL-2.0-or-later
-- Made when all rows are in.

CREATE INDEX _raw_site_by_callsite ON _raw_site (callsite);
