# SPDX-License-Identifier: BSD-3-Clause
"""daxlock-why on files that any machine has: in memory, and on whatever file
system the folder for temporary files is. One TAP test each.

    program_test.py DAXLOCK_WHY
"""
import ctypes
import errno
import json
import mmap
import os
import subprocess
import sys
import tempfile
from pathlib import Path

MIB = 1 << 20
MADV_COLLAPSE = 25
PR_SET_THP_DISABLE = 41
PR_GET_THP_DISABLE = 42

libc = ctypes.CDLL(None, use_errno=True)


class Skip(Exception):
    """Why a test cannot say anything here."""


class Why:
    """The program, run on one file."""

    def __init__(self, program):
        self.program = program

    def run(self, *words, **keywords):
        return subprocess.run([self.program, *map(str, words)], check=False,
                              capture_output=True, text=True, timeout=50,
                              **keywords)

    def ask(self, *words, **keywords):
        """The answer in JSON, whose exit status and form were checked."""
        run = self.run('--json', *words, **keywords)
        assert run.returncode in (0, 1), (run.returncode, run.stderr)
        answer = json.loads(run.stdout)
        assert (answer['answer'] == 'yes') == (run.returncode == 0), answer
        named = {reason['name'] for reason in answer['reasons']}
        assert named == {piece['why'] for piece in answer['pieces']} - {''}
        return answer


def memory_file(size, data=()):
    """A file in memory with bytes in the ranges @data; its fd and path."""
    fd = os.memfd_create('why')
    os.ftruncate(fd, size)
    for start, end in data:
        os.pwrite(fd, b'x' * (end - start), start)
    return fd, f'/proc/{os.getpid()}/fd/{fd}'


def pieces(answer, *keys):
    return [tuple(piece[key] for key in keys) for piece in answer['pieces']]


# ---- files in memory ----

def a_file_in_memory_is_told_by_its_data(why, _folder):
    fd, path = memory_file(9 * MIB, [(0, 2 * MIB), (5 * MIB, 5 * MIB + 10)])
    if os.lseek(fd, 2 * MIB, os.SEEK_DATA) != 5 * MIB:
        raise Skip('a store to a file in memory makes more than a page')
    answer = why.ask(path)
    assert answer['backing'] == 'shmem', answer
    assert pieces(answer, 'offset', 'length', 'blocks') == [
        (0, 2 * MIB, 'data'), (2 * MIB, 2 * MIB, 'hole'),
        (4 * MIB, 2 * MIB, 'fragmented'), (6 * MIB, 2 * MIB, 'hole'),
        (8 * MIB, 2 * MIB, 'end of the file')], answer
    assert answer['answer'] == 'no', answer


def a_hole_in_memory_stays_a_hole(why, _folder):
    fd, path = memory_file(8 * MIB)
    answer = why.ask(path)
    assert pieces(answer, 'tried', 'answer', 'why') == [
        ('not tried', 'unknown', 'nothing-stored')], answer
    assert os.fstat(fd).st_blocks == 0


def asking_does_not_change_a_file_in_memory(why, _folder):
    fd, path = memory_file(4 * MIB, [(4096, 8192), (2 * MIB, 3 * MIB)])
    before = os.fstat(fd)
    why.ask(path)
    after = os.fstat(fd)
    assert (before.st_blocks, before.st_mtime_ns, before.st_size) == \
        (after.st_blocks, after.st_mtime_ns, after.st_size)
    assert os.pread(fd, 8192, 0) == bytes(4096) + b'x' * 4096


