"""The commands: parses what was typed and hands it on. stdout carries results only; everything else goes to stderr."""

from __future__ import annotations

import math
import re
import secrets
import sys
import textwrap
from pathlib import Path
from typing import Any

import click

from sparktui import __version__
from sparktui.errors import ExitCode, ProfileError, SparktuiError, UsageError
from sparktui.exporting.names import FORMATS, Format
from sparktui.faults import FAULTS, Fault
from sparktui.load_options import load_options
from sparktui.private import close_to_others
from sparktui.streams import stand_in_for_closed
from sparktui.units import seconds
from sparktui.visible import visible

FAULTS_HELP = "\b\nFaults:\n" + "\n".join(
    textwrap.fill(part.what, 78, initial_indent=f"  {name:<14}", subsequent_indent=" " * 16)
    for name, part in FAULTS.items()
)
BASELINE_HELP = "What margins are against instead of the runner-up: the first of these that is not the winner."


class Names(click.ParamType[tuple[str, ...]]):
    """`solo,shuffle`: names of topologies."""

    name = "names"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        return tuple(part.strip() for part in str(value).split(",") if part.strip())


class Label(click.ParamType[str]):
    """`solo`: a name as profiles have them, for a campaign or a topology."""

    name = "name"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from sparktui.profile.fields import NAME, NAME_TAKES

        return str(value) if re.match(NAME, str(value)) else self.fail(f"expected {NAME_TAKES}", param, ctx)


class Finite(click.FloatRange):
    """A number within bounds, which click takes `nan` to be."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{number} is not a finite number.", param, ctx)
        return number


class Limit(Finite):
    """A number above zero that something may be at most, or at least."""

    def __init__(self) -> None:
        super().__init__(0, min_open=True)


class Span(click.ParamType[float]):
    """`10m`: a length of time, in seconds."""

    name = "duration"

    def __init__(self, such_as: str = "90s, 10m or 2h") -> None:
        self._such_as = such_as

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found = value if isinstance(value, float) else seconds(str(value))
        return self.fail(f"{value!r} is not a duration; try {self._such_as}.", param, ctx) if found is None else found


def viewing(command: click.decorators.FC) -> click.decorators.FC:
    """Add the options that say how a campaign is watched."""
    for option in (
        click.option("--ssh", is_flag=True, help="Half the screen's rate, no animation: for a slow line."),
        click.option("--detach", is_flag=True, help="Start it, print its number, and return."),
        click.option("--json", "as_json", is_flag=True, help="Wait, then print the result as JSON."),
        click.option("--plain", is_flag=True, help="Lines instead of screens; the default when not on a terminal."),
    ):
        command = option(command)
    return command


def limits(command: click.decorators.FC) -> click.decorators.FC:
    """Add the options that ask for how many users a topology is good enough."""
    for option in (
        click.option("--tps-per-stream", type=Limit(), metavar="N", help="The same for tok/s of each user."),
        click.option("--ttft-ms", type=Limit(), metavar="MS", help="Say how many users wait no longer for a token."),
    ):
        command = option(command)
    return command


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sparktui")
@click.pass_context
def cli(context: click.Context) -> None:
    """Race the ways to serve one model on your DGX Sparks, and see which wins from how many users on.

    Without a command: the app, on the race that is running. `sparktui demo` shows it all on simulated nodes.
    """
    if context.invoked_subcommand is None:
        from sparktui.viewing import view_what_there_is

        view_what_there_is()


@cli.command(epilog=FAULTS_HELP)
@click.option("--fault", type=click.Choice(list(FAULTS)), metavar="NAME", help="Make one thing go wrong: see below.")
@viewing
def demo(fault: Fault | None, plain: bool, as_json: bool, detach: bool, ssh: bool) -> None:
    """The whole race on simulated nodes: four topologies in a few minutes, nothing needed."""
    from sparktui.profile.catalog import find_profile
    from sparktui.profile.faulty import with_fault
    from sparktui.profile.loader import load_profile
    from sparktui.viewing import Viewing, start_and_view

    profile = load_profile(find_profile("demo"))
    start_and_view(with_fault(profile, fault) if fault else profile, Viewing(plain, as_json, detach, ssh))


@cli.command()
@click.argument("profile")
@click.option("--only", type=Names(), help="Only these topologies: solo,shuffle.")
@click.option("--dry-run", is_flag=True, help="Print what would be typed on which node, and do nothing.")
@load_options(over_profile=True)
@viewing
def run(
    profile: str,
    only: tuple[str, ...] | None,
    dry_run: bool,
    load: dict[str, Any],
    plain: bool,
    as_json: bool,
    detach: bool,
    ssh: bool,
) -> None:
    """Run a race: PROFILE is a profile's name or a YAML file."""
    from sparktui.profile.named import profile_named
    from sparktui.profile.narrow import narrowed
    from sparktui.viewing import Viewing, start_and_view

    chosen = narrowed(profile_named(profile), only=only, **load)
    if dry_run:
        from sparktui.dry_run import print_plan

        print_plan(chosen)
        return
    start_and_view(chosen, Viewing(plain, as_json, detach, ssh))


