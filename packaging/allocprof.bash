# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion of allocprof: commands and options as the program lists them.
_allocprof()
{
	local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]}

	if [ "$COMP_CWORD" -eq 1 ] || { [ "$command" = help ] && [ "$COMP_CWORD" -eq 2 ]; }; then
		COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" -h 2>/dev/null |
			sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p') --help --version" -- "$word"))
		return
	fi
	case $previous in
	--kind | -e | --events)
		COMPREPLY=($(compgen -W 'slab page percpu vmalloc any' -- "$word"))
		return
		;;
	--format | -f)
		COMPREPLY=($(compgen -W 'table csv json markdown allocinfo' -- "$word"))
		return
		;;
	--metric | -m)
		COMPREPLY=($(compgen -W 'bytes calls alloc_bytes allocs frees peak waste failures' -- "$word"))
		return
		;;
	--per)
		COMPREPLY=($(compgen -W 'second GB' -- "$word"))
		return
		;;
	esac
	case $word in
	-*)
		COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" "$command" -h 2>/dev/null |
			grep -oE '(^|[ ,])--?[A-Za-z][a-z-]*' | tr -d ' ,' | sort -u)" -- "$word"))
		;;
	esac
}
complete -o default -F _allocprof allocprof
