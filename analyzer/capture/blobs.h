/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture/blobs.h - what a recording carries beside the events
 *
 * Named texts in a private section of the trace.dat, as the kernel printed
 * them unless said otherwise. Names ending in '/' are prefixes. allocprof-trace(5)
 * documents the bytes. A reader takes any of them as optional.
 */
#ifndef CAPTURE_BLOBS_H
#define CAPTURE_BLOBS_H

/*
 * v7 section id ("AP"), referenced by no option: other readers skip it. Its
 * body, compressed or not like any other metadata section, is up to its end a
 * sequence of
 *
 *	name	NUL-terminated, not empty, at most BLOBS_NAME_MAX bytes with it
 *	u64	length, in the byte order of the file
 *	bytes
 *
 * without padding. A file may have several such sections; they add up in file
 * order. The first of two blobs with one name counts.
 */
#define BLOBS_SECTION_ID 0x4150
#define BLOBS_NAME_MAX	 256

/* "version 0.1.0\nkey value\n…": program, options in force; "cut WHY" */
#define BLOB_RECORDER	     "allocprof"
/* "perf 6.1\n": made by allocprof import of what this program wrote */
#define BLOB_IMPORTED	     "imported"
/* "start_mono_ns N\nend_mono_ns N\nstart_unix_ns N\nend_unix_ns N\n" */
#define BLOB_TIMES	     "times"
/* bytes, decimal */
#define BLOB_PAGE_SIZE	     "page_size"
/* /proc/modules */
#define BLOB_MODULES	     "modules"
/* "module section 0xADDR\n" from /sys/module/M/sections */
#define BLOB_SECTIONS	     "sections"
/* "name hex\n", kernel under the name "vmlinux" */
#define BLOB_BUILD_IDS	     "build_ids"
/* "system:event on|missing|refused [probe=FUNCTION] [filter=…] [stack|stack-of-opaque]\n",
 * "probes missed N\n", "kprobes missing\n" */
#define BLOB_EVENTS	     "events"
/* address of the first struct page, hex */
#define BLOB_VMEMMAP	     "vmemmap"
/* "PFN NR s\n" slab, "PFN NR f\n" heads of free blocks, hex: at the end, after loss */
#define BLOB_PAGEFLAGS	     "pageflags"
/* "PFN NR s\n" likewise, right before the first event; not all there was, as time allowed */
#define BLOB_PAGEFLAGS_START "pageflags/start"
/* cpustat/N: per_cpu/cpuN/stats after the final drain */
#define BLOB_CPUSTAT	     "cpustat/"
/* snapshot/{start,end}/{meminfo,slabinfo,…}: /proc/… */
#define BLOB_SNAPSHOT	     "snapshot/"
/* tasks/{start,end}: "hierarchy N\n", of the cgroups, then "TID TGID COMM\tCGROUP\n" */
#define BLOB_TASKS	     "tasks/"
/* "N CPULIST\n" of each NUMA node N */
#define BLOB_NODES	     "nodes"
/* /proc/pagetypeinfo: the names of migrate types */
#define BLOB_PAGETYPES	     "pagetypeinfo"
/* "index N\n", in the last also "last 1\n": of FILE, FILE.1, …, with one trace id */
#define BLOB_CHAIN	     "chain"
/* "start_mono_ns N\nend_mono_ns N\n": only events between are of all CPUs */
#define BLOB_WINDOW	     "window"
/* tids of the recorder, one a line */
#define BLOB_SELF	     "self"

#endif
