#!/usr/bin/env python3
"""Expressions by the thousand, and what ansible-core makes of each.

    generate.py [--seed N] [--count N] [FILE]     cases with ansible-core's answers (to standard output without FILE)
    generate.py --show N --seed S                 what ansible-core says to case N, errors in full

The first line has the variables. A case is one line of JSON: [kind, text, answer]. The kind is `text` (a text in YAML), `file` (the text of a template file)
or `when` (a condition). The answer is a list of one value, or nothing where ansible-core refuses. The same seed gives
the same cases. Needs ansible-core 2.19.
"""

import argparse
import json
import math
import pathlib
import random
import sys
import warnings

VARS = {
    "n": 5, "neg": -3, "zero": 0, "big": 123456789012, "f": 2.5, "tiny": 0.00001, "e20": 1e20,
    "yes": True, "no": False, "nil": None,
    "s": "hello World", "empty": "", "num": "42", "hex": "0x1f", "words": "one two,three  four", "multi": "first\n  second\n\nlast\n",
    "uni": "äÖß ñ", "path": "/etc/ssh/conf.d/x.conf", "truthy": "yes", "falsy": "no", "quoted": "it's \"so\"", "back": "a\\b\\1",
    "html": "<b>x & y</b>", "csv": "a:1;b:2", "url": "https://user@example.org:8080/a/b?x=1&y=2#frag", "js": '{"k": [1, 2.0, null, true]}',
    "yml": "a: 1\nb: [x, yes, 012]\n", "ver": "1.10.2",
    "l": [3, 1, 2], "ls": ["b", "a", "C", "a"], "mixed": [1, "a", None, True, 2.5], "nested": [[1, 2], [3, [4, []]], []], "le": [],
    "floats": [1.5, 2.0, -0.25], "pairs": [["a", 1], ["b", 2]],
    "d": {"a": 1, "b": {"c": [1, 2], "d": None}, "z": "x"}, "de": {}, "flat": {"b": 2, "a": 1, "C": 3}, "items": {"keys": 1, "items": [1]},
    "users": [{"name": "bob", "age": 30, "groups": ["a", "b"], "sys": False}, {"name": "al", "age": 25, "groups": [], "sys": True}, {"name": "cy", "groups": ["c"], "sys": False}],
    "kv": [{"key": "a", "value": 1}, {"key": "b", "value": [2]}],
    "lazy": "{{ n + 1 }}", "lazytext": "<{{ s }}>", "lazylist": ["{{ n }}", "{{ s }}", 3], "lazydict": {"x": "{{ f }}", "y": ["{{ nil }}"]},
    "broken": "{{ missing }}", "brokenlist": [1, "{{ missing }}"],
}

# Names by the kind of value that they hold.
NAMES = {
    "int": ["n", "neg", "zero", "big", "lazy"],
    "float": ["f", "tiny", "e20"],
    "bool": ["yes", "no"],
    "str": ["s", "empty", "num", "hex", "words", "multi", "uni", "path", "truthy", "falsy", "quoted", "back", "html", "csv", "url", "js", "yml", "ver", "lazytext"],
    "ints": ["l", "le"],
    "strs": ["ls", "le"],
    "list": ["l", "ls", "mixed", "nested", "le", "floats", "pairs", "users", "kv", "lazylist", "brokenlist"],
    "dict": ["d", "de", "flat", "items", "lazydict"],
    "users": ["users"],
    "undef": ["missing", "d.nope", "missing.a.b", "l[9]", "d['nope']", "broken", "brokenlist[1]", "nil.x", "('x' if no)", "users[2].age"],
    "nil": ["nil", "none", "None"],
}

