"""What changed from one version of a form to another, in words and in the order of the form."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from forms.definition import Choice, Field, FormDefinition, Path, pick
from forms.difference_words import WORDS
from forms.phrases import Phrase, Translate

_LITERAL = re.compile(r"('[^']*'|\"[^\"]*\")")
_PATH = re.compile(r"\s*(?:(?<![\w.)\]])/|(?:current\(\)/)?(?:\.\./)+)(?:[\w.-]+/)*([\w.-]+)\s*")
_LOGIC = ("relevant", "constraint", "calculate", "default", "readonly", "count", "appearance", "saveto", "choice_filter")
_META = "meta"  # the block of the form's own data: nothing there is a question


@dataclass(frozen=True, slots=True)
class Difference:
    """One change: `where` is the path in the newer form, or in the older one for what is gone ("" for the form as a whole).

    `risk` says why it matters for answers that exist; it is None where it does not.
    """

    code: str
    where: str
    message: Phrase
    risk: Phrase | None

    @property
    def risky(self) -> bool:
        """Whether answers that exist no longer mean, or no longer fit, what the form says."""
        return self.risk is not None

    def say(self, translate: Translate = str) -> str:
        """What changed and, if it matters, why, as one line."""
        said = self.message.say(translate)
        return said if self.risk is None else f"{said} {self.risk.say(translate)}"


def differences(before: FormDefinition, after: FormDefinition, language: str = "") -> list[Difference]:
    """What changed, in the order of the newer form. Questions are quoted in `language`, else in the form's main language."""
    return list(_Comparison(before, after, language).run())


def as_in_sheet(expression: str) -> str:
    """An expression as people write it in a workbook: /data/where/village and ../village become ${village}."""
    pieces = _LITERAL.split(expression)
    pieces[::2] = [_PATH.sub(r" ${\1} ", piece) for piece in pieces[::2]]
    text = re.sub(r"\s+", " ", "".join(pieces)).strip()
    return re.sub(r"(?<=[(\[]) | (?=[),\]])", "", text)


class _Pairs:
    """Which question of the older form is which of the newer one: by place and name, else renamed, else moved."""

    def __init__(self, before: FormDefinition, after: FormDefinition) -> None:
        self.old: dict[Path, Field] = {}  # by the path in the newer form
        self.gone: list[Field] = []
        self.new: list[Field] = []
        self.shifted: set[Path] = set()
        self._level(before.fields, after.fields)
        for item in list(self.gone):
            same = [other for other in self.new if _alike(item, other)]
            if len(same) == 1 == sum(_alike(other, same[0]) for other in self.gone):
                self.old[same[0].path] = item
                self.gone.remove(item)
                self.new.remove(same[0])
        self.place = {item.path: path for path, item in self.old.items()}

    def _level(self, before: tuple[Field, ...], after: tuple[Field, ...]) -> None:
        named = {item.name: item for item in before if item.path != (_META,)}
        pairs = {other.path: named[other.name] for other in after if other.name in named and named[other.name].kind == other.kind}
        matched = {item.path for item in pairs.values()}
        unmatched = [item for item in named.values() if item.path not in matched]
        for other in after:
            if other.path in pairs or other.path == (_META,):
                continue
            item = next((item for item in unmatched if _same_but_name(item, other)), None)
            if item is None:
                self.new += _flat(other)
            else:
                unmatched.remove(item)
                pairs[other.path] = item
        for item in unmatched:
            self.gone += _flat(item)
        self._shift(
            [item.path for item in before], {item.path: path for path, item in pairs.items()}, [other.path for other in after]
        )
        for other in after:
            if other.path in pairs:
                self.old[other.path] = pairs[other.path]
                self._level(pairs[other.path].children, other.children)

    def _shift(self, before: list[Path], place: Mapping[Path, Path], after: list[Path]) -> None:
        """Note the fewest questions whose moving explains the new order."""
        was = [place[path] for path in before if path in place]
        now = [path for path in after if path in set(was)]
        blocks = SequenceMatcher(a=was, b=now, autojunk=False).get_matching_blocks()
        kept = {path for block in blocks for path in now[block.b : block.b + block.size]}
        self.shifted |= set(now) - kept


def _flat(item: Field) -> Iterator[Field]:
    yield item
    for inner in item.children:
        yield from _flat(inner)


def _same_but_name(item: Field, other: Field) -> bool:
    if item.kind != other.kind or (item.type, item.control) != (other.type, other.control):
        return False
    if item.kind != "question":
        return [inner.name for inner in item.children] == [inner.name for inner in other.children] != []
    said = (item.labels, item.hints, item.choices, item.calculate)
    return said == (other.labels, other.hints, other.choices, other.calculate) and bool(item.labels or item.calculate)


def _alike(item: Field, other: Field) -> bool:
    return (item.name, item.kind, item.type, item.control) == (other.name, other.kind, other.type, other.control)


