"""Rejected rows as a file to mend: as they were sent, under the sender's headings, each after its reasons.

Mended they can be imported as they are: the column of reasons has a heading that means nothing. A row whose
quoting is broken has its reasons alone.
"""

import io
from collections.abc import Iterator
from itertools import count, groupby

from django.db import connection

from referrals.intake.held.parts import PIECE
from referrals.intake.reading.columns import recogniser
from referrals.models import CaseImport, HeadingMeaning
from referrals.table_files.cells import letters
from referrals.table_files.content import Content
from referrals.table_files.read import read_rows
from src_app.lists.cells import as_it_was
from src_app.lists.download import BYTE_ORDER_MARK, csv_line


def rejected_file(content: Content, held: CaseImport) -> Iterator[bytes]:
    """The file in pieces, and none where no row is rejected; call it while the rows are staged."""
    column_of = recogniser(HeadingMeaning.of(held.bcu))
    with read_rows(content, column_of, sheet=held.sheet) as table:
        named = {column: heading for heading in table.headings if (column := column_of(heading))}
        reasons = _reasons({column.value: heading for column, heading in named.items()})
        rejected = next(reasons, None)
        if rejected is None:
            return
        written = io.StringIO(BYTE_ORDER_MARK, newline="")
        written.seek(0, io.SEEK_END)
        written.write(csv_line([_free_heading(table.headings), *table.headings]))
        for record in table.records:
            if rejected is None:
                break
            line, reason = rejected
            if record.line == line:
                written.write(csv_line([reason, *map(as_it_was, record.cells or [])]))
                rejected = next(reasons, None)
            if written.tell() > PIECE:
                yield written.getvalue().encode()
                written.seek(0)
                written.truncate()
        yield written.getvalue().encode()


def _free_heading(headings: list[str]) -> str:
    taken = {letters(heading) for heading in headings}
    names = (f"Why rejected {number}" if number else "Why rejected" for number in count())
    return next(name for name in names if letters(name) not in taken)


def _reasons(headings: dict[str, str]) -> Iterator[tuple[int, str]]:
    """Each rejected line with all that speaks against it, in order."""
    with connection.chunked_cursor() as cursor:
        cursor.execute("SELECT line, column_name, reason FROM staged_remark WHERE rejects ORDER BY line, id")
        for line, remarks in groupby(cursor, key=lambda remark: remark[0]):
            words = [
                f"Line {line}: {headings.get(column, column)}: {reason}"
                if column
                else f"Line {line}: {reason}"
                for _, column, reason in remarks
            ]
            yield int(line), " ".join(words)
