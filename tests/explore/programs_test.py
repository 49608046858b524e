# SPDX-License-Identifier: BSD-3-Clause
"""What daxlock-explore and a program of dax_explore_main() print, and the
status they end with.

    programs_test.py DAXLOCK_EXPLORE SCENARIO_MAIN
"""
import json
import os
import re
import shutil
import subprocess
import sys
import traceback

CLEAN, FINDING, USAGE = 0, 1, 2
BROKEN = ('--scenario', 'three-threads-one-pmd', '--deviation',
          'downgrade_one')
FINE = ('--scenario', 'large-and-small')

explore, scenario_main = sys.argv[1:]


def run(program, *arguments, status=CLEAN, path=None):
    """stdout, stderr of @program, which must end with @status."""
    done = subprocess.run(
        [program, *arguments], capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL, timeout=120,
        env=dict(os.environ, PATH=path) if path else None)
    assert done.returncode == status, (arguments, done)
    return done.stdout, done.stderr


def token_of(output):
    return re.search(r'^replay: (\S+)$', output, re.MULTILINE)[1]


def text_says_the_verdict_first():
    assert re.match(r'PROVED: \d+ executions, \d+ cut, [\d.]+ steps on '
                    r'average, \d+ at most, [\d.]+ ms', run(explore, *FINE)[0])
    broken = run(explore, *BROKEN, status=FINDING)[0]
    assert broken.startswith('BUG: LOST WAKE-UP F3 (3) sleeps on the key 0x0')
    assert 'shown with 1 preemption\n' in broken


def a_token_replays_the_bug():
    broken = run(explore, *BROKEN, status=FINDING)[0]
    again = run(explore, *BROKEN, '--replay', token_of(broken),
                status=FINDING)[0]
    assert token_of(again) == token_of(broken)
    assert again.split('\n\n')[1] == broken.split('\n\n')[1]


def steps_have_places():
    broken = run(explore, *BROKEN, '--steps', status=FINDING)[0]
    again = run(explore, *BROKEN, '--steps', status=FINDING)[0]
    assert broken.split('replay: ')[0] == again.split('replay: ')[0]
    assert re.search(r'^ *\d+ +2 lock \S+   \(dax_waitq_lock, table.c:\d+\)$',
                     broken, re.MULTILINE)


def json_has_everything():
    report = json.loads(run(explore, *BROKEN, '--json', status=FINDING)[0])
    assert report['scenario'] == 'three-threads-one-pmd'
    assert report['deviation'] == 'downgrade_one'
    assert (report['verdict'], report['bug']) == ('BUG', 'LOST WAKE-UP')
    assert report['message'].startswith('F3 (3) sleeps on the key 0x0')
    assert report['table'][-1] == '=> LOST WAKE-UP'
    assert {run[0] for run in report['schedule']} == {1, 2, 3}
    assert report['preemptions'] == 1 and report['first_bug_ns'] > 0
    again = run(explore, *BROKEN, '--replay', report['token'], '--json',
                status=FINDING)[0]
    assert json.loads(again)['schedule'] == report['schedule']
    fine = json.loads(run(explore, *FINE, '--json')[0])
    assert fine['verdict'] == 'PROVED' and fine['bug'] is None
    assert fine['token'] is None and fine['schedule'] is None
    assert 0 < fine['average'] <= fine['longest']
    assert fine['executions'] > 0 and fine['elapsed_ns'] > 0


def json_is_escaped():
    report = json.loads(
        run(scenario_main, 'count_racily', status=FINDING)[0]
        .split('message: ')[1].split('\n')[0])
    assert report == 'the body: not "both "count" #1"'


def tap_has_a_line_a_scenario():
    output = run(explore, *FINE, '--scenario', 'marks', '--tap')[0]
    lines = output.splitlines()
    assert lines[0] == '1..2' and len(lines) == 3
    assert re.fullmatch(r'ok 1 - large-and-small # proved: \d+ executions, '
                        r'[\d.]+ steps, [\d.]+ ms', lines[1])
    assert lines[2].startswith('ok 2 - marks # proved: ')


def several_scenarios_have_a_heading_each():
    output = run(explore, *FINE, '--scenario', 'marks')[0]
    assert re.match(r'large-and-small\nPROVED: .*\n\nmarks\nPROVED: ', output)


