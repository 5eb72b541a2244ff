# SPDX-License-Identifier: GPL-2.0-or-later
#
# make help lists the targets. Objects go to build/<variant>/, so that a build
# with SANITIZE=address,undefined never disturbs the plain one. V=1 shows commands.

VERSION := 0.1.0
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib/allocprof
MANDIR ?= $(PREFIX)/share/man
COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions
DESTDIR ?=
CC := $(if $(filter default undefined,$(origin CC)),gcc,$(CC))
PKG_CONFIG ?= pkg-config

comma := ,
VARIANT := $(if $(SANITIZE),$(subst $(comma),-,$(SANITIZE)),plain)
B := build/$(VARIANT)

.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += -rR
.DEFAULT_GOAL := all
Q := $(if $(V),,@)

# pkg-config name : Debian package
LIBS := libtracefs:libtracefs-dev libtraceevent:libtraceevent-dev libdw:libdw-dev \
	libelf:libelf-dev sqlite3:libsqlite3-dev libzstd:libzstd-dev libedit:libedit-dev
PKGS := $(foreach l,$(LIBS),$(firstword $(subst :, ,$(l))))
MISSING := $(foreach l,$(LIBS),$(shell $(PKG_CONFIG) --exists $(firstword $(subst :, ,$(l))) \
	2>/dev/null || echo $(lastword $(subst :, ,$(l)))))
NEEDS_LIBS := $(filter-out help clean deps deps-vm demo man dist check-layers format format-check, \
	$(or $(MAKECMDGOALS),all))
ifneq ($(strip $(MISSING)),)
ifneq ($(NEEDS_LIBS),)
$(error not found: $(strip $(MISSING)). Install what is needed with: make deps)
endif
endif

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wvla -Wformat=2 -Wundef -Wpointer-arith -Wwrite-strings -Wimplicit-fallthrough \
	-Wswitch-enum $(if $(DEVELOPER)$(CI),-Werror)
CFLAGS ?= -O2 -g
override CFLAGS += -std=gnu11 -D_GNU_SOURCE -Ianalyzer -I. -I$(B) -MMD -MP $(WARN) -pthread \
	$(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null) \
	$(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
LDLIBS := $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null) -pthread -lm

