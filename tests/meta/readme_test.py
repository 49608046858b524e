# SPDX-License-Identifier: BSD-3-Clause
"""The example in README.md is examples/lock_a_page.c, which the tests run."""
import re

from source_tree import read, verdict

EXAMPLE = 'examples/lock_a_page.c'


def main():
    shown = re.search(r'```c\n(.*?)```', read('README.md'), re.DOTALL)
    code = re.sub(r'\A(/\*[^\n]*\*/\n)*', '', read(EXAMPLE))
    problems = []
    if not shown:
        problems.append('README.md: no example in C')
    elif shown[1] != code:
        problems.append(f'README.md: the example is not {EXAMPLE}')
    verdict(problems, (1, 'example'))


if __name__ == '__main__':
    main()
