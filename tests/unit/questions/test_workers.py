"""A process that is killed loses the item it was at, and no other."""

import os
import signal

from advmip.questions.workers import Lost, shared_out


def prepared(base):
    """Adds a base to numbers; some numbers end the process in a way of their own."""

    def do(number):
        if number == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        if number == 5:
            raise MemoryError("as a solver may")
        return base + number

    return do


def test_every_item_has_its_result_or_is_lost(capfd):
    results = dict(shared_out(range(8), 2, prepared, 100))
    assert results == {
        number: Lost({3: -signal.SIGKILL, 5: 1}[number]) if number in (3, 5) else 100 + number
        for number in range(8)
    }
    assert str(results[3]) == "its process was ended by SIGKILL"
    assert str(results[5]) == "its process ended with status 1"
    assert "as a solver may" in capfd.readouterr().err
