"""The page people look at: read a run folder, render report.html, summarise in the terminal."""

from bitfold.report.folder import RunFolder as RunFolder
from bitfold.report.folder import read_run_folder as read_run_folder
from bitfold.report.page import render as render
from bitfold.report.results import read_results as read_results
from bitfold.report.results import render_results as render_results
from bitfold.report.summary import summary as summary