def the_museum_is_as_expected():
    museum = (explore, '--museum', '--executions', '100')
    text = run(*museum)[0].splitlines()
    tap = run(*museum, '--tap')[0].splitlines()
    objects = [json.loads(line) for line
               in run(*museum, '--json')[0].splitlines()]
    assert len(text) == len(objects) == len(tap) - 1
    assert tap[0] == f'1..{len(text)}'
    for line, exhibit, result in zip(text, objects, tap[1:]):
        assert line.startswith(exhibit['exhibit'])
        assert result.startswith('ok ') and exhibit['exhibit'] in result
        if 'none' in exhibit:
            assert exhibit['none'] in line and '# SKIP' in result
        else:
            assert exhibit['expected'] and 'NOT EXPECTED' not in line
            for deviation in exhibit['report']['deviation'].split('+'):
                assert deviation in line


def wrong_use_is_told():
    for arguments in (
            (), ('--scenario',), ('--nonsense',), (*FINE, 'more'),
            ('--scenario', 'nonsense'), (*FINE, '--deviation', 'nonsense'),
            (*FINE, '--preemptions', '-1'), (*FINE, '--preemptions', '2x'),
            (*FINE, '--preemptions', ''), (*FINE, '--allocs-fail', '1 '),
            (*FINE, '--seed', '99999999999999999999'),
            (*FINE, '--seed', '+1'), (*FINE, '--replay', 'nonsense'),
            (*FINE, *FINE, '--gdb')):
        output, error = run(explore, *arguments, status=USAGE)
        assert not output and error, arguments
    assert run(explore, '--help')[0].startswith('Usage: ')


def the_preemptions_asked_for_are_a_limit():
    output = run(explore, *FINE, '--preemptions', '0')[0]
    assert output.startswith('CLEAN_WITHIN: up to 0 preemptions; ')


def a_program_of_scenarios_prints_tap():
    output = run(scenario_main, status=FINDING)[0].splitlines()
    assert output[0] == '1..2'
    assert output[1].startswith('ok 1 - count # proved: 2 executions, 2.0 ')
    assert output[2] == 'not ok 2 - count_racily # FAILED CHECK'
    assert output[3] == '  ---' and output[-1] == '  ...'
    assert '  replay: "1:l.2:ls.1:s"' in output


def a_program_of_scenarios_has_options():
    # The name of one, though it is part of another's.
    assert run(scenario_main, 'count')[0].startswith('1..1\nok 1 - count #')
    run(scenario_main, 'racily', status=FINDING)
    replay = ('--replay', '1:l.2:ls.1:s')
    output = run(scenario_main, 'racily', *replay, '--steps',
                 status=FINDING)[0]
    assert '(load_and_store, scenario_main.c:' in output
    assert 'loading and storing is not' in run(scenario_main, '--list')[0]
    assert 'Usage' in run(scenario_main, '--help')[0]
    for arguments in (('nonsense',), ('--nonsense',), replay, ('--gdb',),
                      ('count', '--replay', 'nonsense')):
        run(scenario_main, *arguments, status=USAGE)


def without_gdb_it_says_so():
    for program, arguments in ((explore, BROKEN),
                               (scenario_main, ('racily',))):
        error = run(program, *arguments, '--gdb', status=USAGE,
                    path='/nowhere')[1]
        assert 'gdb is not installed' in error


def gdb_stops_in_the_last_step():
    if not shutil.which('gdb'):
        return
    done = subprocess.run([scenario_main, 'racily', '--gdb'],
                          capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, timeout=120)
    if 'ptrace' in done.stderr:
        return
    stop = done.stdout.split('Breakpoint 1, ')[1]
    assert 'dax_explore_breakpoint' in stop.splitlines()[0]
    assert 'load_and_store' in stop


TESTS = [
    text_says_the_verdict_first, a_token_replays_the_bug, steps_have_places,
    json_has_everything, json_is_escaped, tap_has_a_line_a_scenario,
    several_scenarios_have_a_heading_each, the_museum_is_as_expected,
    wrong_use_is_told, the_preemptions_asked_for_are_a_limit,
    a_program_of_scenarios_prints_tap, a_program_of_scenarios_has_options,
    without_gdb_it_says_so, gdb_stops_in_the_last_step]


def main():
    failed = False
    print(f'1..{len(TESTS)}')
    for number, test in enumerate(TESTS, 1):
        try:
            test()
            print(f'ok {number} - {test.__name__}')
        except Exception:  # pylint: disable=broad-except
            failed = True
            print(f'not ok {number} - {test.__name__}')
            print('# ' + traceback.format_exc().replace('\n', '\n# '))
    return int(failed)


if __name__ == '__main__':
    sys.exit(main())