EXT_MAIN := analyzer/view/extension.c
LIB_SRC := $(filter-out $(EXT_MAIN),$(wildcard analyzer/*.c analyzer/*/*.c))
# What SQLite loads: what it takes to read a recording, position-independent.
EXT_SRC := $(EXT_MAIN) $(wildcard analyzer/base/*.c analyzer/decode/*.c) \
	analyzer/resolve/kallsyms.c \
	$(addprefix analyzer/view/,eventtab.c functions.c source.c text.c)
CMD_SRC := $(wildcard cmd/*.c)
TESTLIB_SRC := $(wildcard tests/lib/*.c)
# A test program is one .c file in one of these folders; a new one needs no list.
TEST_SRC := $(wildcard tests/unit/*.c tests/property/test_*.c tests/differential/*.c tests/live/*.c)
PROP_SRC := $(filter-out tests/property/test_%,$(wildcard tests/property/*.c))
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
SCRIPTS := $(wildcard tests/checks/*[a-z] tests/cli/*.sh)
MAN_SRC := $(wildcard Documentation/man/*.adoc)
TOOL_SRC := $(wildcard tests/tools/*.c tests/bench/*.c)
SQL := $(wildcard schema/*.sql schema/queries/*.sql)

objs = $(patsubst %.c,$(B)/%.o,$(1))
LIB := $(B)/liballocprof.a
BIN := $(B)/allocprof
EXT := $(B)/allocprof.so
TESTS := $(patsubst %.c,$(B)/%,$(TEST_SRC))
FUZZERS := $(patsubst %.c,$(B)/%,$(FUZZ_SRC))
TOOLS := $(patsubst %.c,$(B)/%,$(TOOL_SRC))
VM_LOAD := $(B)/vm/load
MAN := $(patsubst Documentation/man/%.adoc,$(B)/man/%,$(MAN_SRC))
TESTLIB := $(B)/libtest.a

all: $(BIN) $(EXT) ## build the program (the default)
	@ln -sfn $(BIN) allocprof

# A changed compiler or flag rebuilds; an unchanged one does not.
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CFLAGS) $(VERSION)' | cmp -s - $@ || echo '$(CC) $(CFLAGS) $(VERSION)' >$@
FORCE:

$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(if $(Q),@echo '  CC      $<')
	$(Q)$(CC) $(CFLAGS) -DVERSION='"$(VERSION)"' -c -o $@ $<

$(LIB): $(call objs,$(LIB_SRC))
	$(if $(Q),@echo '  AR      $@')
	$(Q)rm -f $@ && ar rcs $@ $^

$(BIN): $(call objs,$(CMD_SRC)) $(LIB)
	$(if $(Q),@echo '  LINK    $@')
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/pic/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(if $(Q),@echo '  CC [M]  $<')
	$(Q)$(CC) $(CFLAGS) -fPIC -fvisibility=hidden -DALLOCPROF_EXTENSION -c -o $@ $<

$(EXT): $(EXT_SRC:%.c=$(B)/pic/%.o)
	$(if $(Q),@echo '  LINK    $@')
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-z,defs -Wl,--gc-sections -o $@ $^ \
		$(shell $(PKG_CONFIG) --libs libzstd libtraceevent)

$(B)/tests/unit/test_opt: $(B)/cmd/opt.o
# An archive, so that a tool, which has a main of its own, takes what it uses.
$(TESTLIB): $(call objs,$(TESTLIB_SRC) $(PROP_SRC))
	$(if $(Q),@echo '  AR      $@')
	$(Q)rm -f $@ && ar rcs $@ $^

$(TESTS): $(B)/%: $(B)/%.o $(TESTLIB) $(LIB)
	$(if $(Q),@echo '  LINK    $@')
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(TOOLS): $(B)/%: $(B)/%.o $(TESTLIB) $(LIB)
	$(if $(Q),@echo '  LINK    $@')
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# SQL and other texts become C string literals, which the compiler tracks.
$(B)/%.inc: % $(B)/flags
	@mkdir -p $(@D)
	$(Q)sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/"&\\n"/' $< >$@
# Each file of schema/queries/ is a named query: a new one needs no list.
QUERIES := $(sort $(wildcard schema/queries/*.sql))
$(B)/schema/queries.inc: $(QUERIES) Makefile
	@mkdir -p $(@D)
	$(Q)printf '{ "%s",\n#include "%s.inc"\n},\n' \
		$(foreach q,$(QUERIES),$(notdir $(basename $q)) $q) >$@
$(B)/analyzer/store/schema.o: $(SQL:%=$(B)/%.inc) $(B)/schema/queries.inc

$(B)/analyzer/resolve/rules.o: $(B)/analyzer/resolve/rules.txt.inc

-include $(shell find build -name vm -prune -o -type f -name '*.d' -print 2>/dev/null)

# A fuzz target is a fuzzer where clang builds it for one (make fuzz), and
# elsewhere a test that replays the inputs kept in tests/fuzz.
FUZZ_MAIN := $(if $(findstring fuzzer,$(SANITIZE)),,$(B)/tests/fuzz/replay.o)
$(FUZZERS): $(B)/%: $(B)/%.o $(FUZZ_MAIN) $(TESTLIB) $(LIB)
	$(if $(Q),@echo '  LINK    $@')
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(if $(FUZZ_MAIN),,-fsanitize=fuzzer) -o $@ \
		$(filter-out %/test.o,$^) $(LDLIBS)

# Static: it runs in guests that have no libraries.
$(VM_LOAD): tests/vm/load.c $(B)/flags
	@mkdir -p $(@D)
	$(if $(Q),@echo '  CC      $<')
	$(Q)$(CC) -O2 -std=gnu11 -D_GNU_SOURCE $(WARN) -static -pthread -o $@ $<

# The optional tool is the only way to the pages; without it the rest stands.
ADOC = asciidoctor -b manpage -a reproducible -a manmanual='allocprof' \
	-a mansource='allocprof $(VERSION)'
$(B)/man/%: Documentation/man/%.adoc $(B)/flags
	@mkdir -p $(@D)
	$(if $(Q),@echo '  MAN     $@')
	$(Q)$(ADOC) -o $@ $<

# This page is made of the comments in the schema.
MAN += $(B)/man/allocprof-schema.5
$(B)/allocprof-schema.5.adoc: schema/views.sql schema/to-adoc.awk \
		Documentation/man/allocprof-schema.5.head $(B)/flags
	$(Q)awk -f schema/to-adoc.awk schema/views.sql >$@
$(B)/man/allocprof-schema.5: $(B)/allocprof-schema.5.adoc
	@mkdir -p $(@D)
	$(if $(Q),@echo '  MAN     $@')
	$(Q)$(ADOC) -o $@ $<

C_TESTS = $(TESTS) $(FUZZERS)
SAN := address,undefined
tests: $(BIN) $(C_TESTS) $(TOOLS) $(if $(SANITIZE),,$(EXT))

check: tests ## run all tests, the C ones again with ASan and UBSan
	$(if $(SANITIZE),,$(Q)$(MAKE) --no-print-directory SANITIZE=$(SAN) tests)
	$(Q)BUILD=$(abspath $(B)) HEADER_CC='$(CC) $(filter-out -MMD -MP,$(CFLAGS))' tests/run $(C_TESTS) $(SCRIPTS) \
		$(if $(SANITIZE),,$(C_TESTS:$(B)/%=build/$(subst $(comma),-,$(SAN))/%))

check-headers check-layers check-docs: check-%: $(BIN)
	$(Q)BUILD=$(abspath $(B)) HEADER_CC='$(CC) $(filter-out -MMD -MP,$(CFLAGS))' tests/run tests/checks/$*
check-headers: ## compile each header alone
check-layers: ## see that no stage includes a later one
check-docs: ## compare the options of -h with the man pages

check-truth: $(BIN) $(VM_LOAD) ## score recordings made in a VM against /proc/allocinfo
	$(Q)BUILD=$(abspath $(B)) ALLOCPROF=$(abspath $(BIN)) tests/vm/truth $(WORKLOADS)

check-vm: $(BIN) $(VM_LOAD) ## record on Debian's 6.1 and 6.12 kernels, with modules
	$(Q)BUILD=$(abspath $(B)) ALLOCPROF=$(abspath $(BIN)) tests/vm/debian $(KERNELS)
	$(Q)BUILD=$(abspath $(B)) ALLOCPROF=$(abspath $(BIN)) tests/vm/group

FUZZ_SECONDS ?= 60
fuzz: ## run each fuzzer for FUZZ_SECONDS (60), with clang
	$(Q)$(MAKE) --no-print-directory VARIANT=fuzz CC=clang \
		SANITIZE=fuzzer-no-link,$(SAN) FUZZ_SECONDS=$(FUZZ_SECONDS) fuzz-run

fuzz-run: $(FUZZERS)
	$(Q)for f in $(FUZZERS); do \
		n=$${f##*/fuzz_}; mkdir -p $(B)/corpus/$$n tests/fuzz/crashes/$$n; \
		echo "$$n:"; \
		$$f -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -verbosity=0 \
			-print_final_stats=1 -artifact_prefix=tests/fuzz/crashes/$$n/ \
			$(B)/corpus/$$n $$(ls -d tests/fuzz/corpus/$$n 2>/dev/null) || exit 1; \
		rmdir tests/fuzz/crashes/$$n tests/fuzz/crashes 2>/dev/null; \
	done; true

