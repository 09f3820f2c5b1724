# queries.awk: sql/query/*.sql to the table of named statements.
#
#	awk -v engines="sqlite postgresql" -v want=h -f queries.awk FILE.sql... > queries.h	the enum
#	awk -v engines="sqlite postgresql" -v want=c -f queries.awk FILE.sql... > queries.c	the table
#
# db.h describes the entries. Comments and needless white space go, :name becomes ?1 or $1 (the same
# name the same number) outside quotes, types of casts get the engine's names, what the marks ask for
# is appended. Anything doubtful stops the build with file and line. POSIX awk.

function stop(line, message)
{
	printf "%s:%d: %s\n", file, line, message >"/dev/stderr"
	failed = 1
	exit 1
}

# The text without comments and with single blanks, the parameters marked as \001 and a letter (A the
# first); their names in order are left in params, divided by blanks.
function scan(text, line,    out, i, c, d, n, name, order, k)
{
	out = ""
	n = 0
	params = ""
	split("", order)
	for (i = 1; i <= length(text); i++) {
		c = substr(text, i, 1)
		d = substr(text, i, 2)
		if (c == "\n")
			line++
		if (c == "'" || c == "\"") {
			k = index(substr(text, i + 1), c)
			if (k == 0)
				stop(line, "a quote is not closed")
			out = out substr(text, i, k + 1)
			i += k
		} else if (d == "--") {
			k = index(substr(text, i), "\n")
			if (k == 0)
				break
			i += k - 2
		} else if (d == "/*") {
			stop(line, "comments are written with --")
		} else if (d == "::") {
			stop(line, "a cast is written CAST(x AS type): '::' is PostgreSQL's alone")
		} else if (c == "?" || c == "$") {
			stop(line, "parameters are written :name")
		} else if (c == ";") {
			if (substr(text, i + 1) !~ /^[ \t\n]*$/)
				stop(line, "an entry is one statement")
		} else if (c == ":") {
			if (!match(substr(text, i + 1), /^[a-z][a-z0-9_]*/))
				stop(line, "':' begins no parameter")
			name = substr(text, i + 1, RLENGTH)
			i += RLENGTH
			if (!(name in order)) {
				if (n == length(LETTERS))
					stop(line, "too many parameters in one piece")
				order[name] = substr(LETTERS, ++n, 1)
				params = params (n > 1 ? " " : "") name
			}
			out = out MARK order[name]
		} else if (c == " " || c == "\t" || c == "\n") {
			if (out != "" && out !~ / $/)
				out = out " "
		} else
			out = out c
	}
	sub(/ $/, "", out)
	if (out == "")
		stop(line, "the entry " entry " has no text")
	return out
}

# The text as C string literals, one a line.
function c_string(s,    out, line, i, c)
{
	out = line = ""
	for (i = 1; i <= length(s); i++) {
		c = substr(s, i, 1)
		if (c == "\\" || c == "\"")
			line = line "\\" c
		else if (c == MARK)
			line = line "\\001"
		else
			line = line c
		if (c == " " && length(line) > 72) {
			out = out "\n\t    \"" line "\""
			line = ""
		}
	}
	return out "\n\t    \"" line "\""
}

# \001A to ?1 or $1, unless it is a fragment, which sql.c numbers.
function number(s, sign,    i)
{
	for (i = 1; i <= length(LETTERS); i++)
		gsub(MARK substr(LETTERS, i, 1), sign i, s)
	return s
}

function sorted(list,    a, n, i, j, t, out)
{
	n = split(list, a, " ")
	for (i = 2; i <= n; i++) {
		t = a[i]
		for (j = i - 1; j >= 1 && a[j] > t; j--)
			a[j + 1] = a[j]
		a[j + 1] = t
	}
	out = ""
	for (i = 1; i <= n; i++)
		out = out a[i] " "
	return out
}

# Ends the entry that was being read. A text for one engine wins over the common one.
function finish(    e, i, t)
{
	if (entry == "")
		return
	t = scan(body, start)
	split(engine == "" ? engines : engine, e, " ")
	for (i = 1; i in e; i++) {
		if (engine == "" && (entry, e[i]) in text)
			continue
		text[entry, e[i]] = t
		names[entry, e[i]] = params
	}
	entry = ""
}

BEGIN {
	MARK = "\001"
	LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	nengines = split(engines, ENGINE, " ")
	count = 0
}

FNR == 1 {
	finish()
	file = FILENAME
}

/^--:/ {
	finish()
	entry = $2
	start = FNR + 1
	engine = ""
	body = ""
	if (entry !~ /^[a-z][a-z0-9_]*$/)
		stop(FNR, "a name is lower case letters, digits and _")
	mine = ""
	for (i = 3; i <= NF; i++) {
		if (is_engine($i))
			engine = $i
		else if ($i ~ /^(insert|or-nothing|fragment|stream|custom-plan|only)$/)
			mine = mine " " $i " "
		else
			stop(FNR, "unknown word " $i)
	}
	if ((entry, engine) in seen)
		stop(FNR, "the name " entry " stands in " seen[entry, engine] " already")
	seen[entry, engine] = FILENAME ":" FNR
	if (!(entry in place)) {
		list[++count] = entry
		place[entry] = FILENAME ":" FNR
		marks[entry] = mine
	} else if (marks[entry] != mine)
		stop(FNR, "the marks differ from those at " place[entry])
	next
}

entry == "" && !/^[ \t]*(--.*)?$/ {
	stop(FNR, "text before the first '--: name'")
}

{
	body = body $0 "\n"
}

