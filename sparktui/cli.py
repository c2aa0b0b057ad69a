"""The commands: parses what was typed and hands it on. stdout carries results only; everything else goes to stderr."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import click

from sparktui import __version__
from sparktui.errors import ExitCode, ProfileError, SparktuiError


class Levels(click.ParamType[tuple[int, ...]]):
    """`1,2,4`: rising concurrency levels."""

    name = "levels"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        try:
            levels = tuple(int(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not a list of numbers such as 1,2,4", param, ctx)
        if not levels or min(levels) < 1 or list(levels) != sorted(set(levels)):
            self.fail(f"{value!r}: expected rising levels from 1 on, such as 1,2,4", param, ctx)
        return levels


class Names(click.ParamType[tuple[str, ...]]):
    """`solo,shuffle`: names of topologies."""

    name = "names"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        return tuple(part.strip() for part in str(value).split(",") if part.strip())


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


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sparktui")
@click.pass_context
def cli(context: click.Context) -> None:
    """Race the ways to serve one model on your DGX Sparks, and see which wins from how many users on.

    Without a command: the app. `sparktui demo` shows it all on simulated nodes.
    """
    if context.invoked_subcommand is None:
        from sparktui.viewing import open_app

        open_app(None)


@cli.command()
@viewing
def demo(plain: bool, as_json: bool, detach: bool, ssh: bool) -> None:
    """The whole race on simulated nodes: four topologies in a few minutes, nothing needed."""
    from sparktui.profile import load_profile
    from sparktui.profile.catalog import find_profile
    from sparktui.viewing import Viewing, start_and_view

    start_and_view(load_profile(find_profile("demo")), Viewing(plain, as_json, detach, ssh))


@cli.command()
@click.argument("profile")
@click.option("--only", type=Names(), help="Only these topologies: solo,shuffle.")
@click.option("--concurrency", type=Levels(), help="Other levels than the profile's: 1,2,4.")
@click.option("--runs", type=click.IntRange(1), help="Other waves per level than the profile's.")
@click.option("--dry-run", is_flag=True, help="Print what would be typed on which node, and do nothing.")
@viewing
def run(
    profile: str,
    only: tuple[str, ...] | None,
    concurrency: tuple[int, ...] | None,
    runs: int | None,
    dry_run: bool,
    plain: bool,
    as_json: bool,
    detach: bool,
    ssh: bool,
) -> None:
    """Run a race: PROFILE is a profile's name or a YAML file."""
    from sparktui.profile import load_profile
    from sparktui.profile.catalog import find_profile
    from sparktui.profile.narrow import narrowed
    from sparktui.viewing import Viewing, print_plan, start_and_view

    chosen = narrowed(load_profile(find_profile(profile)), only=only, concurrency=concurrency, runs=runs)
    if dry_run:
        print_plan(chosen)
        return
    start_and_view(chosen, Viewing(plain, as_json, detach, ssh))


@cli.command()
@click.argument("url")
@click.option("--model", help="What to ask for; the only model the server has, where left out.")
@click.option("--concurrency", type=Levels(), default="1,2,4,8", show_default=True)
@click.option("--pp", type=click.IntRange(1), default=1024, show_default=True, help="Prompt tokens.")
@click.option("--tg", type=click.IntRange(1), default=128, show_default=True, help="Tokens to generate.")
@click.option("--depth", type=click.IntRange(0), default=0, show_default=True, help="Context tokens before the prompt.")
@click.option("--runs", type=click.IntRange(1), default=3, show_default=True, help="Waves per level.")
@click.option("--exact-tg/--no-exact-tg", default=True, show_default=True, help="Ask for exactly TG tokens.")
@click.option("--api-key-env", metavar="NAME", help="The environment variable that holds the key.")
@viewing
def bench(
    url: str,
    model: str | None,
    concurrency: tuple[int, ...],
    pp: int,
    tg: int,
    depth: int,
    runs: int,
    exact_tg: bool,
    api_key_env: str | None,
    plain: bool,
    as_json: bool,
    detach: bool,
    ssh: bool,
) -> None:
    """Measure a server that is already up, by its URL."""
    from sparktui.profile.external import profile_for_url
    from sparktui.viewing import Viewing, served_model, start_and_view

    profile = profile_for_url(
        url,
        served_model(url, model, api_key_env),
        concurrency=concurrency,
        pp=pp,
        tg=tg,
        depth=depth,
        runs=runs,
        exact_tg=exact_tg,
        api_key_env=api_key_env,
    )
    start_and_view(profile, Viewing(plain, as_json, detach, ssh))


@cli.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_campaigns(as_json: bool) -> None:
    """List the campaigns in the store, and the profiles there are."""
    from sparktui.plain import print_campaigns

    print_campaigns(as_json)


@cli.command()
@click.argument("campaign", metavar="ID", default="last")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def show(campaign: str, as_json: bool) -> None:
    """Print a campaign's tables: who wins at which concurrency. ID is a campaign's number, or `last`."""
    from sparktui.plain import print_result

    print_result(campaign, as_json)


@cli.command()
@click.argument("campaign", metavar="ID", default="last")
@click.option("--plain", is_flag=True, help="Lines instead of screens.")
@click.option("--ssh", is_flag=True, help="Half the screen's rate, no animation.")
def attach(campaign: str, plain: bool, ssh: bool) -> None:
    """Watch a campaign, running or finished, as many viewers as you like."""
    from sparktui.viewing import Viewing, view

    view(campaign, Viewing(plain, as_json=False, detach=False, ssh=ssh))


@cli.command()
@click.argument("campaign", metavar="ID", default="last")
def stop(campaign: str) -> None:
    """Stop a campaign and prove that nothing of it is left; also cleans up after a runner that was killed."""
    from sparktui.runner.stop import stop_campaign

    stop_campaign(campaign)


@cli.command()
@click.argument("campaign", metavar="ID", default="last")
@click.option("--format", "form", type=click.Choice(["csv", "json"]), required=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A file; stdout where left out.")
def export(campaign: str, form: Literal["csv", "json"], output: Path | None) -> None:
    """Write a campaign as CSV or JSON. ID is a campaign's number, or `last`."""
    from sparktui.plain import export_campaign

    export_campaign(campaign, form, output)


def main() -> None:
    """Run the command line: every foreseen error is a sentence on stderr and an exit code."""
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
    click.echo(f"sparktui: {message}", err=True)
    for line in lines:
        click.echo(f"  {line}", err=True)
    if hint:
        click.echo(f"  {hint}", err=True)
