# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of this folder share: TAP, and commands with their output."""
import subprocess


class Tap:
    def __init__(self):
        self.number = 0
        self.failed = False

    def report(self, ok, name, log=''):
        """@log is shown when it failed."""
        self.number += 1
        self.failed = self.failed or not ok
        print(f"{'ok' if ok else 'not ok'} {self.number} - {name}")
        for line in '' if ok else log.splitlines():
            print('#', line)

    def skip(self, name, why):
        self.number += 1
        print(f'ok {self.number} - {name} # SKIP {why}')

    def end(self):
        print(f'1..{self.number}')
        return int(self.failed)


def run(command, **keywords):
    """Whether @command succeeded; its words and its output."""
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True,
                            stderr=subprocess.STDOUT, check=False, **keywords)
    words = ' '.join(str(word) for word in command)
    return result.returncode == 0, f'$ {words}\n{result.stdout}'
