"""The report: one self-contained HTML page of evidence to look at and listen to, in three editions."""

from grader.report.editions import Edition, need_staff_edition, write_report, write_sheet

__all__ = ["Edition", "need_staff_edition", "write_report", "write_sheet"]
