# SPDX-License-Identifier: BSD-3-Clause
"""Prints a public header with its comments in doxygen's form.

    doxygen_filter.py HEADER
"""
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'man'))
from kerneldoc import COMMENT, read_doc  # noqa: E402

PRIVATE = re.compile(r'^\s*/\* private: \*/.*?(?=^\})',
                     re.DOTALL | re.MULTILINE)


def styled(text):
    """kernel-doc's marks as doxygen's, and nothing else of either's."""
    text = re.sub(r'([\\<>#%])', r'\\\1', text)
    text = re.sub(r'(?<!\w)@(\w+)', r'@p \1', text)
    text = re.sub(r'&((?:struct|enum) \w+|\w+)', r'\1', text)
    return re.sub(r'``(.*?)``', r'<tt>\1</tt>', text)


def paragraphs(doc):
    for paragraph in doc.paragraphs:
        yield ''
        if paragraph.literal:
            yield from ['@verbatim', *paragraph.lines, '@endverbatim']
        else:
            yield from map(styled, paragraph.lines)


def arguments(doc):
    """Parameters; members are no parameters, but a list."""
    for name, text in doc.arguments.items():
        if doc.kind == 'function':
            yield f'@param {name} {styled(text)}'
        else:
            yield f'- <tt>{name}</tt>: {styled(text)}'


def sections(doc):
    for name, text in doc.sections.items():
        label = '@return' if name == 'Return' else f'@par {name}\n'
        yield label + ' ' + styled(text)


def comment(match):
    doc = read_doc(match)
    lines = [f'@file {doc.name}'] if doc.kind == 'overview' else []
    lines += [f'@brief {styled(doc.purpose)}', '', *arguments(doc),
              *paragraphs(doc), '', *sections(doc)]
    return '\n'.join(['/**', *lines, '*/', match['code']])


def main(header):
    text = Path(header).read_text(encoding='utf-8')
    print(PRIVATE.sub('', COMMENT.sub(comment, text)), end='')


if __name__ == '__main__':
    main(sys.argv[1])
