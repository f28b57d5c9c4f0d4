"""Claims about compiling for this processor."""

import runpy

from llvmlite.ir import values

from eigendyn.program.machine import processor


def test_what_llvmlite_fills_at_first_use_is_full_before_threads_write_modules(monkeypatch):
    (escapes,) = values._escape_string.__defaults__
    whole = dict(escapes)
    for key in whole:
        monkeypatch.delitem(escapes, key)
    runpy.run_path(processor.__file__)
    assert escapes == whole
    assert len(whole) == 256
