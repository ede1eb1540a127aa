"""The one catalogue of problems a person or a phone can be told about.

A problem has a stable code, an HTTP status, a title and a hint that says what to do. Rooms raise `Problem`; the server renders
it as OpenRosa XML, RFC 9457 JSON or a page, and the command line as text. docs/problems.md lists the catalogue and a test keeps
both equal.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One entry of the catalogue: `status` is the HTTP status, `hint` says what to do."""

    code: str
    status: int
    title: str
    hint: str


CATALOGUE: dict[str, Kind] = {
    kind.code: kind
    for kind in (
        # what cannot be read
        Kind(
            "xml_unreadable",
            400,
            "The XML cannot be read.",
            "Send the file again; if it fails again, keep the phone and tell the coordinator.",
        ),
        Kind(
            "body_unreadable",
            400,
            "The upload broke off or is not multipart/form-data.",
            "Check the connection and send again.",
        ),
        Kind(
            "submission_missing",
            400,
            "The upload holds no part named xml_submission_file.",
            "Send with ODK Collect or KoBoCollect.",
        ),
        Kind(
            "form_id_missing",
            400,
            "The submission does not name its form.",
            "Download the form again from this server and fill it in anew.",
        ),
        Kind("value_invalid", 400, "A value cannot be used.", "Correct the value named in the message."),
        # who
        Kind("sign_in_needed", 401, "Please sign in.", "Sign in with an account of this server."),
        Kind(
            "token_unknown",
            403,
            "This phone's key is not known or was withdrawn.",
            "Ask the coordinator for a new QR code.",
        ),
        Kind(
            "password_needed",
            401,
            "This address asks for the user name and password of the phone.",
            "Enter them in the app's settings, under Server.",
        ),
        Kind(
            "token_replaced",
            403,
            "This phone's key was replaced by a new one.",
            "Scan the new QR code. What is still on the phone can be sent as before.",
        ),
        Kind("not_allowed", 403, "Your account may not do this.", "Ask an administrator for the right."),
        Kind(
            "request_forged",
            403,
            "The page was open too long or the request came from elsewhere.",
            "Reload the page and try again.",
        ),
        # what is not there
        Kind("not_found", 404, "There is nothing at this address.", "Check the address."),
        Kind(
            "draft_over",
            404,
            "This trial of a form is over.",
            "Ask for the project's own QR code, or for the code of the new draft.",
        ),
        Kind(
            "form_unknown",
            404,
            "This server has never had a form with this id.",
            "Check the server address in the phone's settings.",
        ),
        Kind(
            "method_not_allowed",
            405,
            "This address does not take this kind of request.",
            "Check the address and the method.",
        ),
        Kind(
            "submission_unknown",
            404,
            "There is no submission with this id.",
            "List them: tulliana submission list --form ID.",
        ),
        Kind("not_acceptable", 406, "This address gives no data of the kind asked for.", "Ask for application/json."),
        Kind("not_supported", 501, "This server cannot do that.", "Ask in a simpler way; docs/api.md says what can be asked."),
        # forms
        Kind("form_invalid", 422, "The form cannot be used.", "Correct the place named in the message and publish again."),
        Kind(
            "form_version_taken",
            409,
            "This version is published already with other content.",
            "Give the form a new version and publish again.",
        ),
        Kind(
            "form_media_missing",
            422,
            "The form uses files that were not given.",
            "Publish again with the files beside it.",
        ),
        Kind(
            "incident_contradiction",
            409,
            "This contradicts another decision.",
            "Look at the two reports named with ≠: take back what was decided about them, or decide otherwise here.",
        ),
        Kind("name_taken", 409, "This name is in use.", "Choose another name."),
        # encrypted records
        Kind(
            "key_unreadable",
            400,
            "The key file cannot be used.",
            "Give the RSA private key that belongs to the form, as a PEM file, with its passphrase.",
        ),
        Kind(
            "personal_key_missing",
            503,
            "The key of personal data is not here.",
            "Put the key file back from where its copy is kept, then send again: nothing is lost. See: tulliana doctor.",
        ),
        Kind(
            "seal_broken",
            500,
            "Sealed data were changed, or put in another's place.",
            "Restore the database and files from a backup of one moment.",
        ),
        Kind("withheld", 403, "This tells who somebody is and is withheld from your role.", "Ask a coordinator."),
        Kind("key_wrong", 422, "This key does not open the record.", "Give the private key that belongs to the form."),
        Kind(
            "envelope_broken",
            422,
            "The envelope of the encrypted record is incomplete.",
            "Keep the record and the phone, and ask the ranger to send it again.",
        ),
        # size, time, room
        Kind(
            "too_large",
            413,
            "The upload is larger than this server takes.",
            "Take smaller photos, or ask the coordinator to raise the limit.",
        ),
        Kind("too_many_tries", 429, "Too many wrong passwords.", "Wait a minute and try again."),
        Kind(
            "internal",
            500,
            "Something went wrong here.",
            "Nothing was lost. Try again; if it stays, run: tulliana doctor.",
        ),
        Kind(
            "relay_unreadable",
            400,
            "A message of another node cannot be read.",
            "Nothing of it was taken, and nothing is lost: let the other node send it again.",
        ),
        Kind(
            "relay_refused",
            403,
            "This node does not take messages from there.",
            "Ask the coordinator of the hub for a code, and enrol with it.",
        ),
        Kind(
            "stick_unusable",
            400,
            "This stick cannot be used.",
            "Nothing is lost. Take off its write protection, or take another stick.",
        ),
        Kind(
            "relay_unreachable",
            502,
            "The other node cannot be reached.",
            "Everything stays here and is sent at the next meeting; look at the network and at the address.",
        ),
        Kind(
            "busy",
            503,
            "The server cannot store anything at the moment.",
            "Keep the record on the phone and send again later.",
        ),
        Kind(
            "entity_list_unavailable",
            503,
            "An entity list cannot be given out at the moment.",
            "Try again later; if it stays, look at the list's entities.",
        ),
        Kind(
            "disk_full",
            507,
            "The server's disk is full.",
            "Keep the record on the phone and tell the coordinator to make room.",
        ),
        # configuration and operation
        Kind(
            "source_failed",
            502,
            "The other server did not give what was asked for.",
            "Check its address, the name and the password. What came is kept; the same command goes on from there.",
        ),
        Kind("settings_invalid", 500, "The settings cannot be used.", "Correct the settings named in the message."),
        Kind(
            "database_newer",
            500,
            "The database was made by a newer Tulliana.",
            "Run the newer version, or restore a backup of this one.",
        ),
    )
}


class Problem(Exception):
    """A problem of the catalogue, with what is particular to this case in `detail`."""

    def __init__(self, code: str, detail: str = "", *, hint: str = "") -> None:
        self.kind = CATALOGUE[code]
        self.detail = detail
        self.hint = hint or self.kind.hint
        super().__init__(str(self))

    def __str__(self) -> str:
        return " ".join(part for part in (self.kind.title, self.detail, self.hint) if part)
