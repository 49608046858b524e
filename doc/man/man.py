# SPDX-License-Identifier: BSD-3-Clause
"""Writes the manual pages.

    man.py VERSION DATE INCLUDE OUTPUT [NOUN...]

Section 3 comes from the comments of the public headers. For INCLUDE/daxlock/X.h
there is a page daxlock_X with its overview, its types and a list of its
functions; for each dax_ function a page, or, where it shares the comment of
another, a link to that one's.

Those of sections 1 and 7 stand beside this file, with marks for what is known
only here. Pages about a NOUN (daxlock/NOUN.h, daxlock-NOUN) are left out.
"""
import re
import shutil
import sys
import textwrap
from pathlib import Path

from kerneldoc import read_header

HERE = Path(__file__).parent
SECTIONS = ('man1', 'man3', 'man7')
PRIVATE = re.compile(r'\n\s*/\* private: \*/.*(?=\n\})', re.DOTALL)
SENTENCE_END = re.compile(r'(?<=[.?!]) +(?=[A-Z@])')
# The name in a declaration: of a pointer to a function, or the last word.
PARAMETER = re.compile(r'(?<=\(\*)\w+|\w+(?=(?:\[\w*\])?$)')


# ---- roff ----

def escape(text):
    """@text without any meaning to roff, and no request at its start."""
    text = text.replace('\\', r'\e')
    # Errnos and options have minus signs, words have hyphens.
    text = re.sub(r'(?<![\w-])-(?=[\w-])', r'\-', text)
    return re.sub(r"^(?=[.'])", r'\\&', text)


def styled(text):
    """kernel-doc's marks as fonts."""
    text = re.sub(r'(?<!\w)@(\w+)', r'\\fI\1\\fR', escape(text))
    text = re.sub(r'&((?:struct|enum) \w+|\w+)', r'\\fB\1\\fR', text)
    text = re.sub(r'\b(\w+)\(\)', r'\\fB\1\\fR()', text)
    return re.sub(r'``(.*?)``', r'\\fB\1\\fR', text)


def plain(text):
    """@text without kernel-doc's marks."""
    return re.sub(r'(?<!\w)[@&](?=\w)', '', text).replace('``', '')


def filled(text):
    """Lines of running text, each sentence on its own."""
    for sentence in SENTENCE_END.split(text):
        for line in textwrap.wrap(sentence, 72, break_long_words=False,
                                  break_on_hyphens=False):
            yield styled(line)


def literal(lines):
    return ['.PP', '.EX', *(escape(line.expandtabs()) for line in lines),
            '.EE']


def capital(text):
    """A phrase as a sentence."""
    if not re.match(r'[\w/.]+\(\)|[\w/]+\.[ch]\b|@|\w+_', text):
        text = text[:1].upper() + text[1:]
    return text if text.endswith(('.', '?')) else text + '.'


# ---- parts of pages ----

def paragraphs(doc):
    for paragraph in doc.paragraphs:
        if paragraph.literal:
            yield from literal(paragraph.lines)
        else:
            yield from ['.PP', *filled(' '.join(paragraph.lines))]


def tagged(items):
    """A list of (tag, text)."""
    for tag, text in items:
        yield from ['.TP', tag, *filled(text)]


def arguments(doc):
    return tagged((f'.I "{name}"', text)
                  for name, text in doc.arguments.items())


def italic(argument):
    """@argument, within bold text, with its name in italics."""
    name = argument not in ('void', '...') and PARAMETER.search(argument)
    return argument if not name else argument[:name.start()] + \
        rf'\fI{name[0]}\fB' + argument[name.end():]


def prototype(function):
    """In bold, broken at commas."""
    line = f'{function.type} {function.name}('.replace('* ', '*').lstrip()
    width, last = len(line), len(function.arguments) - 1
    for number, argument in enumerate(function.arguments):
        # A macro is no statement.
        end = ', ' if number < last else ');' if function.type else ')'
        if number and width + len(argument + end) > 72:
            yield rf'\fB{line.rstrip()}\fR'
            line, width = ' ' * 8, 8
        line += italic(argument) + end
        width += len(argument + end)
    yield rf'\fB{line}\fR'


def see_also(*pages):
    return ['.SH SEE ALSO', *(f'.BR {page} (3),' for page in pages),
            '.BR daxlock (7)']


def overview_name(header):
    return 'daxlock_' + header.removeprefix('daxlock/').removesuffix('.h')


# ---- pages ----

