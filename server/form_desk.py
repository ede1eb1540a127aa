"""What happens when a person brings a form, on a page or the command line: it is looked over, then published or tried."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from forms.lint import Finding, lint, refuse_errors
from forms.xlsform import Conversion
from records import drafts, publishing
from records.access import Access, Right
from records.publishing import Published
from server.services import Services
from server.tokens import digest, new_token
from sync import aside


@dataclass(frozen=True, slots=True)
class Brought:
    """A form as a person brought it, with its files by name and a note on what is new."""

    conversion: Conversion
    source_name: str
    media: Mapping[str, bytes] = field(default_factory=dict)
    note: str = ""

    @property
    def needed_media(self) -> dict[str, bytes]:
        """Those of the files that the form uses; where one of our drawings is named and not given, the drawing."""
        from forms.library import drawings

        given = drawings(self.conversion.media) | dict(self.media)
        if self.conversion.itemsets is not None:
            given["itemsets.csv"] = self.conversion.itemsets
        return {name: given[name] for name in self.conversion.media if name in given}


def looked_over(brought: Brought, translate: Callable[[str], str] = str) -> list[Finding]:
    """What could be better about it. Raises `Problem("form_invalid")` for what phones refuse."""
    findings = lint(brought.conversion.xform, brought.conversion.media, {**brought.media, **brought.needed_media})
    refuse_errors(findings, translate)
    return findings


def publish(opened: Services, access: Access, brought: Brought) -> Published:
    """Publish it for all phones, and take in what was refused before because nobody knew the form."""
    access.require(Right.FORMS)
    published = publishing.publish(
        opened.store,
        opened.blobs,
        access.project_id,
        xform=brought.conversion.xform,
        source_name=brought.source_name,
        needed=brought.conversion.media,
        media=brought.needed_media,
        note=brought.note,
        actor=access.actor,
    )
    aside.take_in_for(opened.store, opened.blobs, opened.intake, access.project_id, published.form_id)
    return published


def save_draft(opened: Services, access: Access, brought: Brought) -> tuple[drafts.Saved, str | None]:
    """Make it the draft of its form. With the draft comes the key for its phones; None where they have one already."""
    token = new_token()
    saved = drafts.save(
        opened.store,
        opened.blobs,
        access,
        xform=brought.conversion.xform,
        source_name=brought.source_name,
        token_sha256=digest(token),
        needed=brought.conversion.media,
        media=brought.needed_media,
        note=brought.note,
    )
    return saved, token if saved.is_new else None


def new_key(opened: Services, access: Access, form_id: str) -> str:
    """Another key for the phones that try a draft; the one before ends."""
    token = new_token()
    drafts.change_key(opened.store, access, form_id, digest(token))
    return token


def trial_url(base_url: str, project_id: int, form_id: str, token: str) -> str:
    """What goes into the server field of a phone that tries a draft."""
    return f"{base_url}/v1/test/{token}/projects/{project_id}/forms/{quote(form_id, safe='')}/draft"


def publish_draft(opened: Services, access: Access, form_id: str) -> str:
    """Publish the draft of a form for all phones; its version."""
    version = drafts.publish(opened.store, access, form_id)
    aside.take_in_for(opened.store, opened.blobs, opened.intake, access.project_id, form_id)
    return version
