"""Just enough of Tcl to read what we generate: commands, words, braces, brackets."""

CLOSE = {"{": "}", "[": "]"}


def commands(text: str) -> list[list[str]]:
    """Commands as lists of words; what is in braces stays one word, without them.

    A word in brackets stays as it is, for `calls_inside`. Fails where a brace is left open.
    """
    found, words, at = [], [], 0
    text = text.replace("\\\n", " ") + "\n"
    while at < len(text):
        char = text[at]
        if char == "#" and not words:
            at = text.index("\n", at)
        elif char in "\n;":
            if words:
                found.append(words)
            words, at = [], at + 1
        elif char in " \t":
            at += 1
        elif char == "{":
            end = matching(text, at)
            assert text[end + 1] in " \t\n;]", f"characters behind a brace: {text[at : end + 9]!r}"
            words.append(text[at + 1 : end])
            at = end + 1
        else:
            start = at
            while text[at] not in " \t\n;":
                if text[at] == '"':
                    at = text.index('"', at + 1)
                elif text[at] in CLOSE:
                    at = matching(text, at)
                at += 1
            words.append(text[start:at])
    assert not words
    return found


def matching(text: str, at: int) -> int:
    """Where what opens at `at` closes."""
    depth = 0
    for index in range(at, len(text)):
        if text[index] == text[at]:
            depth += 1
        elif text[index] == CLOSE[text[at]]:
            depth -= 1
            if depth == 0:
                return index
    raise AssertionError(f"{text[at : at + 60]!r} is left open")


def calls_inside(word: str) -> list[list[str]]:
    """The commands in the brackets of a word, the inner ones first."""
    found, at = [], 0
    while (at := word.find("[", at)) >= 0:
        end = matching(word, at)
        for inner in commands(word[at + 1 : end]):
            for part in inner[1:]:
                found += calls_inside(part) if inner[0] != "list" else []
            found.append(inner)
        at = end + 1
    return found


def items(word: str) -> list[str]:
    """The words of a `[list {a} {b}]`."""
    ((head, *rest),) = commands(word[1:-1])
    assert head == "list"
    return rest
