"""tulliana form translations and languages: how far each language has come, and which of them phones get."""

import click

from server.commands import access, opened, project_id


@click.command()
@click.argument("code", required=False)
def translations(code: str | None) -> None:
    """List the languages of the shipped surveys, or what is to be done for the language CODE: texts that are missing, and those
    that say a term in another way than its glossary.

    The columns: code, name, state, share of the survey texts, share of the receipts and messages on phones.
    """
    from forms.library.coverage import coverage
    from forms.library.glossary import strays
    from forms.library.translations import pick_languages

    rows = coverage()
    if code is None:
        for row in rows:
            language = row.language
            click.echo(f"{language.code}\t{language.name}\t{language.state}\t{row.percent} %\t{_of_phones(language.code)} %")
        return
    language = pick_languages([code])[0]
    for survey_id, texts in next(row for row in rows if row.language.code == language.code).missing.items():
        for text in texts:
            click.echo(f"missing\t{survey_id}\t{text.context}\t{text.english}")
    for term, text, translation in strays(language):
        click.echo(f"not “{term.translation}”\t{text.context}\t{text.english}\t{translation}")


def _of_phones(code: str) -> int:
    """The share of the texts phones show that this language has, in per cent."""
    from server.i18n import phone_texts, translator

    if code == "en":
        return 100
    texts, translate = phone_texts(), translator(code)
    return 100 * sum(1 for text in texts if translate(text) != text) // len(texts)


@click.command()
@click.argument("codes", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All languages there are.")
def languages(codes: tuple[str, ...], every: bool) -> None:
    """Show the languages in which phones get the shipped surveys, or give them the languages CODES in this order."""
    from records import projects
    from server.setup import choose_languages

    with opened() as services:
        if codes or every:
            choose_languages(services, access(), codes)
        with services.store.read() as connection:
            chosen = projects.languages(connection, project_id())
    click.echo(" ".join(chosen) or "all")


COMMANDS = (translations, languages)
