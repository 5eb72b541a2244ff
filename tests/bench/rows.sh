# SPDX-License-Identifier: GPL-2.0-or-later
# tests/bench/rows.sh - the table of make bench; sourced by the scripts that fill it

# The leading numbers of VALUE and TARGET are compared: "20 M/s" and "0 lost" are
# least and exact, as the sign in front of the target says ("≥ 20 M/s", "= 0 lost").
row() # WHAT VALUE TARGET [NOTE]
{
	local held=-

	case $3 in
	"≥ "* | "≤ "* | "= "*)
		held=$(awk -v v="${2%%[!0-9.]*}" -v t="$3" 'BEGIN {
			split(t, word, " "); n = word[2] + 0
			ok = v == "" ? 0 : word[1] == "≥" ? v >= n : word[1] == "≤" ? v <= n : v == n
			print ok ? "yes" : "NO" }') ;;
	esac
	printf '%-58s %16s  %-10s %-5s %s\n' "$1" "$2" "$3" "$held" "${4:-}"
}
none() # WHAT WHY
{
	row "$1" - - "not measured: $2"
}
calc()
{
	awk "BEGIN { printf \"$1\", $2 }"
}
