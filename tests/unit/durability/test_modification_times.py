"""After a clock was set back no file is from the future, and their order is as it was."""

import os
import threading
import time

from advmip.durability.modification_times import mend_times, watch_clock

LONGEST_WAIT = 60.0


def times(folder, names):
    return [(folder / name).stat().st_mtime for name in names]


def test_times_of_the_future_come_to_the_present_in_their_order(tmp_path):
    now = time.time()
    ages = {"data": 7200, "network": 5, "rows": -3600, "same": -3600, "table": -3601, "page": -9000}
    for name, age in ages.items():
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (now - age, now - age))
    before = times(tmp_path, ages)
    assert mend_times(tmp_path) == 4
    after = times(tmp_path, ages)
    assert after[:2] == before[:2]
    assert max(after) <= time.time()
    ranks = [sorted(set(before)).index(each) for each in before]
    assert ranks == [sorted(set(after)).index(each) for each in after]
    assert mend_times(tmp_path) == 0


def test_a_folder_of_the_past_is_left_alone(tmp_path):
    (tmp_path / "rows").touch()
    before = times(tmp_path, ["rows"])
    assert mend_times(tmp_path) == 0
    assert times(tmp_path, ["rows"]) == before


def test_a_clock_that_is_set_back_is_noticed_and_one_that_goes_ahead_is_not():
    offsets = iter([0.0, 0.0, 3600.0, 3600.0, 0.0])
    noticed = threading.Event()
    asked = []

    def clock():
        asked.append(next(offsets, 0.0))
        return time.monotonic() + asked[-1]

    watch_clock(noticed.set, clock, seconds=0.001)
    assert noticed.wait(LONGEST_WAIT)
    assert asked[:5] == [0.0, 0.0, 3600.0, 3600.0, 0.0]
