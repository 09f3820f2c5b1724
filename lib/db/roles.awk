# roles.awk: sql/roles to the table that the program carries.
#
#	awk -f roles.awk sql/roles > roles_table.c
#
# sql/roles describes its lines. "all" is written out: a row an executable, table and verb. POSIX awk.

function stop(message)
{
	printf "%s:%d: %s\n", FILENAME, FNR, message >"/dev/stderr"
	failed = 1
	exit 1
}

function row(executable, table, verb, columns,    except)
{
	except = columns ~ /^-/
	sub(/^-/, "", columns)
	gsub(/,/, " ", columns)
	printf "\t{ \"%s\", \"%s\", ROLE_%s, %s, %s },\n", executable, table, toupper(verb),
		columns == "" ? "NULL" : "\" " columns " \"", except ? "true" : "false"
}

BEGIN {
	print "/* made of sql/roles by roles.awk */"
	print "#include \"db/roles.h\"\n"
	print "const struct role_row role_rows[] = {"
}

/^[ \t]*(#|$)/ {
	next
}

$1 == "executables" {
	for (i = 2; i <= NF; i++)
		names[++n] = $i
	next
}

{
	if ($1 !~ /^[a-z][a-z0-9_]*$/ || NF < 3)
		stop("a line is a table, an executable and its verbs")
	known = $2 == "all"
	for (i = 1; i <= n; i++)
		known = known || names[i] == $2
	if (!known)
		stop($2 " is not one of the executables")
	for (k = 3; k <= NF; k++) {
		if ($k !~ /^(read|add|change|delete)$/ && $k !~ /^(read|change)\(-?[a-z0-9_]+(,[a-z0-9_]+)*\)$/)
			stop($k " is no verb")
		verb = columns = $k
		sub(/\(.*/, "", verb)
		if (!sub(/^[a-z]*\(/, "", columns))
			columns = ""
		sub(/\)$/, "", columns)
		for (i = 1; i <= n; i++)
			if ($2 == "all" || $2 == names[i])
				row(names[i], $1, verb, columns)
	}
}

END {
	if (failed)
		exit 1
	print "\t{ NULL, NULL, ROLE_READ, NULL, false }\n};\n"
	print "const char *const role_names[] = {"
	for (i = 1; i <= n; i++)
		printf "\t\"%s\",\n", names[i]
	print "\tNULL\n};"
}
