# SPDX-License-Identifier: BSD-3-Clause
"""Reads the comments of public headers: kernel-doc form, and what they are of.

    /**
     * name() - purpose		or: struct name, enum name, typedef name, NAME
     * @argument: what it is
     *
     * Paragraphs. One with an indented line is kept as it stands.
     *
     * Context: sections of one word, each to the next one or an empty line.
     */
    declaration; further declarations up to an empty line share the comment

and "DOC: header - purpose" for the header itself.
"""
import re
from dataclasses import dataclass, field

COMMENT = re.compile(r'^/\*\*(?P<text>(?:(?!\*/).)*)\*/[ \t]*\n'
                     r'(?P<code>(?:[^\n]+\n)*)', re.DOTALL | re.MULTILINE)
TITLE = re.compile(r'(?:(?P<kind>DOC:|struct|enum|typedef)\s+)?'
                   r'(?P<name>[\w/.]+)(?P<call>\(\))?\s+-\s+(?P<purpose>.*)',
                   re.DOTALL)
SECTIONS = ('Context', 'Ordering', 'Threads', 'Return', 'Models')
SECTION = re.compile(rf'({"|".join(SECTIONS)}): *(.*)')
ARGUMENT = re.compile(r'@(\w+(?:, @\w+)*): *(.*)')
ATTRIBUTE = re.compile(r'\bDAX_(?:MUST_CHECK|CONST)\b|'
                       r'__attribute__\s*\(\(.*?\)\)(?=\s*;)', re.DOTALL)
FUNCTION = re.compile(r'(?P<type>.*?)(?P<name>\w+)\((?P<arguments>.*)\)',
                      re.DOTALL)


@dataclass
class Function:
    name: str
    type: str  # '' for a macro
    arguments: list  # declarations; of a macro only names


@dataclass
class Paragraph:
    lines: list

    @property
    def literal(self):
        return any(line.startswith(' ') for line in self.lines)


@dataclass
class Doc:
    kind: str  # overview, function, struct, enum, typedef, macro; unknown
    name: str
    purpose: str
    code: str
    arguments: dict = field(default_factory=dict)
    paragraphs: list = field(default_factory=list)
    sections: dict = field(default_factory=dict)
    functions: list = field(default_factory=list)


def split_arguments(text):
    """At commas that are not in parentheses."""
    parts, depth = [''], 0
    for letter in text:
        depth += (letter == '(') - (letter == ')')
        if letter == ',' and not depth:
            parts.append('')
        else:
            parts[-1] += letter
    return [' '.join(part.split()) for part in parts]


def functions_of(code):
    """Those that @code declares."""
    code = re.sub(r'/\*.*?\*/', '', code, flags=re.DOTALL)
    macro = re.match(r'#define (\w+)\((.*?)\)', code)
    if macro:
        return [Function(macro[1], '', split_arguments(macro[2]))]
    # The body of an inline function is not ours.
    code = ATTRIBUTE.sub('', code.partition('{')[0]) + ';'
    found = []
    for statement in code.split(';'):
        function = FUNCTION.fullmatch(statement.strip())
        if function:
            words = ' '.join(function['type'].split())
            found.append(Function(
                function['name'], re.sub(r'^static inline ', '', words),
                split_arguments(function['arguments'])))
    return found


def lines_of(comment):
    """The text of a comment, without its stars, tabs expanded."""
    first, *others = comment.split('\n')
    return [*filter(None, [first.strip()]),
            *(line.expandtabs()[3:].rstrip() for line in others)]


def split_title(lines):
    """Title and the rest: it ends at an argument or at an empty line."""
    end = next((i for i, line in enumerate(lines)
                if not line or line.startswith('@')), len(lines))
    return ' '.join(line.strip() for line in lines[:end]), lines[end:]


def read_body(doc, lines):
    into = None  # where a line without a label goes
    for line in lines:
        argument, section = ARGUMENT.match(line), SECTION.match(line)
        if argument and doc.kind != 'overview':
            into = doc.arguments[argument[1].replace('@', '')] = [argument[2]]
        elif section and doc.kind != 'overview':
            into = doc.sections[section[1]] = [section[2]]
        elif not line:
            into = None
        elif into is None:
            into = [line]
            doc.paragraphs.append(Paragraph(into))
        else:
            into.append(line)
    for texts in doc.arguments, doc.sections:
        for name, text in texts.items():
            texts[name] = ' '.join(' '.join(text).split())


def read_doc(match):
    title, rest = split_title(lines_of(match['text']))
    found = TITLE.fullmatch(title)
    if not found:
        return Doc('unknown', title, '', match['code'])
    kind = {'DOC:': 'overview', None: 'function' if found['call'] else 'macro'
            }.get(found['kind'], found['kind'])
    doc = Doc(kind, found['name'], found['purpose'], match['code'])
    read_body(doc, rest)
    if kind == 'function':
        doc.functions = functions_of(match['code'])
    return doc


def read_header(path):
    """The comments of the header @path, in its order."""
    return [read_doc(match)
            for match in COMMENT.finditer(path.read_text(encoding='utf-8'))]
