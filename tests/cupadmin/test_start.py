"""What ends a start or a command with a sentence, and what with a traceback."""

import errno
import os

import pytest

from cupadmin.start import CANNOT_START, error_sentence, error_sentences


def os_error(number, name=None):
    return OSError(number, os.strerror(number), name)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO])
def test_trouble_with_a_disk_is_a_sentence(number):
    said = error_sentence(os_error(number, "/var/lib/cupadmin/static"))
    assert "/var/lib/cupadmin/static" in said
    assert os.strerror(number) in said
    with pytest.raises(SystemExit) as ended, error_sentences():
        raise os_error(number)
    assert ended.value.code == CANNOT_START


@pytest.mark.parametrize("number", [errno.ENOENT, errno.EBADF])
def test_a_fault_of_the_code_keeps_its_traceback(number):
    assert error_sentence(os_error(number)) == ""
    with pytest.raises(OSError), error_sentences():
        raise os_error(number)