LITERALS = {
    "int": ["0", "1", "2", "3", "7", "10", "-1", "255", "1_000", "0x1F", "0b101", "0o17"],
    "float": ["0.5", "1.0", "2.75", "1e3", "1.5e-3", "-0.0", "100.0"],
    "bool": ["true", "false", "True", "False"],
    "str": ["''", "'a'", "\"b c\"", "'hello World'", "'42'", "'3.7'", "'yes'", "' pad '", "'a,b;c'", "'x.y.z'", "'A_b-C d'", "'é'", "'%s'", "'\\n'", "'a\\tb'", "'it\\'s'", "'\\\\d+'", "'[a-z]+'", "'/a/../b//c'", "'x' 'y'"],
    "ints": ["[1, 2, 3]", "[5, 5, -1]", "[]", "[2]", "range(3)", "range(2, 9, 3)", "(1, 2)"],
    "strs": ["['a', 'b']", "['x']", "['b', 'B', 'a']", "[]", "('q', 'r')"],
    "list": ["[1, 'a', none]", "[[1, 2], [3]]", "[true, 0]", "(1, 'x')", "[{}]", "[1.0, 1, '1']"],
    "dict": ["{}", "{'a': 1}", "{'k': 'v', 'n': [1]}", "{'a': {'b': {'c': 1}}}", "dict(x=1, y='2')", "dict([['p', 1]])", "{1: 'one', 'two': 2}", "{'b': 1, 'a': 2}"],
    "users": ["[{'name': 'x', 'age': 1, 'groups': ['q'], 'sys': true}]"],
    "undef": ["undefined_name", "{}.x", "[][0]"],
    "nil": ["none"],
}