class _Comparison:
    """One comparison of two versions."""

    def __init__(self, before: FormDefinition, after: FormDefinition, language: str) -> None:
        self.before, self.after, self.language = before, after, language
        self.pairs = _Pairs(before, after)
        self.languages = [name for name in after.languages if name in before.languages]

    def run(self) -> Iterator[Difference]:
        yield from self._form()
        removed = self._removed_after()
        yield from removed.get((), ())
        new = {item.path for item in self.pairs.new}
        for item in self.after.walk():
            if item.path in new:
                yield self._told(f"{_sort(item)}_added", item, name=item.name)
            elif (old := self.pairs.old.get(item.path)) is not None:
                yield from self._question(old, item)
                yield from removed.get(old.path, ())

    def _removed_after(self) -> dict[Path, list[Difference]]:
        """What is gone, by the path of the question that came before it in the older form."""
        gone = {item.path for item in self.pairs.gone}
        removed: dict[Path, list[Difference]] = {}
        last: Path = ()
        for item in self.before.walk():
            if item.path in gone:
                removed.setdefault(last, []).append(self._told(f"{_sort(item)}_removed", item, name=item.name))
            elif item.path in self.pairs.place:
                last = item.path
        return removed

    def _told(self, code: str, item: Field | None = None, **arguments: str) -> Difference:
        words = WORDS[code]
        if item is not None:
            arguments["question"] = pick(item.labels, self.language) or item.name
        risk = Phrase(words.risk, arguments) if words.risk else None
        return Difference(code, "/".join(item.path) if item is not None else "", Phrase(words.sentence, arguments), risk)

    def _form(self) -> Iterator[Difference]:
        before, after = self.before, self.after
        if before.title != after.title:
            yield self._told("title", before=before.title, after=after.title)
        for code, was, now in (
            ("language", before.languages, after.languages),
            ("file", sorted(before.media), sorted(after.media)),
        ):
            yield from (self._told(f"{code}_added", after=name) for name in _missing(now, was))
            yield from (self._told(f"{code}_removed", before=name) for name in _missing(was, now))
        if before.public_key != after.public_key:
            yield self._told("decrypted" if not after.public_key else "key" if before.public_key else "encrypted")

    def _question(self, old: Field, item: Field) -> Iterator[Difference]:
        if self.pairs.place.get(old.path[:-1], ()) != item.path[:-1]:
            yield self._told("regrouped", item, before="/".join(old.path), after="/".join(item.path))
        elif old.name != item.name:
            yield self._told("renamed", item, before=old.name, after=item.name)
        if item.path in self.pairs.shifted:
            yield self._told("moved", item)
        if (was := _kind_of_answer(old)) != (now := _kind_of_answer(item)):
            yield self._told("type", item, before=was, after=now)
        yield from self._texts("label", item, old.labels, item.labels)
        yield from self._texts("hint", item, old.hints, item.hints)
        yield from self._choices(old, item)
        yield from self._required(old, item)
        for name in _LOGIC:
            was, now = as_in_sheet(getattr(old, name)), as_in_sheet(getattr(item, name))
            if was != now:
                yield self._told(f"{name}_{_verb(was, now)}", item, before=was, after=now)
        yield from self._texts("message", item, old.constraint_message, item.constraint_message)

    def _texts(self, code: str, item: Field, was: dict[str, str], now: dict[str, str], **more: str) -> Iterator[Difference]:
        """Texts in the languages of both versions; where the versions have none in common, in the main one of each."""
        pairs = [(name, was.get(name, ""), now.get(name, "")) for name in self.languages]
        if not pairs or "" in was or "" in now:
            pairs = [(next(iter(now or was), "") or "–", pick(was, self.language), pick(now, self.language))]
        for language, old, new in pairs:
            if old != new:
                yield self._told(f"{code}_{_verb(old, new)}", item, language=language, before=old, after=new, **more)

    def _required(self, old: Field, item: Field) -> Iterator[Difference]:
        was, now = as_in_sheet(old.required_if), as_in_sheet(item.required_if)
        if was != now and now:
            yield self._told("required_if", item, after=now)
        elif old.required != item.required or was != now:
            yield self._told("required_added" if item.required else "required_removed", item)

    def _choices(self, old: Field, item: Field) -> Iterator[Difference]:
        if old.choices is None or item.choices is None:
            if old.choices is not None and item.control in {"select", "select1", "rank"}:
                yield self._told("choices_from_file", item)
            elif item.choices is not None and old.control in {"select", "select1", "rank"}:
                yield self._told("choices_from_form", item)
            return
        was, now = _by_name(old.choices), _by_name(item.choices)
        gone = [choice for name, choice in was.items() if name not in now]
        for name, choice in now.items():
            text = pick(choice.labels, self.language) or name
            if name in was:
                yield from self._texts("choice_label", item, was[name].labels, choice.labels, name=name)
                continue
            same = next((other for other in gone if other.labels == choice.labels != {}), None)
            if same is None:
                yield self._told("choice_added", item, choice=text, name=name)
            else:
                gone.remove(same)
                yield self._told("choice_renamed", item, choice=text, before=same.name, after=name)
        for choice in gone:
            yield self._told("choice_removed", item, choice=pick(choice.labels, self.language) or choice.name, name=choice.name)
        if [name for name in was if name in now] != [name for name in now if name in was]:
            yield self._told("choices_moved", item)


def _sort(item: Field) -> str:
    return "hidden" if item.kind == "question" and not item.control else item.kind


def _verb(was: str, now: str) -> str:
    return "added" if not was else "removed" if not now else "changed"


def _kind_of_answer(item: Field) -> str:
    """The type in the words of a workbook: "select_one", "image", "integer" ..."""
    by_control = {"select1": "select_one", "select": "select_multiple", "rank": "rank", "range": "range", "trigger": "acknowledge"}
    by_type = {"string": "text", "int": "integer", "binary": item.mediatype.partition("/")[0] or "file"}
    return by_control.get(item.control) or by_type.get(item.type, item.type)


def _by_name(choices: tuple[Choice, ...]) -> dict[str, Choice]:
    return {choice.name: choice for choice in choices}


def _missing(names: Iterable[str], others: Iterable[str]) -> list[str]:
    known = set(others)
    return [name for name in names if name not in known]