@cli.command()
@click.argument("url")
@click.option("--model", help="What to ask for; the only model the server has, where left out.")
@click.option("--name", "label", type=Label(), metavar="NAME", help="What lists and comparisons call it: solo.")
@load_options(over_profile=False)
@click.option("--api-key-env", metavar="NAME", help="The environment variable that holds the key.")
@click.option(
    "--api-key-file",
    metavar="PATH",
    type=click.Path(exists=True, dir_okay=False, resolve_path=True),
    help="The file that holds the key.",
)
@viewing
def bench(
    url: str,
    model: str | None,
    label: str | None,
    load: dict[str, Any],
    api_key_env: str | None,
    api_key_file: str | None,
    plain: bool,
    as_json: bool,
    detach: bool,
    ssh: bool,
) -> None:
    """Measure a server that is already up, by its URL."""
    from sparktui.profile.external import profile_for_url
    from sparktui.viewing import Viewing, served_model, start_and_view

    served = served_model(url, model, api_key_env, api_key_file)
    load["concurrency"] = load["concurrency"] or (1, 2, 4, 8)
    if load["seed"] is None:
        # A server that was measured before may still hold the prompts of the last time in its prefix cache.
        load["seed"] = secrets.randbelow(2**31)
    key = {"api_key_env": api_key_env, "api_key_file": api_key_file}
    profile = profile_for_url(url, served, name=label, **key, **load)
    start_and_view(profile, Viewing(plain, as_json, detach, ssh))


@cli.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_campaigns(as_json: bool) -> None:
    """List the campaigns in the store, and the profiles there are."""
    from sparktui.listing import print_campaigns

    print_campaigns(as_json)


@cli.command()
@click.argument("campaign", metavar="[ID]", default="last")
@click.option(
    "--calculator", metavar="NAME", default="usage", show_default=True, help="usage, benchy-0.3.5 or benchy-0.4.0."
)
@limits
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def show(campaign: str, calculator: str, ttft_ms: float | None, tps_per_stream: float | None, as_json: bool) -> None:
    """Print a campaign's tables: who wins at which concurrency.

    ID is a campaign's number, or `last`, the newest, which is meant too where it is left out.
    The figures are computed anew from the stored token events, by whichever calculator is asked for.
    """
    from sparktui.compare.goodput import UserLimits
    from sparktui.showing import print_result

    print_result(campaign, as_json, calculator, UserLimits(ttft_ms, tps_per_stream))


@cli.command()
@click.argument("campaign", metavar="[ID]", default="last")
@click.option(
    "--last", "last_s", type=Span(), default="10m", show_default=True, metavar="TIME", help="How much: 90s, 2h."
)
@click.option("--node", metavar="NAME", help="Only this one.")
@click.option("--newest", is_flag=True, help="Up to the last sample, whatever went wrong before.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def nodes(campaign: str, last_s: float, node: str | None, newest: bool, as_json: bool) -> None:
    """Print the nodes' last minutes before something went wrong: memory left, warnings, what ran, every reading.

    From the store alone: the nodes and the runner may be long gone. ID is a campaign's number, or `last`, the newest,
    which is meant too where it is left out.
    """
    from sparktui.recorder.command import print_nodes

    print_nodes(campaign, last_s, node=node, newest=newest, as_json=as_json)


@cli.command()
@click.argument("campaigns", metavar="[A [B ...]]", nargs=-1)
@click.option("--baseline", "baselines", multiple=True, metavar="[METRIC=]NAME[,NAME...]", help=BASELINE_HELP)
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="Only decode, prefill, ttft, output, energy.")
@click.option("--calculator", metavar="NAME", default="usage", show_default=True, help="As of `show`.")
@click.option("--force", is_flag=True, help="Rank what was not measured alike too.")
@limits
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def compare(
    campaigns: tuple[str, ...],
    baselines: tuple[str, ...],
    metrics: tuple[str, ...],
    calculator: str,
    force: bool,
    ttft_ms: float | None,
    tps_per_stream: float | None,
    as_json: bool,
) -> None:
    """Say who wins, over any campaigns or topologies; of two topologies, what the second gains over the first.

    A, B: a campaign's number, `last`, one of its topologies as in `3/solo`, or `published/gemma4-26b-a4b`. Without any,
    the last campaign. What was not measured like the others is shown but not ranked, and the exit code is 2.
    """
    from sparktui.compare.command import Asked, print_comparison
    from sparktui.compare.goodput import UserLimits
    from sparktui.paths import store_path

    asked = Asked(baselines, metrics, calculator, force, as_json, UserLimits(ttft_ms, tps_per_stream))
    print_comparison(campaigns or ("last",), asked, store_path())


