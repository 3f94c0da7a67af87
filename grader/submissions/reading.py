"""One door for every file of submissions: the form is told from the content."""

from __future__ import annotations

from pathlib import Path

from basics.csv_source import open_table
from basics.errors import InputError, Problem
from basics.messages import say
from grader.quiz.spec import QuizBook
from grader.submissions.canvas import read_student_analysis
from grader.submissions.class_file import NOTHING_SPECIAL, ClassFile
from grader.submissions.columns import is_student_analysis
from grader.submissions.model import SubmissionFile, without_collection
from grader.submissions.plain import is_plain, read_plain, read_yaml
from grader.submissions.rows import Skipper


@without_collection
def read_submissions(path: Path, book: QuizBook, class_file: ClassFile = NOTHING_SPECIAL) -> SubmissionFile:
    """Submissions from a Canvas Student Analysis report, a plain CSV, or YAML.

    Raises InputError with every problem of the file; nothing is returned from a file that cannot be trusted, except
    that cells named under `skip` in the class file are left out and listed in the result.
    """
    if path.suffix.lower() in (".yaml", ".yml"):
        if unused := Skipper(class_file, path.name).unused():
            raise InputError(unused)
        return read_yaml(path, book, class_file)
    mapping = class_file.columns
    table = open_table(path, lambda header: is_plain(header, mapping) or is_student_analysis(header))
    if is_plain(table.header, mapping):
        return read_plain(table, book, class_file)
    if is_student_analysis(table.header):
        return read_student_analysis(table, book, class_file)
    what = say(
        "is neither a Canvas (Classic) Student Analysis report (columns such as '352902: question text') "
        "nor a plain table with a column student_id"
    )
    raise InputError(
        Problem(table.where(1), what, say("export Quiz Statistics > Student Analysis, or see docs/grading.md"))
    )
