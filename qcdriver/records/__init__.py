"""Records: what was computed, kept so that a kill at any instant loses at most the calculation in flight.

A run directory holds::

    records.jsonl       the truth: one record a line, only ever appended to     record_file
    tasks/KEY.json      records of array tasks, one file each, until merged     task_files
    index.sqlite        where each line stands; a cache, rebuilt at any time    index
    records.damaged     lines that a repair moved aside, byte for byte          damage

`Records` (store) reads all of it as one: a record counts from the moment it is on disk in either place. Of several
records of one key the newest success counts, and without a success the newest failure; newest is by place, no clock is
asked. `lines` turns a line into a record, with older ones brought up to date by `migrations`; `lineage` walks from a
record back to the input.

Array tasks, on many machines at once, take no lock and open no SQLite file: `TaskFiles.write` puts a record down, and
`Records(directory, only_read=True, index="memory")` reads. Whoever opens `Records(directory)` to write merges.
"""

from qcdriver.records.keys import content_key, rounded, task_key
from qcdriver.records.selection import Selection
from qcdriver.records.store import Records
from qcdriver.records.task_files import TaskFiles

__all__ = ["Records", "Selection", "TaskFiles", "content_key", "rounded", "task_key"]
