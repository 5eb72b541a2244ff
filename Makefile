# SPDX-License-Identifier: GPL-2.0-or-later
#
# make help lists the targets. Objects go to build/<variant>/, so that a build
# with SANITIZE=address,undefined never disturbs the plain one. V=1 shows commands.

VERSION := 0.1.0
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
DATADIR ?= $(PREFIX)/share/allocprof
DESTDIR ?=
CC := $(if $(filter default,$(origin CC)),gcc,$(CC))
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
	libelf:libelf-dev sqlite3:libsqlite3-dev libzstd:libzstd-dev
PKGS := $(foreach l,$(LIBS),$(firstword $(subst :, ,$(l))))
MISSING := $(foreach l,$(LIBS),$(shell $(PKG_CONFIG) --exists $(firstword $(subst :, ,$(l))) \
	2>/dev/null || echo $(lastword $(subst :, ,$(l)))))
NEEDS_LIBS := $(filter-out help clean deps demo,$(or $(MAKECMDGOALS),all))
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

LIB_SRC := $(wildcard analyzer/*.c analyzer/*/*.c)
CMD_SRC := $(wildcard cmd/*.c)
TESTLIB_SRC := $(wildcard tests/lib/*.c)
# A test program is one .c file in one of these folders; a new one needs no list.
TEST_SRC := $(wildcard tests/unit/*.c tests/property/test_*.c tests/differential/*.c tests/live/*.c)
PROP_SRC := $(filter-out tests/property/test_%,$(wildcard tests/property/*.c))
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
TOOL_SRC := $(wildcard tests/tools/*.c tests/bench/*.c)
SQL := $(wildcard schema/*.sql schema/queries/*.sql)

objs = $(patsubst %.c,$(B)/%.o,$(1))
LIB := $(B)/liballocprof.a
BIN := $(B)/allocprof
TESTS := $(patsubst %.c,$(B)/%,$(TEST_SRC))
FUZZERS := $(patsubst %.c,$(B)/%,$(FUZZ_SRC))
TOOLS := $(patsubst %.c,$(B)/%,$(TOOL_SRC))
TESTLIB := $(call objs,$(TESTLIB_SRC) $(PROP_SRC))

all: $(BIN) ## build the program (the default)
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

$(B)/tests/unit/test_opt: $(B)/cmd/opt.o
$(TESTS): $(B)/%: $(B)/%.o $(TESTLIB) $(LIB)
	$(if $(Q),@echo '  LINK    $@')
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(TOOLS): $(B)/%: $(B)/%.o $(TESTLIB) $(LIB)
	$(if $(Q),@echo '  LINK    $@')
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter-out %/test.o,$^) $(LDLIBS)

# SQL and other texts become C string literals, which the compiler tracks.
$(B)/%.inc: % $(B)/flags
	@mkdir -p $(@D)
	$(Q)sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/"&\\n"/' $< >$@
$(B)/analyzer/store/schema.o: $(SQL:%=$(B)/%.inc)

$(B)/analyzer/resolve/rules.o: $(B)/analyzer/resolve/rules.txt.inc

-include $(shell find build -name '*.d' 2>/dev/null)

check: $(BIN) $(TESTS) $(TOOLS) ## run the tests
	$(Q)ALLOCPROF=$(abspath $(BIN)) BUILD=$(abspath $(B)) tests/run $(TESTS) \
		$(wildcard tests/cli/*.sh)

clean: ## remove what was built
	rm -rf build allocprof

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

.PHONY: all check clean help FORCE