# Filters: what goes in, the arguments (with kinds in angle brackets), what comes out.
FILTERS = """
abs int|float - =
attr dict ('a') any
attr str ('nope') any
b64encode str - str
b64decode str - str
basename str - str
dirname str - str
batch list (<small>) list
batch list (<small>,<str>) list
bool any - bool
capitalize str|any - str
center str (<width>) str
checksum str - str
combine dict (<dict>) dict
combine dict (<dict>,recursive=true) dict
combine dict (<dict>,list_merge='append') dict
comment str - str
comment str ('c') str
count list|str|dict - int
default any ('dflt') any
default any ('dflt',true) any
default undef (<any>) any
d undef (<any>) any
dict2items dict - list
dict2items dict (key_name='k',value_name='v') list
dictsort dict - list
dictsort dict (by='value') list
dictsort dict (true,reverse=true) list
difference list (<list>) list
intersect list (<list>) list
union list (<list>) list
symmetric_difference list (<list>) list
escape str|any - str
e str - str
extract int (<list>) any
extract str (<dict>) any
filesizeformat int|float - str
filesizeformat int (true) str
first list|str - any
last list|str - any
flatten list - list
flatten list (levels=1) list
flatten list (skip_nulls=false) list
float any - float
float any (<float>) float
forceescape str - str
format fmt (<any>) str
from_json js - any
from_yaml yml - any
from_yaml_all yml - list
groupby users ('sys') list
groupby users ('age',default=0) list
hash str ('sha256') str
hash str ('md5') str
md5 str - str
sha1 str - str
human_readable int|float - str
human_readable int (true) str
human_readable int (unit='M') str
human_to_bytes size - int
indent str (<small>) str
indent str (width=4,first=true) str
indent str (2,blank=true) str
int any - int
int any (<int>) int
int str (base=16) int
int str (5,8) int
items dict - list
items2dict kvs - dict
join list (<sep>) str
join list|str - str
join users (',',attribute='name') str
length list|str|dict - int
list any - list
log int|float - float
log int (2) float
log int (10) float
lower str|any - str
upper str|any - str
title str|any - str
mandatory any - any
map list ('string') list
map ints ('abs') list
map strs ('upper') list
map users (attribute='name') list
map users (attribute='age',default=0) list
map users (attribute='groups.0') list
map list ('default','x') list
map strs ('regex_replace','a','b') list
map nestedlist ('first') list
map list ('int') list
map list ('type_debug') list
max ints|strs|list - any
min ints|strs|list - any
max users (attribute='name') any
normpath str - str
path_join strs - str
permutations ints - list
permutations strs (2) list
combinations ints (2) list
pow int (<smallint>) any
root int|float - float
root int (3) float
pprint any - str
product ints (<strs>) list
quote str|any - str
regex_escape str - str
regex_findall str (<re>) list
regex_findall str (<re>,multiline=true,ignorecase=true) list
regex_replace str (<re>,<repl>) str
regex_replace str (<re>,<repl>,count=1) str
regex_search str (<re>) any
regex_search str ('(.)(.)','\\\\2','\\\\1') list
reject list ('none') list
reject ints ('odd') list
reject list ('string') list
select list - list
select list ('defined') list
select ints ('gt',1) list
select ints ('>=',<int>) list
select strs ('match','a') list
select list ('in',<list>) list
select ints ('divisibleby',2) list
selectattr users ('sys') list
selectattr users ('age','defined') list
selectattr users ('name','equalto','bob') list
selectattr users ('groups','contains','a') list
rejectattr users ('sys') list
rejectattr users ('name','in',['al']) list
rekey_on_member users ('name') dict
relpath str ('/etc') str
replace str (<str>,<str>) str
replace str ('o','0',1) str
reverse list|str - list
round float|int - float
round float (1) float
round float (0,'floor') float
round float (method='ceil') float
round float (1)|int int
safe str - str
shuffle list (seed='abc') list
shuffle list (seed=42) list
random ints (seed='host1') any
random int (seed=7) int
slice list (<small>) list
sort ints|strs|list - list
sort strs (reverse=true) list
sort strs (case_sensitive=true) list
sort users (attribute='name') list
sort users (attribute='age,name') list
split str - list
split str (<sep>) list
split str (',',1) list
splitext str - list
strftime datefmt (0,utc=true) str
string any - str
striptags str - str
subelements users ('groups') list
subelements users ('nope',skip_missing=true) list
sum ints - int
sum list - any
sum users (attribute='age') any
sum ints (start=10) int
sum nestedlist (start=[]) list
ternary any ('yes','no') str
ternary bool (<any>,<any>) any
ternary any ('a','b','c') str
to_datetime date ('%Y-%m-%d') any
to_json any - str
to_json any (sort_keys=true) str
to_nice_json any - str
to_nice_json any (indent=2) str
to_yaml any - str
to_nice_yaml any - str
to_nice_yaml any (indent=2) str
to_uuid str - str
tojson any - str
tojson dict (indent=2) str
trim str|any - str
trim str (<str>) str
truncate str (<width>) str
truncate str (7,true) str
truncate str (7,false,'..',0) str
type_debug any - str
unique list - list
unique strs (case_sensitive=true) list
unique users (attribute='sys') list
urldecode str - str
urlencode str|dict - str
urlize str - str
urlsplit str - dict
urlsplit str ('hostname') str
urlsplit str ('query') str
win_basename str - str
win_dirname str - str
win_splitdrive str - list
wordcount str - int
wordwrap str (<width>) str
xmlattr dict - str
zip list (<list>) list
zip_longest list (<list>,fillvalue='-') list
"""

TESTS = """
abs str -
all list -
any list -
boolean any -
callable any -
contains list (<any>)
contains dict ('a')
defined any -
defined undef -
divisibleby int (<pos>)
eq any (<any>)
equalto any (<any>)
even int -
odd int -
exists str -
false any -
true any -
falsy any -
truthy any -
truthy any (convert_bool=true)
filter str -
float any -
ge int (<int>)
gt int (<int>)
greaterthan int (<float>)
in any (<list>)
in str (<str>)
in str (<dict>)
integer any -
iterable any -
le int (<int>)
lessthan int (<int>)
lt any (<any>)
lower str -
upper str -
mapping any -
match str (<re>)
search str (<re>)
search str (<re>,ignorecase=true)
regex str (<re>)
nan float|int -
ne any (<any>)
none any -
number any -
sameas any (none)
sameas any (true)
sequence any -
string any -
subset list (<list>)
superset list (<list>)
undefined any -
undefined undef -
uri any -
url str -
urn str -
version ver (<ver>,'>=')
version ver (<ver>,operator='lt',strict=false)
vault_encrypted any -
"""

