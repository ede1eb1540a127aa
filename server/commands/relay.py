"""tulliana relay: a station and its hub exchange what the other lacks."""

import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from server.commands import access, opened

if TYPE_CHECKING:
    from server.services import Services
    from sync.relay.meeting import Outcome
    from sync.relay.standing import Peer


@click.group("relay")
def command() -> None:
    """Exchange records with other nodes: a station with its hub."""


@command.command()
@click.argument("name")
@click.option("--url", help="The address under which the station reaches this hub. By default that of this server.")
@click.option("--png", type=click.Path(dir_okay=False), help="Write the code as a QR code to this picture.")
@click.option("--country", help="NAME is the hub of this country (IR), which gives generalised releases and nothing else.")
def invite(name: str, url: str | None, png: str | None, country: str | None) -> None:
    """At the hub: a code with which the station NAME enrols, once, within 60 days."""
    from server.network import is_loopback, serving_url
    from sync.relay import enrolment, projects

    with opened() as services:
        where = url or serving_url(services.config)
        role, grants = (projects.COUNTRY, (f"{projects.SHARED}:{country}",)) if country else (projects.STATION, ())
        code = enrolment.invite(services.store, services.answerer().me, access(), name, where, role=role, grants=grants)
    click.echo(f"On the {role} {name}:\n\n  tulliana relay enrol {code}\n")
    click.echo("Whoever has the code can bring this hub records. It is shown only now.")
    click.echo(f"Where it was used, this number of the hub must stand: {code.hub.node_id}")
    if is_loopback(where):
        click.echo(f"But {where} leads only to this machine itself: give --url, under which others reach it.")
    if png:
        import segno

        segno.make(str(code), error="m").save(png, scale=6)
        click.echo(f"As a QR code: {png}")


@command.command()
@click.argument("code")
@click.option("--name", default="", help="What this node is called. By default as the hub calls it.")
def enrol(code: str, name: str) -> None:
    """On the station: join the hub that gave CODE, which may also be a file that holds it, or - to read it from the input.

    A QR code is read with a phone, which gives its text. Without a network the next stick asks the hub.
    """
    from sync.relay import enrolment
    from sync.relay.link import Link

    if not code.startswith(enrolment.PREFIX):
        with suppress(OSError), click.open_file(code, errors="replace") as file:
            code = file.read()
    read = enrolment.Code.read(code)
    with opened() as services:
        called = enrolment.join(services.store, services.answerer().me, access(), read, name or "station", Link(read.url))
    if called is None:
        click.echo(f"The hub at {read.url} cannot be reached from here. This node asks it by the next stick, which goes there and")
        click.echo("back: tulliana relay export STICK; or by itself when it can be reached.")
    else:
        click.echo(f"This node is the {read.role} {called} of the hub at {read.url}. It meets the hub by itself while it serves;")
        click.echo("now: tulliana relay run")
    click.echo(f"The hub must show this number at the code: {read.hub.node_id}")


@command.command()
@click.option("--no-files", is_flag=True, help="Records only; photos wait for a better line.")
def run(no_files: bool) -> None:
    """Meet the hub now, and say what is safe there."""
    from server.relaying import meet

    with opened() as services:
        for name, outcome in meet(services, access(), files=not no_files).items():
            click.echo(f"{name}: {_told(outcome)}")
        _tell_waiting(services)


_stick = click.argument("stick", type=click.Path(exists=True, file_okay=False, path_type=Path))


@command.command("export")
@_stick
@click.option("--for", "name", help="The station this is for, by its name or id. A station writes for its hub.")
@click.option("--anew", is_flag=True, help="A stick was lost: write also what full ones before this got.")
def export_to(stick: Path, name: str | None, anew: bool) -> None:
    """Write to the folder STICK what the other lacks, sealed for it: at a station for its hub, at the hub for its stations."""
    from server.relaying import write_stick

    with opened() as services:
        for who, done in write_stick(services, access(), stick, name=name, anew=anew):
            click.echo(f"for {who or 'others'}: {done.packets} packets, {_size(done.bytes)}; {done.present} were there already")
            if done.full:
                click.echo("The stick is full: take another for the rest, the same command goes on. Both are to be brought.")
                return
    click.echo("Written and read again. The stick may be taken out.")


@command.command("import")
@_stick
def import_from(stick: Path) -> None:
    """Take from the folder STICK what is for this node, and carry what is for others. Again does no harm."""
    from sync.relay import sticks

    with opened() as services:
        done = sticks.bring(services.answerer(), stick)
        services.settler().run()
        counts = done.counts
        click.echo(
            f"{counts['taken']} packets taken, {counts['carried']} carried for others, {counts['later']} wait for their records"
        )
        for joined in done.joined:
            click.echo(f"{joined} joined. Now write for it on this stick: tulliana relay export {stick}")
        for reason in done.reasons[:20]:
            click.echo(reason)
        if counts["damaged"]:
            click.echo(f"{counts['damaged']} cannot be read: let them be written again. Nothing else is lost.")
        _tell_waiting(services)