@cli.command()
@click.argument("campaign", metavar="[ID]", required=False)
@click.option("--plain", is_flag=True, help="Lines instead of screens.")
@click.option("--json", "as_json", is_flag=True, help="Wait for its end, then print the result as JSON.")
@click.option("--ssh", is_flag=True, help="Half the screen's rate, no animation.")
def attach(campaign: str | None, plain: bool, as_json: bool, ssh: bool) -> None:
    """Watch a campaign, running or finished, as many viewers as you like.

    ID is a campaign's number, or `last`, the newest; where left out, the one that is running, or else the newest.
    """
    from sparktui.viewing import Viewing, view

    view(campaign, Viewing(plain, as_json, detach=False, ssh=ssh))


@cli.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "form", help="Its format, where the content does not tell.")
@click.option("--topology", "topologies", type=Names(), help="What each file measured, in their order: solo,cluster.")
@click.option("--name", help="What to call the campaign.")
@click.option("--tool-version", metavar="V", help="Of the tool that wrote the files, where they do not tell.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def import_results(
    files: tuple[Path, ...],
    form: str | None,
    topologies: tuple[str, ...] | None,
    name: str | None,
    tool_version: str | None,
    as_json: bool,
) -> None:
    """Import result FILES as one campaign: of llama-benchy, vllm bench serve, guidellm, aiperf; tables; own exports."""
    from sparktui.importing.command import Asked, find_format, print_import

    asked = Asked(form=find_format(form), topologies=topologies or (), name=name, version=tool_version)
    print_import(files, asked, as_json)


@cli.command()
@click.argument("profile", required=False)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def check(profile: str | None, as_json: bool) -> None:
    """Look at every node of PROFILE before a launch would: ssh, clock, disk, memory, ports, links, image, model.

    Without PROFILE: at this machine. Changes nothing; ends with 1 where there is a problem.
    """
    from sparktui.doctor.command import print_check
    from sparktui.profile.named import profile_named

    sys.exit(print_check(None if profile is None else profile_named(profile), as_json))


@cli.command()
@click.argument("campaign", metavar="[ID]", required=False)
def stop(campaign: str | None) -> None:
    """Stop a campaign and prove that nothing of it is left; also cleans up after a runner that was killed.

    ID is a campaign's number, or `last`, the newest; where left out, the one that is running, or else the newest.
    """
    from sparktui.runner.stop import stop_campaign

    stop_campaign(campaign)


@cli.command()
@click.argument("campaign", metavar="[ID]", required=False)
def skip(campaign: str | None) -> None:
    """End the topology that is being measured, and go on with the next. What it has measured is kept.

    ID is a campaign's number, or `last`; where left out, the one that is running.
    """
    from sparktui.runner.skipping import skip_topology

    skip_topology(campaign)


@cli.command()
@click.argument("campaign", metavar="[ID]", default="last")
@click.option("--profile", metavar="PROFILE", help="Refuse, and say what differs, where this is not its profile.")
@click.option("--force", is_flag=True, help="Go on with an engine unlike the first one; what it measures cannot win.")
@viewing
def resume(
    campaign: str, profile: str | None, force: bool, plain: bool, as_json: bool, detach: bool, ssh: bool
) -> None:
    """Finish a campaign that was stopped, killed, or lost to a reboot or the guard, at its first missing wave.

    What it has measured is kept. ID is a campaign's number, or `last`, the newest, which is meant too where it is left
    out.
    """
    from sparktui.viewing import Viewing, resume_and_view

    resume_and_view(campaign, profile, force, Viewing(plain, as_json, detach, ssh))


