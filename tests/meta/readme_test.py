# SPDX-License-Identifier: BSD-3-Clause
"""The example in README.md is examples/lock_a_page.c, which the tests run; its
figures are those of doc/performance.md."""
import re

from source_tree import read, verdict

EXAMPLE = 'examples/lock_a_page.c'
FIGURES = 'doc/performance.md'
# A row of medians, with the least in brackets.
ROW = re.compile(r'^\|.* \([\d.]+\) \|$', re.MULTILINE)


def main():
    shown = re.search(r'```c\n(.*?)```', read('README.md'), re.DOTALL)
    code = re.sub(r'\A(/\*[^\n]*\*/\n)*', '', read(EXAMPLE))
    problems = []
    if not shown:
        problems.append('README.md: no example in C')
    elif shown[1] != code:
        problems.append(f'README.md: the example is not {EXAMPLE}')
    rows = ROW.findall(read('README.md'))
    problems += [f'README.md: not in {FIGURES}: {row}'
                 for row in rows if row not in read(FIGURES)]
    verdict(problems, (1 + len(rows), 'example and figures'))


if __name__ == '__main__':
    main()