METHODS = """
upper str - str
lower str - str
title str - str
strip str - str
strip str ('a') str
lstrip str - str
rstrip str - str
split str - list
split str (',') list
split str (' ',1) list
rsplit str (',',1) list
splitlines str - list
splitlines str (true) list
join sep (<strs>) str
replace str ('o','0') str
replace str ('l','L',1) str
startswith str ('h') bool
startswith str (('h','/')) bool
endswith str ('d') bool
find str ('o') int
rfind str ('o') int
index str ('o') int
count str ('l') int
isdigit str - bool
isalpha str - bool
isalnum str - bool
islower str - bool
isupper str - bool
isspace str - bool
istitle str - bool
isnumeric str - bool
isidentifier str - bool
isdecimal str - bool
isascii str - bool
capitalize str - str
casefold str - str
swapcase str - str
center str (15,'*') str
ljust str (12) str
rjust str (12,'.') str
zfill str (8) str
expandtabs str - str
partition str (' ') list
rpartition str (' ') list
removeprefix str ('he') str
removesuffix str ('ld') str
format fmtm (<any>) str
encode str ('utf-8') any
items dict - list
keys dict - list
values dict - list
get dict ('a') any
get dict ('nope') any
get dict ('nope',<any>) any
copy dict - dict
copy list - list
index list (1) int
count list ('a') int
pop dict ('a') any
pop list - any
append list (<any>) nil
extend list (<list>) nil
insert list (0,<any>) nil
remove list ('a') nil
sort ints - nil
reverse list - nil
update dict (<dict>) nil
setdefault dict ('q',<int>) any
fromkeys dict (<strs>) dict
bit_length int - int
is_integer float - bool
"""


def table(text):
    rows = []
    for line in text.strip().splitlines():
        name, kinds, rest = line.split(" ", 2) if line.count(" ") > 1 else (*line.split(" ", 1), "-")
        args, _, out = rest.rpartition(" ") if rest != "-" and not rest.endswith(")") else (rest, "", "bool")
        if rest.endswith(")") or rest == "-":
            args, out = rest, "bool"
        rows.append((name, kinds.split("|"), "" if args == "-" else args, out))
    return rows


FILTER_ROWS, TEST_ROWS, METHOD_ROWS = table(FILTERS), table(TESTS), table(METHODS)
BLOCK_FILTERS = ["upper", "indent(2)", "replace('a', 'b')", "trim"]
PLAIN = ["int", "float", "bool", "str", "list", "dict", "undef", "nil", "ints", "strs"]