@cli.command()
@click.argument("campaigns", metavar="ID...", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--force", is_flag=True, help="Forget what a campaign may have left running on a node.")
def delete(campaigns: tuple[str, ...], yes: bool, force: bool) -> None:
    """Delete campaigns and everything measured in them, for good. ID is a campaign's number, or `last`."""
    from sparktui.deleting import delete_campaigns

    delete_campaigns(campaigns, yes=yes, force=force)


@cli.command()
@click.argument("campaign", metavar="[ID]", required=False)
@click.option(
    "--older-than", type=Span("30d or 12h"), metavar="TIME", help="Only what ended longer ago than this: 30d, 12h."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def compact(campaign: str | None, older_than: float | None, yes: bool) -> None:
    """Make the store smaller: campaigns that are over lose what no figure is read from, and every figure stays.

    ID is a campaign's number, or `last`; all of them where left out.
    """
    from sparktui.compacting import compact_campaigns

    compact_campaigns(campaign, older_than, yes=yes)


@cli.command()
@click.argument("targets", metavar="TARGET...", nargs=-1, required=True)
@click.option("--hz", type=Finite(0.1, 10), default=1.0, show_default=True, help="Looks a second.")
@click.option("--api-key-env", metavar="NAME", help="The environment variable that holds the key, for URLs.")
@click.option(
    "--api-key-file",
    metavar="PATH",
    type=click.Path(exists=True, dir_okay=False, resolve_path=True),
    help="The file that holds it.",
)
@click.option("--ssh", is_flag=True, help="No animation: for a slow line.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a look.")
@click.option("--plain", is_flag=True, help="Lines instead of a screen; the default when not on a terminal.")
def watch(
    targets: tuple[str, ...],
    hz: float,
    api_key_env: str | None,
    api_key_file: str | None,
    ssh: bool,
    as_json: bool,
    plain: bool,
) -> None:
    """Watch engines that somebody else drives, by their /metrics, and their nodes. Sends no load, launches nothing.

    TARGET is a server's URL, or a profile's name or YAML file; several are shown side by side.
    """
    from sparktui.viewing import Viewing
    from sparktui.watching.command import Asked
    from sparktui.watching.command import watch as watch_targets

    asked = Asked(targets, hz, api_key_env, api_key_file)
    watch_targets(asked, Viewing(plain, as_json, detach=False, ssh=ssh))


@cli.command()
@click.argument("campaign", metavar="[ID]", required=False)
@click.option("--host", default="127.0.0.1", show_default=True, help="Another is reachable by others, unencrypted.")
@click.option("--port", type=click.IntRange(1, 65535), default=8765, show_default=True)
def serve(campaign: str | None, host: str, port: int) -> None:
    """Show the app in a browser, on this machine or through `ssh -L`. ID opens a campaign; as `attach` does."""
    try:
        from sparktui.web.serve import serve as serve_app
    except ModuleNotFoundError as error:
        hint = "pip install 'sparktui[web]'"
        raise UsageError(f"what serves the app to a browser is not installed: {error.name}", hint) from error

    serve_app(host, port, campaign)


@cli.command()
@click.argument("campaign", metavar="[ID]", default="last")
@click.option("--format", "form", type=click.Choice(FORMATS), help="Told from the file's ending where left out.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A file; stdout where left out, or -.")
@click.option("--calculator", metavar="NAME", help="Another than the format's own: usage, benchy-0.3.5, benchy-0.4.0.")
@click.option("--topology", metavar="NAME", help="Only this one; llama-benchy's formats hold one.")
def export(
    campaign: str, form: Format | None, output: Path | None, calculator: str | None, topology: str | None
) -> None:
    """Write a campaign as tables, a plot, a report, data, or in llama-benchy's own shape.

    ID is a campaign's number, `published/NAME`, or `last`, the newest, which is meant too where it is left out.
    """
    from sparktui.exporting.command import Asked, export_campaign
    from sparktui.paths import store_path

    file = None if output == Path("-") else output
    export_campaign(campaign, Asked(form, file, calculator, topology), store_path())


def main() -> None:
    """Run the command line: every foreseen error is a sentence on stderr and an exit code."""
    close_to_others()
    stand_in_for_closed()
    try:
        sys.exit(cli(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(ExitCode.USAGE)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(ExitCode.INTERRUPTED)
    except ProfileError as error:
        _say(error.message, *error.problems, hint=error.hint)
        sys.exit(error.exit_code)
    except SparktuiError as error:
        _say(error.message, hint=error.hint)
        sys.exit(error.exit_code)
    except OSError as error:
        _say(f"cannot go on: {error}")
        sys.exit(ExitCode.PARTIAL)


def _say(message: str, *lines: str, hint: str = "") -> None:
    click.echo(visible(f"sparktui: {message}"), err=True)
    for line in lines:
        click.echo(visible(f"  {line}"), err=True)
    if hint:
        click.echo(visible(f"  {hint}"), err=True)
