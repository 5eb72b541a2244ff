-- SPDX-License-Identifier: GPL-2.0-or-later
-- Made when all rows are in.

CREATE INDEX _raw_site_by_callsite ON _raw_site (callsite);

-- The rows of some views, which the program reads in their place: a report asks
-- several times, and folding 15,000 raw sites takes 80 ms, their buckets and lives more.
CREATE TABLE _folded_call_sites AS SELECT * FROM call_sites;
CREATE UNIQUE INDEX _folded_call_sites_by_id ON _folded_call_sites (id);
CREATE TABLE _folded_totals AS SELECT * FROM totals;
CREATE TABLE _folded_growth AS SELECT * FROM growth;
CREATE INDEX _folded_growth_by_site ON _folded_growth (call_site);
CREATE TABLE _folded_lifetimes AS SELECT * FROM lifetimes;
CREATE INDEX _folded_lifetimes_by_site ON _folded_lifetimes (call_site);
CREATE TABLE _folded_waste AS SELECT * FROM waste;
CREATE TABLE _folded_leak_sites AS SELECT * FROM leak_sites;
CREATE INDEX _folded_leak_sites_by_site ON _folded_leak_sites (call_site);
