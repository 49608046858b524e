# SPDX-License-Identifier: BSD-3-Clause
"""Each access stronger than relaxed cites its entry of doc/memory-ordering.md.

In lib/, a use of memory_order_acquire, release, acq_rel or seq_cst has an id
[MO-n] on its line, on one of the six lines above, or in the comment before its
statement. An atomic_...() without _explicit is a seq_cst and needs one too.
Every id used in lib/ is in the document, and every id of the document is used.
"""
import re

from source_tree import ROOT, blank_comments, c_files, read, verdict

DOCUMENT = 'doc/memory-ordering.md'
LINES_ABOVE = 6

# The seam passes on the orders that its callers name; the explorer models them.
EXEMPT = {'lib/base/sync_native.c', 'lib/base/sync_native.h',
          'lib/explore/seam.c', 'lib/explore/weaken.c'}

STRONG = re.compile(
    r'\bmemory_order_(?:acquire|release|acq_rel|seq_cst|consume)\b'
    r'|\b__ATOMIC_(?:ACQUIRE|RELEASE|ACQ_REL|SEQ_CST|CONSUME)\b'
    r'|\batomic_(?:load|store|exchange|compare_exchange_\w+|fetch_\w+'
    r'|flag_test_and_set|flag_clear)(?<!_explicit)\s*\(')
CITED = re.compile(r'\[MO-(\d+)\]')
DESCRIBED = re.compile(r'\bMO-(\d+)\b')


def comment_before(lines, code, number):
    """The comment lines right above the statement that line @number is in."""
    start = number
    while start > 0 and code[start - 1].strip() and \
            code[start - 1].rstrip()[-1] not in ';{}:':
        start -= 1
    first = start
    while first > 0 and lines[first - 1].strip() and \
            not code[first - 1].strip():
        first -= 1
    return lines[first:start]


def uncited(path):
    text = read(path)
    lines = text.split('\n')
    code = blank_comments(text, strings=True).split('\n')
    for number, line in enumerate(code):
        found = STRONG.search(line)
        if not found:
            continue
        near = lines[max(0, number - LINES_ABOVE):number + 1] + \
            comment_before(lines, code, number)
        if not CITED.search('\n'.join(near)):
            yield f'{path}:{number + 1}: {found[0].rstrip(" (")} ' \
                  f'without [MO-n]'


def main():
    problems, used = [], {}
    files = c_files('lib')
    for path in files:
        for name in CITED.findall(read(path)):
            used.setdefault(int(name), path)
        if str(path) not in EXEMPT:
            problems += uncited(path)
    document = read(DOCUMENT) if (ROOT / DOCUMENT).exists() else ''
    described = {int(name) for name in DESCRIBED.findall(document)}
    problems += [f'{used[name]}: MO-{name} is not in {DOCUMENT}'
                 for name in sorted(used.keys() - described)]
    problems += [f'{DOCUMENT}: nothing in lib/ cites [MO-{name}]'
                 for name in sorted(described - used.keys())]
    verdict(problems, (len(files), 'files'))


if __name__ == '__main__':
    main()