def collapse(fd):
    """Have the file's first 2 MiB become one huge page; the mapping stays."""
    libc.mmap.restype = ctypes.c_void_p
    room = libc.mmap(None, ctypes.c_size_t(4 * MIB), 0,
                     mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1,
                     ctypes.c_long(0))
    address = ctypes.c_void_p(-(-room // (2 * MIB)) * 2 * MIB)
    map_fixed = 0x10
    got = libc.mmap(address, ctypes.c_size_t(2 * MIB),
                    mmap.PROT_READ | mmap.PROT_WRITE,
                    mmap.MAP_SHARED | map_fixed, fd, ctypes.c_long(0))
    assert got == address.value
    if libc.madvise(address, ctypes.c_size_t(2 * MIB), MADV_COLLAPSE):
        raise Skip('MADV_COLLAPSE: ' + errno.errorcode[ctypes.get_errno()])


def a_huge_page_in_memory_is_seen(why, _folder):
    fd, path = memory_file(2 * MIB, [(0, 2 * MIB)])
    collapse(fd)
    answer = why.ask(path)
    if answer['pieces'][0]['evidence'] == 'none':
        raise Skip('the kernel shows no page tables')
    assert pieces(answer, 'tried', 'answer', 'why') == [
        ('2 MiB', 'yes', '')], answer


# ---- a file on disk ----

def file_on_disk(folder, size):
    path = folder / 'file'
    path.write_bytes(b'x' * size)
    return path


def a_short_file_has_no_range(why, folder):
    for size in (0, 5, 4096, 2 * MIB - 4096):
        answer = why.ask(file_on_disk(folder, size))
        assert pieces(answer, 'offset', 'answer', 'why') == [
            (0, 'no', 'end-of-file')], answer


def the_pieces_cover_the_file(why, folder):
    answer = why.ask(file_on_disk(folder, 7 * MIB))
    at = 0
    for piece in answer['pieces']:
        assert piece['offset'] == at, answer
        at += piece['length']
    assert at == 8 * MIB and answer['ranges'] == 4, answer


def a_file_on_disk_keeps_its_bytes_and_time(why, folder):
    path = file_on_disk(folder, 3 * MIB)
    before = path.stat()
    why.ask(path)
    after = path.stat()
    assert (before.st_mtime_ns, before.st_ctime_ns, before.st_size) == \
        (after.st_mtime_ns, after.st_ctime_ns, after.st_size)
    assert path.read_bytes() == b'x' * (3 * MIB)


def an_offset_asks_for_the_range_around_it(why, folder):
    path = file_on_disk(folder, 6 * MIB)
    for offset in (2 * MIB, 3 * MIB + 5, '0x3fffff', '4095K'):
        answer = why.ask(path, offset)
        assert pieces(answer, 'offset', 'length') == [
            (2 * MIB, 2 * MIB)], answer


def a_large_hole_costs_nothing(why, folder):
    path = folder / 'sparse'
    with path.open('wb') as file:
        try:
            file.truncate(1 << 42)
        except OSError as error:
            raise Skip(f'no file of 4 TiB: {error.strerror}') from error
    answer = why.ask(path)
    assert answer['ranges'] == 1 << 21, answer


# ---- the mapping ----

def an_unaligned_mapping_lacks_its_ends(why, _folder):
    _, path = memory_file(8 * MIB, [(0, 8 * MIB)])
    answer = why.ask(path, 1 * MIB, '--length', 4 * MIB)
    assert pieces(answer, 'offset', 'why')[0] == (0, 'outside-vma'), answer
    assert pieces(answer, 'offset', 'why')[-1] == \
        (4 * MIB, 'outside-vma'), answer


def address_and_offset_must_agree(why, _folder):
    _, path = memory_file(4 * MIB, [(0, 4 * MIB)])
    answer = why.ask(path, '--address', '0x7f0000001000')
    assert pieces(answer, 'tried', 'why') == [('not tried', 'colour')], answer
    answer = why.ask(path, '--address', '0x7f0000000000')
    assert 'colour' not in {piece['why'] for piece in answer['pieces']}


def stores_to_a_private_mapping_copy_pages(why, _folder):
    _, path = memory_file(4 * MIB, [(0, 4 * MIB)])
    answer = why.ask(path, '--private')
    assert pieces(answer, 'answer', 'why') == [('no', 'private-write')], answer


def a_process_without_huge_pages_is_told(why, _folder):
    def disable():
        libc.prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)

    if libc.prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) != 0:
        raise Skip('prctl(2) does not know of huge pages, or forbids them')
    _, path = memory_file(4 * MIB, [(0, 4 * MIB)])
    answer = why.ask(path, preexec_fn=disable)
    assert answer['thp_disabled'], answer
    assert pieces(answer, 'tried', 'why') == [
        ('not tried', 'huge-pages-disabled')], answer


# ---- use ----

def text_has_the_reason_and_the_cure(why, folder):
    run = why.run(file_on_disk(folder, 5))
    assert run.returncode == 1, run
    assert 'end-of-file' in run.stdout and 'What to do' in run.stdout, run


def help_is_no_failure(why, _folder):
    run = why.run('--help')
    assert run.returncode == 0 and 'usage' in run.stdout, run


def wrong_use_ends_with_2(why, folder):
    path = file_on_disk(folder, 2 * MIB)
    fifo = folder / 'fifo'
    os.mkfifo(fifo)
    for words in [(), (path, 0, 0), ('--unknown', path), (path, 'x'),
                  (path, '-1'), (path, '1Q'), (path, ''),
                  (path, '99999999999T'), (path, 2 * MIB),
                  (path, '--length', 4096), (path, 5, '--length', 4096),
                  (path, 0, '--length', 0), (folder / 'none',), (folder,),
                  (fifo,), ('/dev/null',)]:
        run = why.run(*words)
        assert run.returncode == 2 and not run.stdout and run.stderr, \
            (words, run)


def an_unreadable_file_ends_with_2(why, folder):
    path = file_on_disk(folder, 5)
    path.chmod(0)
    if os.access(path, os.R_OK):
        raise Skip('root reads every file')
    assert why.run(path).returncode == 2


TESTS = [
    a_file_in_memory_is_told_by_its_data, a_hole_in_memory_stays_a_hole,
    asking_does_not_change_a_file_in_memory, a_huge_page_in_memory_is_seen,
    a_short_file_has_no_range, the_pieces_cover_the_file,
    a_file_on_disk_keeps_its_bytes_and_time,
    an_offset_asks_for_the_range_around_it, a_large_hole_costs_nothing,
    an_unaligned_mapping_lacks_its_ends, address_and_offset_must_agree,
    stores_to_a_private_mapping_copy_pages,
    a_process_without_huge_pages_is_told, text_has_the_reason_and_the_cure,
    help_is_no_failure, wrong_use_ends_with_2, an_unreadable_file_ends_with_2]


def verdict(test, why):
    """'ok' or 'not ok', and what to say with it."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            test(why, Path(folder))
        except Skip as reason:
            return 'ok', f' # SKIP {reason}'
        except (AssertionError, ValueError, OSError,
                subprocess.TimeoutExpired) as error:
            return 'not ok', f'\n# {error!r}'
    return 'ok', ''


def main(program):
    why = Why(program)
    bad = False
    print(f'1..{len(TESTS)}')
    for number, test in enumerate(TESTS, 1):
        result, words = verdict(test, why)
        print(f'{result} {number} - {test.__name__}{words}', flush=True)
        bad = bad or result != 'ok'
    return int(bad)


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