def function_page(doc, header):
    yield from ['.SH SYNOPSIS', '.nf', f'.B #include <{header}>']
    for function in doc.functions:
        yield from ['.PP', *prototype(function)]
    yield from ['.fi', '.SH DESCRIPTION', *filled(capital(doc.purpose))]
    yield from arguments(doc)
    yield from paragraphs(doc)
    for name, text in doc.sections.items():
        if name != 'Return':
            yield from [f'.SS {name}', *filled(capital(text))]
    if 'Return' in doc.sections:
        yield from ['.SH RETURN VALUE', *filled(capital(doc.sections['Return']))]
    yield from see_also(overview_name(header))


def type_section(doc):
    kind = '' if doc.kind == 'macro' else f'{doc.kind} '
    yield from [f'.SS {kind}{doc.name}', *filled(capital(doc.purpose))]
    yield from literal(PRIVATE.sub('', doc.code.rstrip()).split('\n'))
    yield from arguments(doc)
    yield from paragraphs(doc)


def overview_page(docs, header):
    yield from ['.SH SYNOPSIS', '.nf', f'.B #include <{header}>', '.fi',
                '.SH DESCRIPTION']
    functions = [doc for doc in docs if doc.kind == 'function']
    for doc in docs:
        if doc.kind == 'overview':
            yield from paragraphs(doc)
        elif doc.kind not in ('function', 'unknown'):
            yield from type_section(doc)
    if functions:
        yield '.SS Functions'
        yield from tagged((f'.BR {doc.name} ' + ('(3)' if has_page(doc)
                                                else '()'),
                           capital(doc.purpose)) for doc in functions)
    yield from see_also()


def has_page(doc):
    return doc.kind == 'function' and doc.name.startswith('dax_')


class Writer:
    def __init__(self, version, date, output):
        self.version = version
        self.date = date
        self.output = output

    def page(self, names, purpose, lines):
        """A page of section 3 for @names."""
        head = [r'.\" SPDX-License-Identifier: BSD-3-Clause',
                '.TH ' + names[0] + ' 3 @DATE@ "daxlock @VERSION@"',
                # Names are not to be hyphenated; .EE would begin again.
                '.nh', '.nr HY 0', '.ad l', '.SH NAME',
                rf'{", ".join(names)} \- {escape(plain(purpose))}']
        text = '\n'.join([*head, *lines]) + '\n'
        # Space comes with a heading.
        self.write(3, re.sub(r'(\.S[HS] [^\n]*\n)\.PP\n', r'\1', text))

    def write(self, section, text):
        """The first of the names in @text gets it, others a link."""
        names = re.search(r'^\.SH NAME\n(.*?) \\-', text, re.MULTILINE)[1]
        first, *others = names.split(', ')
        folder = self.output / f'man{section}'
        text = text.replace('@VERSION@', self.version)
        (folder / f'{first}.{section}').write_text(
            text.replace('@DATE@', self.date), encoding='utf-8')
        for other in others:
            (folder / f'{other}.{section}').write_text(
                f'.so man{section}/{first}.{section}\n', encoding='utf-8')

    def header(self, path):
        header = f'daxlock/{path.name}'
        docs = read_header(path)
        for doc in docs:
            if doc.kind == 'overview':
                self.page([overview_name(header)], doc.purpose,
                          overview_page(docs, header))
            elif has_page(doc):
                self.page([function.name for function in doc.functions],
                          doc.purpose, function_page(doc, header))


def example():
    """The code of lock_a_page, without its comments at the top."""
    path = HERE.parents[1] / 'examples' / 'lock_a_page.c'
    code = re.sub(r'\A(/\*.*\n)*', '', path.read_text(encoding='utf-8'))
    return '\n'.join(map(escape, code.rstrip().split('\n')))


def main(version, date, include, output, *nouns):
    writer = Writer(version, date, Path(output))
    for section in SECTIONS:
        # New, so that no page of before stays, nor the time of the folder.
        shutil.rmtree(writer.output / section, ignore_errors=True)
        (writer.output / section).mkdir()
    headers = [path for path in sorted(Path(include, 'daxlock').glob('*.h'))
               if path.stem not in nouns]
    programs = [path for path in sorted(HERE.glob('*.1'))
                if path.stem.removeprefix('daxlock-') not in nouns]
    for path in headers:
        writer.header(path)
    for path in programs:
        writer.write(1, path.read_text(encoding='utf-8'))
    pages = ',\n'.join([*(f'.BR {path.stem} (1)' for path in programs),
                        *(f'.BR daxlock_{path.stem} (3)' for path in headers)])
    for path in HERE.glob('*.7'):
        text = path.read_text(encoding='utf-8').replace('@PAGES@', pages)
        writer.write(7, text.replace('@EXAMPLE@', example()))


if __name__ == '__main__':
    main(*sys.argv[1:])
