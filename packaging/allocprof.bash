# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion of allocprof: commands and options as the program lists them.

# What the program says there is, when it is asked for what there is not.
_allocprof_values() # COMMAND OPTION
{
	local inputs=
	[ "$1" = diff ] && inputs='old new'
	"${COMP_WORDS[0]}" "$1" "$2" '?' $inputs 2>&1 </dev/null |
		sed -n "s/.*; there are \(.*\) (try .*/\1/p" | sed 's/caller N/caller/' | tr ',' ' '
}

_allocprof_queries()
{
	"${COMP_WORDS[0]}" sql --list 2>/dev/null | sed -n 's/^\([a-z_]*\)  *.*/\1/p'
}

_allocprof()
{
	local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]}

	if [ "$COMP_CWORD" -eq 1 ] || { [ "$command" = help ] && [ "$COMP_CWORD" -eq 2 ]; }; then
		COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" -h 2>/dev/null |
			sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p') --help --version" -- "$word"))
		return
	fi
	local words
	case $command/$previous in
	record/-e | record/--event | top/-e | top/--event) words='slab page percpu vmalloc' ;;
	record/--realtime) words='auto off' ;;
	record/--stacks) words='none page all' ;;
	diff/--per) words='second GB' ;;
	*/--help | */-h | */--version) return ;;
	*/--kind | */--format | */--sort | */-s | report/--by | diff/--metric | diff/-m | \
		report/-f | leaks/-f | diff/-f | sql/-f | doctor/-f)
		words=$(_allocprof_values "$command" "$previous") ;;
	sql/-*) ;;
	sql/*) [[ $word == -* ]] || words=$(_allocprof_queries) ;;
	esac
	if [ -n "$words" ]; then
		COMPREPLY=($(compgen -W "$words" -- "$word"))
		return
	fi
	case $word in
	-*)
		COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" "$command" -h 2>/dev/null |
			grep -oE '(^|[ ,])--?[A-Za-z][a-z-]*' | tr -d ' ,' | sort -u)" -- "$word"))
		;;
	esac
}
complete -o default -F _allocprof allocprof