@command.command()
def status() -> None:
    """Say with whom this node exchanges, when they last met, and what is not there yet."""
    from sync.relay.standing import standing

    with opened() as services:
        now = standing(services.answerer(), access())
        click.echo(f"this node: {services.answerer().me.node_id}")
        for peer in now.peers:
            met = "never met" if peer.met_at is None else f"met {peer.met_at:%Y-%m-%d %H:%M} UTC"
            click.echo(f"{peer.role} {peer.name} ({peer.id}){', revoked' if peer.revoked_at else ''}: {met}; {_stands(peer)}")
        if now.there is not None:
            click.echo(f"Reports here: {now.here}; at the hub: {now.there}.")
            click.echo("Everything that is here is safe at the hub: it was compared." if now.safe else "Not all is there yet.")
        _tell_waiting(services)


@command.command()
@click.confirmation_option(prompt="All reports stay here, but go to no hub until this node joins one with a new code. Leave?")
def leave() -> None:
    """On the station: leave its hub, because that lost its key, or another is to be joined. Nothing is deleted."""
    from sync.relay import leaving

    with opened() as services:
        name = leaving.leave(services.store, access())
    if name is None:
        click.echo("This node goes to no hub.")
    else:
        click.echo(f"This node left {name}. All its reports are here. To join a hub: tulliana relay enrol CODE")


@command.command()
@click.argument("node_id")
def revoke(node_id: str) -> None:
    """No longer speak with the node NODE_ID: its laptop was stolen, say. See: tulliana relay status."""
    from sync.relay import enrolment

    with opened() as services:
        name = enrolment.revoke(services.store, access(), node_id)
    click.echo(f"{name} is revoked: nothing of it is taken any more, by whatever way.")


@command.command()
@click.argument("node_id")
@click.argument("releases", nargs=-1)
def share(node_id: str, releases: tuple[str, ...]) -> None:
    """Give the hub above NODE_ID these RELEASES from now on (hotspots-partner, say), and no others; without any, none."""
    from exports.recipes import RECIPES
    from sync.relay import sharing

    with opened() as services:
        sharing.choose(services.store, access(), node_id, releases, RECIPES)
    click.echo(f"Shared from now on: {', '.join(releases) or 'nothing'}.")


@command.command()
@click.option("--save", type=click.Path(file_okay=False, path_type=Path), help="Save the packages into this folder.")
def shared(save: Path | None) -> None:
    """What countries gave this hub."""
    from sync.relay import sharing

    with opened() as services:
        for each in sharing.shared(services.store, services.blobs, access()):
            click.echo(
                f"{each.node}  {each.name}  {each.at}  {each.package}  {each.size} bytes{'' if each.is_here else ', on its way'}"
            )
            if save is not None and each.is_here:
                folder = save / each.sha256[:8]
                folder.mkdir(parents=True, exist_ok=True)
                with services.blobs.open(each.sha256) as source, (folder / Path(each.package).name).open("wb") as target:
                    shutil.copyfileobj(source, target)


@command.command()
def erasures() -> None:
    """What stations erased, and waits for a person to say so here: what would go and what would stay."""
    from sync.relay import asking, settling

    with opened() as services:
        with services.store.read() as connection:
            rows = settling.asked(connection, access())
        for row in rows:
            each = asking.asked(services.store, services.intake.schemas, access(), row.id)
            click.echo(f"{row.id}  {row.form_id}  {row.instance_id}, erased at {each.station}")
            click.echo(f"  goes: {', '.join(path[-1] for path in each.gone)}; {each.files} files, {each.comments} comments")
            click.echo(f"  stays: {orjson.dumps(each.left).decode()}")


@command.command("erase")
@click.argument("record_id")
def accept(record_id: str) -> None:
    """Erase here too what a station erased."""
    with opened() as services:
        services.settler().accept_erasure(access(), record_id)
    click.echo("Erased.")


def _told(outcome: "Outcome") -> str:
    lines = [
        f"sent {outcome.pushed} records and {outcome.files_sent} files, got {outcome.pulled} and {outcome.files_got}; "
        f"{_size(outcome.bytes_out + outcome.bytes_in)} in {outcome.seconds:.0f} s"
    ]
    if abs(outcome.clock) > 60:
        lines.append(f"The hub's clock is {outcome.clock:+.0f} s from this one.")
    if outcome.safe:
        lines.append("Everything that is here is safe at the hub: it was compared.")
    elif any((pending := outcome.pending).values()):
        lines.append(f"Not there yet: {pending['records']} records, {pending['files']} files ({_size(pending['bytes'])}).")
        if pending["aside"]:
            lines.append(f"Kept aside here only, until a person settles it: {pending['aside']} (tulliana quarantine list).")
    elif outcome.same is False:
        lines.append("The hub does not hold the same yet; the next meeting goes on.")
    return "\n".join(lines)


def _stands(peer: "Peer") -> str:
    from sync.relay.enrolment import REFUSALS

    brought = f"{peer.records} reports, " if peer.role == "station" else ""
    clock = f"; its clock is {peer.clock:+.0f} s from this one" if abs(peer.clock) > 60 else ""
    regressed = "; its data were put back to an earlier state, or copied to a second machine" if peer.regressed else ""
    joining = "; it has not let this node in yet: tulliana relay run, or by stick" if peer.asked else ""
    if peer.refused:
        joining = f"; it did not let this node in: {REFUSALS.get(peer.refused, peer.refused)}"
    return f"{brought}{peer.files} files ({_size(peer.bytes)}) on their way{clock}{regressed}{joining}"


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1000:.0f} kB"


def _tell_waiting(services: "Services") -> None:
    from sync.relay import settling

    with services.store.read() as connection:
        for reason, count in settling.why_waiting(connection, access()).items():
            click.echo(f"{count} records wait: {reason}")
