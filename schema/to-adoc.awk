# SPDX-License-Identifier: GPL-2.0-or-later
#
# awk -f schema/to-adoc.awk schema/views.sql - allocprof-schema(5) from the
# comments: the one above a CREATE VIEW tells what it is, the one behind a
# column what that column holds. A column without a comment is an error. Views whose
# names start with an underscore are left out.
function flush() {
	if (column == "")
		return
	if (meaning == "") {
		print FILENAME ": " view "." column " has no comment" > "/dev/stderr"
		failed = 1
	}
	if (!private)
		printf "*%s*::\n\t%s\n", column, meaning
	column = meaning = ""
}

BEGIN {
	while ((getline line < "Documentation/man/allocprof-schema.5.head") > 0)
		print line
}

/^--/ {
	text = substr($0, 4)
	above = above (above == "" ? "" : "\n") text
	next
}

/^CREATE VIEW/ {
	view = $3
	private = view ~ /^_/
	if (!private)
		printf "== %s\n\n%s\n\n", toupper(view), above
	in_view = 1
	next
}

/^$/ { above = "" }
!in_view { next }

# The columns end where the tables begin.
/^(FROM|JOIN|WHERE|GROUP|ORDER)/ || /;$/ {
	flush()
	if ($0 ~ /;$/) {
		in_view = 0
		if (!private)
			print ""
	}
	next
}
/^SELECT/ { next }

{
	comment = ""
	code = $0
	if (match($0, /--/)) {
		comment = substr($0, RSTART + 3)
		code = substr($0, 1, RSTART - 1)
	}
	gsub(/^[ \t]+|[ \t]+$/, "", code)
	# A line of nothing but a comment goes on with the one before.
	if (code == "") {
		meaning = meaning " " comment
		next
	}
	if (comment == "") {
		expression = 1
		next
	}
	flush()
	sub(/,$/, "", code)
	column = code
	if (match(code, /.* AS /))
		column = substr(code, RLENGTH + 1)
	else if (match(code, /^AS /))
		column = substr(code, 4)
	meaning = comment
}

END { exit failed }