bench: all $(TOOLS) ## measure speed, memory, loss and symbol lookup
	$(Q)BUILD=$(abspath $(B)) ALLOCPROF=$(abspath $(BIN)) tests/bench/run

format: ## lay out the sources as .clang-format says
	$(Q)git ls-files '*.c' '*.h' | xargs clang-format-14 -i

format-check: ## compare the sources with .clang-format
	$(Q)git ls-files '*.c' '*.h' | xargs clang-format-14 --dry-run --Werror

# apt-get is only asked for what dpkg does not have.
DEPS := gcc make pkg-config $(foreach l,$(LIBS),$(lastword $(subst :, ,$(l)))) \
	asciidoctor man-db trace-cmd elfutils sqlite3 xz-utils zstd debuginfod dwz clang
DEPS_VM := qemu-system-x86 busybox-static stress-ng cpio e2fsprogs xz-utils
deps: ## install what build, tests and demo need (Debian, as root)
	$(Q)packaging/install-packages $(DEPS)
deps-vm: ## install what the virtual machines need as well
	$(Q)packaging/install-packages $(DEPS_VM)

demo: deps ## install what is missing, build, record some seconds, print the report
	$(Q)$(MAKE) --no-print-directory all
	$(Q)ALLOCPROF=$(abspath $(BIN)) BUILD=$(abspath $(B)) tests/demo

man: $(MAN) ## build the man pages (asciidoctor)

install: $(BIN) $(EXT) $(if $(shell command -v asciidoctor),$(MAN),no-man) ## install to DESTDIR, PREFIX
	install -D -m 755 $(BIN) $(DESTDIR)$(BINDIR)/allocprof
	install -D -m 644 $(EXT) $(DESTDIR)$(LIBDIR)/allocprof.so
	$(foreach m,$(filter-out no-man,$(filter $(MAN),$^)), \
		install -D -m 644 $(m) $(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(m)))/$(notdir $(m)) &&) true
	install -D -m 644 packaging/allocprof.bash $(DESTDIR)$(COMPLETIONDIR)/allocprof

no-man:
	@echo 'asciidoctor not found: installing without man pages'

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(BINDIR)/allocprof $(DESTDIR)$(LIBDIR)/allocprof.so $(DESTDIR)$(COMPLETIONDIR)/allocprof
	rm -f $(foreach m,$(MAN),$(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(m)))/$(notdir $(m)))

dist: ## pack the sources of HEAD
	mkdir -p build
	git archive --prefix=allocprof-$(VERSION)/ -o build/allocprof-$(VERSION).tar.gz HEAD

clean: ## remove what was built
	rm -rf build allocprof

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

.PHONY: all tests check check-headers check-layers check-docs check-truth check-vm fuzz fuzz-run \
	bench format format-check deps deps-vm demo man install no-man uninstall dist clean help FORCE
