"""What every page is: one file, no scripts, nothing fetched; its own policy forbids both."""

from importlib.resources import files

from bitfold.report.text import esc

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def frame(name: str, subtitle: str, above: str, body: str) -> str:
    """A whole page named `name`; the other parts are HTML. `above` stands before the body."""
    style = (files("bitfold.report") / "style.css").read_text()
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><title>bitfold: {esc(name)}</title>'
        f"<style>\n{style}</style></head><body><main>"
        f"<header><h1>bitfold <span>{esc(name)}</span></h1><p>{subtitle}</p></header>"
        f"{above}{body}</main></body></html>\n"
    )