class Maker:
    """Makes expressions of a kind. Now and then one of another kind, since what is refused must be refused."""

    def __init__(self, chance):
        self.chance = chance

    def pick(self, options):
        return self.chance.choice(options)

    def maybe(self, share):
        return self.chance.random() < share

    def fill(self, pattern, depth):
        out, rest = "", pattern
        while "<" in rest:
            head, rest = rest.split("<", 1)
            kind, closed, tail = rest.partition(">")
            if not closed or not kind.isalpha():
                out += head + "<"
                continue
            out, rest = out + head + self.make(kind, depth), tail
        return out + rest

    def make(self, kind, depth):
        if kind == "any":
            kind = self.pick(["int", "float", "bool", "str", "str", "list", "dict", "ints", "strs", "nil", "users"] + (["undef"] if self.maybe(0.3) else []))
        elif self.maybe(0.04):
            kind = self.pick(PLAIN)
        small = {
            "small": ["1", "2", "3", "0"], "width": ["5", "10", "12", "30"], "smallint": ["0", "2", "3", "-1", "0.5"], "pos": ["2", "3", "0"],
            "sep": ["','", "' '", "''", "'-'", "', '"],
            "re": ["'o'", "'[a-z]+'", "'^h'", "'(\\\\w+) (\\\\w+)'", "'l{2}'", "'\\\\s+'", "'$'", "'(?i)WORLD'", "'(?P<first>.)o'", "'x*'", "'.'", "'\\\\bW'"],
            "repl": ["'X'", "''", "'\\\\1'", "'<\\\\g<0>>'", "'-\\\\2'"],
            "fmt": ["'%s'", "'%5d'", "'%-5s|'", "'%05.2f'", "'%x'", "'%%%s'", "'%r'", "'%s %s'", "'%e'", "'%+d'"],
            "fmtm": ["'{}'", "'{0}-{0}'", "'{:>8}'", "'{:05d}'", "'{:.2f}'", "'{!r}'", "'{{}}{}'"],
            "js": ["js", "'[1, \"a\"]'", "'{\"a\": {\"b\": null}}'", "'3'", "'x'", "'1.50'"],
            "yml": ["yml", "'a: 1'", "'[x, yes, 1.5]'", "'- 1\\n- ~\\n'", "'2024-01-02'", "'12:30'"],
            "size": ["'10 MB'", "'1.5G'", "'512'", "'2 KiB'", "'3k'", "'x'"],
            "datefmt": ["'%Y-%m-%d'", "'%H:%M:%S %j'", "'%a %b %e'"],
            "date": ["'2024-02-29'", "'1999-12-31'", "'x'"],
            "ver": ["ver", "'1.2'", "'1.10'", "'2.0.0'", "'1.10.2'", "'0.9rc1'"],
            "kvs": ["kv", "[{'key': 'x', 'value': none}]", "(flat|dict2items)"],
            "nestedlist": ["[[1, 2], [3]]", "pairs", "nested"],
        }
        if kind in small:
            return self.pick(small[kind])
        if depth <= 0 or self.maybe(0.25):
            return self.pick(NAMES[kind] if self.maybe(0.6) else LITERALS[kind])
        return self.deep(kind, depth - 1)

    def deep(self, kind, depth):
        ways = [self.filtered, self.filtered, self.filtered, self.chosen, self.method, self.special]
        if kind in ("int", "float", "bool"):
            ways += [self.operated, self.operated]
        return self.pick(ways)(kind, depth)

    def rows(self, rows, kind):
        fits = [row for row in rows if row[3] in (kind, "any") or (row[3] == "=" and kind in row[1]) or kind in ("ints", "strs", "users") and row[3] == "list"]
        return fits or rows

    def filtered(self, kind, depth):
        name, kinds, args, _ = self.pick(self.rows(FILTER_ROWS, kind))
        return f"({self.make(self.pick(kinds), depth)} | {name}{self.fill(args, depth)})"

    def method(self, kind, depth):
        name, kinds, args, _ = self.pick(self.rows(METHOD_ROWS, kind))
        args = self.fill(args, depth) or "()"
        return f"({self.make(self.pick(kinds), depth)}).{name}{args}"

    def chosen(self, kind, depth):
        condition = self.make("bool", depth)
        if self.maybe(0.2):
            return f"({self.make(kind, depth)} if {condition})"
        return f"({self.make(kind, depth)} if {condition} else {self.make(kind, depth)})"

    def test(self, depth):
        name, kinds, args, _ = self.pick(TEST_ROWS)
        negated = "not " if self.maybe(0.2) else ""
        return f"({self.make(self.pick(kinds), depth)} is {negated}{name}{self.fill(args, depth)})"

    def operated(self, kind, depth):
        if kind == "bool":
            return self.pick([self.test, self.test, self.compared, self.compared, self.logic, self.negated])(depth)
        sign = self.pick(["+", "-", "*", "/", "//", "%", "**", "+", "-"])
        other = self.pick(["2", "3", "-2", "0.5"]) if sign == "**" else self.make(self.pick(["int", "float", "int"]), depth)
        left = self.make(self.pick([kind, "int", "float"]), 0 if sign == "**" else depth)
        return f"({left} {sign} {other})" if self.maybe(0.8) else f"(-{left})"

    def compared(self, depth):
        kind = self.pick(["int", "float", "str", "list", "any", "bool", "dict"])
        sign = self.pick(["==", "!=", "<", "<=", ">", ">=", "==", "in", "not in"])
        if "in" in sign:
            return f"({self.make('any', depth)} {sign} {self.make(self.pick(['list', 'dict', 'str', 'strs']), depth)})"
        other = kind if self.maybe(0.8) else "any"
        chain = f" {self.pick(['<', '==', '>='])} {self.make(other, 0)}" if self.maybe(0.1) else ""
        return f"({self.make(kind, depth)} {sign} {self.make(other, depth)}{chain})"

    def logic(self, depth):
        kind = "bool" if self.maybe(0.6) else "any"
        return f"({self.make(kind, depth)} {self.pick(['and', 'or'])} {self.make(kind, depth)})"

    def negated(self, depth):
        return f"(not {self.make(self.pick(['bool', 'any']), depth)})"

    def special(self, kind, depth):
        """What is not a filter, a method or an operator."""
        whole = self.make("list", depth)
        ways = {
            "str": [lambda: f"({self.make('any', depth)} ~ {self.make('any', depth)})", lambda: f"({self.make('str', depth)} + {self.make('str', depth)})",
                    lambda: f"({self.make('str', depth)} * {self.pick(['2', '0', '-1', '3'])})", lambda: f"({self.make('fmt', 0)} % {self.make('any', depth)})",
                    lambda: f"({self.make('fmt', 0)} % ({self.make('any', 0)}, {self.make('int', 0)}))", lambda: f"{self.make('str', depth)}[{self.slice()}]",
                    lambda: f"{self.pick(NAMES['str'])}[{self.pick(['0', '-1', '2', '1:3', '::-1'])}]"],
            "list": [lambda: f"({whole} + {self.make('list', depth)})", lambda: f"({whole} * 2)", lambda: f"{whole}[{self.slice()}]",
                     lambda: f"[{self.make('any', depth)}, {self.make('any', depth)}]", lambda: f"({self.make('any', depth)}, {self.make('any', depth)})",
                     lambda: f"lookup('items', {whole}, wantlist=true)", lambda: f"query('dict', {self.make('dict', depth)})",
                     lambda: f"q('sequence', 'start=1 end={self.pick('345')}')", lambda: f"lookup('{self.pick(['list', 'nested', 'together', 'indexed_items'])}', {whole}, {self.make('list', 0)})"],
            "dict": [lambda: f"{{'a': {self.make('any', depth)}, 'b': {self.make('any', depth)}}}", lambda: f"dict({self.make('dict', depth)}, w={self.make('any', 0)})",
                     lambda: f"{{'x': {{'y': {self.make('any', depth)}}}}}"],
        }
        general = [lambda: f"d{self.pick(['.a', '.b', '.b.c', '.b.c[0]', '.b.c.0', '.z', '.nope', '[s]', '.get(s)'])}", lambda: f"users[{self.pick(['0', '1', '-1'])}].{self.pick(['name', 'age', 'groups', 'sys'])}",
                   lambda: f"{self.pick(['l', 'ls', 'mixed', 'lazylist'])}[{self.pick(['0', '-1', '1', '5', 'n'])}]", lambda: f"{self.pick(['users', 'kv'])}[0]",
                   lambda: f"items.{self.pick(['keys', 'items', 'values'])}", lambda: f"lookup('vars', '{self.pick(['n', 'd', 'lazy', 'nope'])}')",
                   lambda: f"lookup('vars', 'nope', default={self.make('any', 0)})", lambda: f"lazydict.{self.pick(['x', 'y', 'y[0]'])}"]
        return self.pick(ways.get(kind, []) + general)()

    def slice(self):
        bound = lambda: self.pick(["", "0", "1", "2", "-1", "-2", "10"])
        return f"{bound()}:{bound()}" + (f":{self.pick(['1', '2', '-1', '-2'])}" if self.maybe(0.4) else "")

    def expression(self):
        return self.make("any", self.pick([1, 2, 2, 3, 3, 4]))

    def text(self):
        first = self.expression()
        if self.maybe(0.75):
            return "{{ " + first + " }}"
        second = self.make(self.pick(["str", "int", "any", "undef", "float", "nil"]), 1)
        return self.pick(["a {{ %s }} b", "{{ %s }}{{ %s }}", "{{ %s }} ", "{{ %s }}\n", "{%% if %s %%}y{%% else %%}n{%% endif %%}", "{%% for i in %s %%}{{ i }},{%% endfor %%}",
                          "{%% set x = %s %%}{{ x }}", "<{{- %s -}}>", "{{ %s }}{# no #}", "{%% if %s %%}{{ %s }}{%% endif %%}"]).replace("%s", "\0", 1).replace("%s", second).replace("\0", first).replace("%%", "%")

    def block(self, depth=2):
        """Statements, as template files hold them."""
        one = lambda kind="any": self.make(kind, 1)
        inner = lambda: self.block(depth - 1) if depth > 0 else self.pick(["x\n", "{{ n }}\n", "  {{ s }}\n", "-"])
        ways = [
            lambda: f"{{{{ {self.expression()} }}}}\n",
            lambda: f"a: {{{{ {one()} }}}}\n{inner()}",
            lambda: f"{{% if {one('bool')} %}}\n{inner()}{{% elif {one('any')} %}}\nE\n{{% else %}}\n{inner()}{{% endif %}}\n",
            lambda: f"{{% for x in {one('list')} %}}\n{{{{ loop.index }}}}={{{{ x }}}}{self.pick(['', ' {{ loop.last }}', ' {{ loop.previtem | default(0) }}', ' {{ loop.cycle(1, 2) }}'])}\n{{% else %}}\nnone\n{{% endfor %}}\n",
            lambda: f"{{% for k, v in {one('dict')}.items() %}}\n{{{{ k }}}}:{{{{ v }}}}\n{{% endfor %}}\n{inner()}",
            lambda: f"{{% for x in {one('ints')} if x {self.pick(['> 1', 'is odd', '== 2'])} %}}{{{{ x }}}}{{{{ ', ' if not loop.last }}}}{{% endfor %}}\n",
            lambda: f"{{% set x = {one()} %}}\n[{{{{ x }}}}]\n{{% if x %}}t{{% endif %}}\n",
            lambda: f"{{% set ns = namespace(v={one('int')}) %}}\n{{% for i in {one('ints')} %}}{{% set ns.v = ns.v + i %}}{{% endfor %}}\n{{{{ ns.v }}}}\n",
            lambda: f"{{% macro m(a, b={one()}) %}}<{{{{ a }}}}|{{{{ b }}}}|{{{{ varargs | length }}}}|{{{{ kwargs.keys() | list }}}}>{{% endmacro %}}\n{{{{ m({one()}{self.pick(['', ', 2', ', 2, 3', ', z=1', ', b=' + one()])}) }}}}\n",
            lambda: f"{{% macro w() %}}({{{{ caller({one('int')}) }}}}){{% endmacro %}}\n{{% call(q) w() %}}{{{{ q }}}}!{{% endcall %}}\n",
            lambda: f"{{% filter {self.pick(BLOCK_FILTERS)} %}}\n{inner()}{{% endfilter %}}\n",
            lambda: f"{{% set body %}}\n{inner()}{{% endset %}}\n{{{{ body | trim }}}}\n",
            lambda: f"{{% with x = {one()}, y = 2 %}}{{{{ x }}}}{{{{ y }}}}{{% endwith %}}\n",
            lambda: f"{{% set acc = [] %}}\n{{% for i in {one('list')} %}}{{% set _ = acc.append(i) %}}{{% endfor %}}\n{{{{ acc }}}}\n",
            lambda: f"{{%- if {one('bool')} -%}}  y  {{%- endif +%}}\n  {{{{- {one()} }}}}\n",
            lambda: f"{{# c #}}{{% raw %}}{{{{ n }}}}{{% endraw %}}{inner()}",
            lambda: f"{{% do acc2.append({one()}) if acc2 is defined %}}\n{inner()}",
            lambda: f"{{% for x in {one('list')} recursive %}}{{{{ x if x is not iterable else '[' ~ loop(x) ~ ']' }}}}{{% endfor %}}\n",
            lambda: f"{{% for a in {one('list')} %}}{{% for b in {one('ints')} %}}{{{{ loop.index0 }}}}{{% if loop.first %}}^{{% endif %}}{{% endfor %}}{{% endfor %}}\n",
            lambda: f"{{% for x in {one('ints')} %}}{{% if x == 2 %}}{{% {self.pick(['break', 'continue'])} %}}{{% endif %}}{{{{ x }}}}{{% endfor %}}\n",
            lambda: f"{{% for g, us in users | groupby('sys') %}}{{{{ g }}}}:{{{{ us | map(attribute='name') | join(',') }}}};{{% endfor %}}\n",
        ]
        return self.pick(ways)()

    def case(self):
        way = self.chance.random()
        if way < 0.15:
            return "when", self.make("bool", 3) if self.maybe(0.85) else self.expression()
        if way < 0.35:
            return "file", self.block() + (self.block() if self.maybe(0.3) else "") + self.pick(["", "end", "end\n", "\n"])
        return "text", self.text()


