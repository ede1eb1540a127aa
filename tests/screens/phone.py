"""A browser of a phone's size in which ODK Web Forms shows a survey. No server: what the page asks for is answered from files."""

import mimetypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Browser, Locator, Page, Route

from forms.library import drawings, workbook
from forms.library.translations import languages
from forms.xlsform import convert_workbook
from tests.corpus.sources import file_for

HERE = Path(__file__).parent
SIZE, DENSITY = (360, 720), 2  # CSS pixels of a cheap phone, and device pixels to each
_SITE = "http://localhost"  # a secure context, which the engine needs
_TURN = "code => Object.assign(document.documentElement, {lang: code, dir: new Intl.Locale(code).getTextInfo().direction})"
_STILL = "*, ::before, ::after { animation: none !important; transition: none !important; caret-color: transparent !important; }"


class Phone:
    """A survey on a phone. Questions are found by the names of their choices, which are the same in every language."""

    def __init__(self, page: Page, survey_id: str, codes: Sequence[str] | None) -> None:
        conversion = convert_workbook(workbook(survey_id, codes))
        self._files = {"/": (HERE / "page.html").read_bytes(), "/form.xml": conversion.xform}
        shown = drawings(conversion.media)
        lists = {name: file_for(name, HERE, conversion.xform) for name in conversion.media if name not in shown}
        self._files |= {f"/media/{name}": data for name, data in (shown | lists).items()}
        self._headings = {language.code: language.heading for language in languages()}
        self.page, self.troubles = page, list[str]()
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("console", lambda message: self.troubles.append(message.text) if message.type in {"error", "warning"} else None)
        page.route("**/*", self._answer)
        page.goto(f"{_SITE}/")
        self.questions.first.wait_for()
        page.add_style_tag(content=_STILL)

    @property
    def questions(self) -> Locator:
        """Every question that is asked at the moment, with its choices."""
        return self.page.locator(".question-container")

    def speak(self, code: str) -> None:
        """Choose a language as a person does; the page around the form then turns round where the language says so."""
        self.page.locator(".language-changer:visible").click()
        self.page.get_by_role("option", name=self._headings[code], exact=True).click()
        self.page.locator(".language-changer:visible", has_text=f"({code})").wait_for()
        self.page.evaluate(_TURN, code)

    def question(self, *names: str) -> Locator:
        """The first question that offers all these choices."""
        return self.questions.locator("".join(f":scope:has(input[value='{name}'])" for name in names)).first

    def choose(self, *names: str) -> None:
        """Tick these choices of the first question that offers them all."""
        for name in names:
            self.question(*names).locator(f"input[value='{name}']").tap()

    def picture(self, question: Locator) -> bytes:
        """The screen as PNG, scrolled to where a question begins, or to the title where it stands right below."""
        question.evaluate("""element => {
            const top = element.getBoundingClientRect().top + window.scrollY;
            window.scrollTo(0, top < window.innerHeight / 2 ? 0 : top - 16);
        }""")
        self.page.mouse.move(1, 1)  # the last tap would leave a choice looking touched
        return self.page.screenshot()

    def _answer(self, route: Route) -> None:
        path = unquote(urlsplit(route.request.url).path)
        body = self._files.get(path)
        if body is None and path.startswith("/node_modules/") and (HERE / path[1:]).is_file():
            body = (HERE / path[1:]).read_bytes()
        if body is None or not route.request.url.startswith(_SITE):
            route.fulfill(status=404)
        else:
            route.fulfill(body=body, content_type=mimetypes.guess_type(path)[0] or "text/html")


@contextmanager
def phone(browser: Browser, survey_id: str, codes: Sequence[str] | None = None) -> Iterator[Phone]:
    """A phone that shows a survey in these languages (all by default), until the block ends.

    Raises `RuntimeError` where ODK Web Forms is not installed.
    """
    if not (HERE / "node_modules").is_dir():
        raise RuntimeError(f"ODK Web Forms is missing: npm ci --prefix {HERE}")
    width, height = SIZE
    context = browser.new_context(
        viewport={"width": width, "height": height}, device_scale_factor=DENSITY, is_mobile=True, has_touch=True, locale="en"
    )
    context.set_default_timeout(30_000)
    try:
        yield Phone(context.new_page(), survey_id, codes)
    finally:
        context.close()