function is_engine(word)
{
	return index(" " engines " ", " " word " ") > 0
}

# The first engine that has a text for the name.
function first(name,    e)
{
	for (e = 1; e <= nengines; e++)
		if ((name, ENGINE[e]) in text)
			return ENGINE[e]
	return ""
}

function flags(name,    f, t)
{
	f = ""
	if (marks[name] ~ / insert /)
		f = f " | QUERY_IS_INSERT"
	if (marks[name] ~ / or-nothing /)
		f = f " | QUERY_IS_OR_NOTHING"
	if (marks[name] ~ / fragment /)
		f = f " | QUERY_IS_FRAGMENT"
	if (marks[name] ~ / stream /)
		f = f " | QUERY_IS_STREAM"
	if (marks[name] ~ / custom-plan /)
		f = f " | QUERY_IS_CUSTOM_PLAN"
	t = toupper(text[name, first(name)])
	if (t ~ /^(SELECT|VALUES|WITH) / && t !~ /[^A-Z_](INSERT|UPDATE|DELETE) /)
		f = f " | QUERY_IS_READ"
	return f == "" ? "0" : substr(f, 4)
}

function statement(name, e,    t)
{
	if ((name, e) in nothing)
		return " NULL"
	t = text[name, e]
	if (marks[name] ~ / or-nothing /)
		t = t or_nothing(t, e)
	if (marks[name] ~ / insert / && e == "postgresql")
		t = t " RETURNING id"
	if (e == "mariadb")
		t = with_rows_written_out(with_types_of_mariadb(t))
	if (marks[name] !~ / fragment /)
		t = number(t, e == "postgresql" ? "$" : "?")
	return c_string(t)
}

# A row whose key is taken is passed over. MariaDB's INSERT IGNORE would pass over other mistakes too,
# so a taken row is given the value that it has.
function or_nothing(t, e,    table, column)
{
	if (e != "mariadb")
		return " ON CONFLICT DO NOTHING"
	table = t
	sub(/^INSERT INTO /, "", table)
	column = table
	sub(/ .*/, "", table)
	sub(/^[^(]*\(/, "", column)
	sub(/[,)].*/, "", column)
	return " ON DUPLICATE KEY UPDATE " column " = " table "." column
}

# "(a, b, c) < (x, y, z)" written out, "(a < x OR (a = x AND (b < y OR (b = y AND c < z))))": MariaDB
# uses no index for the comparison of rows.
function with_rows_written_out(t,    out, row, w, n, i, said)
{
	out = ""
	while (match(t, /\([a-z_.]+(, [a-z_.]+)+\) [<>] \([^ ()]+(, [^ ()]+)+\)/)) {
		row = substr(t, RSTART, RLENGTH)
		gsub(/[(),]/, "", row)
		n = (split(row, w, " ") - 1) / 2
		said = w[n] " " w[n + 1] " " w[2 * n + 1]
		for (i = n - 1; i >= 1; i--)
			said = "(" w[i] " " w[n + 1] " " w[n + 1 + i] " OR (" w[i] " = " w[n + 1 + i] \
			    " AND " said "))"
		out = out substr(t, 1, RSTART - 1) said
		t = substr(t, RSTART + RLENGTH)
	}
	if (t ~ /, [^()]*\) [<>]=? \(/) {
		printf "a comparison of rows that MariaDB has no index for: %s\n", t >"/dev/stderr"
		failed = 1
		exit 1
	}
	return out t
}

function with_types_of_mariadb(t)
{
	gsub(/ AS BIGINT\)/, " AS SIGNED)", t)
	gsub(/ AS DOUBLE PRECISION\)/, " AS DOUBLE)", t)
	gsub(/ AS TEXT\)/, " AS CHAR)", t)
	return t
}

END {
	if (failed)
		exit 1
	finish()
	for (i = 1; i <= count; i++) {
		n = list[i]
		f = first(n)
		for (k = 1; k <= nengines; k++) {
			e = ENGINE[k]
			if (!((n, e) in text) && marks[n] ~ / only / && marks[n] !~ / fragment /) {
				nothing[n, e] = 1
				names[n, e] = names[n, f]
			} else if (!((n, e) in text)) {
				printf "%s: %s has no text for %s\n", place[n], n, e >"/dev/stderr"
				exit 1
			}
			if (marks[n] !~ / fragment / && sorted(names[n, e]) != sorted(names[n, f])) {
				printf "%s: the parameters of %s differ between the engines\n",
				    place[n], n >"/dev/stderr"
				exit 1
			}
		}
	}
	print "/* Generated by lib/db/queries.awk from sql/query/: do not edit. */"
	if (want == "h") {
		print "#ifndef MERIDIAN_QUERIES_H\n#define MERIDIAN_QUERIES_H\n\nenum query_name {"
		for (i = 1; i <= count; i++)
			print "\tQUERY_" toupper(list[i]) ","
		print "\tQUERY_NAMES /* how many */\n};\n\n#endif"
		exit 0
	}
	print "#include \"db/driver.h\"\n\nconst struct query_def query_defs[] = {"
	for (i = 1; i <= count; i++) {
		n = list[i]
		where = place[n]
		sub(/^.*sql\/query\//, "", where)
		printf "\t{ \"%s\", \"%s\", %s,\n\t  {", n, where, flags(n)
		for (k = 1; k <= nengines; k++)
			printf "%s,", statement(n, ENGINE[k])
		printf " },\n\t  {"
		for (k = 1; k <= nengines; k++)
			printf "\n\t    \"%s\",", names[n, ENGINE[k]]
		print " } },"
	}
	print "};"
}