class Ansible:
    """ansible-core's answers."""

    def __init__(self):
        from ansible.parsing.dataloader import DataLoader
        from ansible.plugins.loader import init_plugin_loader
        from ansible.template import Templar, trust_as_template
        from ansible.utils.display import Display

        warnings.simplefilter("ignore")
        init_plugin_loader()
        Display.deprecated = Display.warning = Display.error_as_warning = lambda *args, **kwargs: None
        self.trust = trust_as_template
        self.templar = Templar(loader=DataLoader(), variables=self.trusted(VARS))

    def trusted(self, value):
        if isinstance(value, dict):
            return {key: self.trusted(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.trusted(item) for item in value]
        return self.trust(value) if isinstance(value, str) else value

    def answer(self, kind, text):
        text = self.trust(text)
        # Templates change lists and mappings in place: each case has its own.
        self.templar.available_variables = self.trusted(VARS)
        if kind == "when":
            return plain(self.templar.evaluate_conditional(text))
        if kind == "text":
            return plain(self.templar.template(text))
        found = self.templar.template(text, escape_backslashes=False)
        return "" if found is None else plain(str(found) if isinstance(found, str) else str(plain(found)))

    def asked(self, kind, text):
        try:
            return [self.answer(kind, text)]
        except Exception:  # whatever it says, it refuses
            return []


def plain(value):
    """A value as JSON has it."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    if isinstance(value, str):
        value.encode()  # half a character is no text
    for kind in (bool, int, str):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"float": str(value)}
    return value if value is None else str(value)


def written():
    """Cases by hand: all forms of the grammar."""
    for line in (pathlib.Path(__file__).parent / "written.txt").read_text().splitlines():
        if line and not line.startswith("## "):
            kind, text = line.split(": ", 1)
            yield kind, text.replace("\\n", "\n") if kind == "file" else text


def cases(seed, count):
    maker = Maker(random.Random(seed))
    known = set(written())
    yield from written()
    while len(known) < count:
        case = maker.case()
        if case not in known:
            known.add(case)
            yield case


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--show", type=int)
    parser.add_argument("file", nargs="?")
    options = parser.parse_args()
    ansible = Ansible()
    if options.show is not None:
        kind, text = list(cases(options.seed, options.show + 1))[-1]
        print(kind, text, sep="\n")
        print(repr(ansible.answer(kind, text)))
        return
    out = open(options.file, "w") if options.file else sys.stdout
    print(json.dumps(VARS, ensure_ascii=False), file=out)
    for kind, text in cases(options.seed, options.count):
        print(json.dumps([kind, text, ansible.asked(kind, text)], ensure_ascii=False), file=out)


if __name__ == "__main__":
    main()
