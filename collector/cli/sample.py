"""`evidenced sample`: drawn from a frozen population by a stated seed; a second draw never replaces the first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from collector.ask.documents import said_of, sample_document
from collector.cli.layout import Part, Table, lines, show
from collector.cli.opening import actor, opened_store, recording
from collector.cli.options import ActorOption, ByDefault, ConfigOption, InEngagementOption, JsonOption
from collector.cli.render import show_json
from collector.errors import QueryError
from collector.words import plural

if TYPE_CHECKING:
    from collector.ask.samples import Sample

app = typer.Typer(cls=ByDefault.of("draw"))

_Population = Annotated[str, typer.Argument(metavar="POPULATION", help="A frozen population: population:7.")]
_Seed = Annotated[str, typer.Option("--seed", metavar="TEXT", help="Public text that decides the draw.")]
_Size = Annotated[
    str, typer.Option("--size", metavar="N", help="A number or a share, 10%; else as configured.", show_default=False)
]
_Method = Annotated[str, typer.Option("--method", metavar="METHOD", help="random, systematic, stratified or dates.")]
_Stratum = Annotated[
    str, typer.Option("--stratum", metavar="EXPR", help="Stratified: JMESPath over the item.", show_default=False)
]
_Minimum = Annotated[int, typer.Option("--minimum", min=0, help="Stratified: at least so many of each.")]
_Every = Annotated[str, typer.Option("--every", metavar="SPAN", help="Dates of a daily, weekly or monthly control.")]


@app.callback()
def _group() -> None:
    """Draw from a frozen population, reproducibly.

    The same population and seed give the same sample to everybody: docs/samples.md says how, without this program.

    \b
    Examples: evidenced sample population:7 --seed 'drawn on 2026-07-03'
              evidenced sample show sample:9
    """


@app.command()
def draw(
    population: _Population,
    seed: _Seed,
    size: _Size = "",
    method: _Method = "random",
    stratum: _Stratum = "",
    minimum: _Minimum = 1,
    every: _Every = "daily",
    by: ActorOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw a sample and record it; `draw` may be left out.

    \b
    Example: evidenced sample population:7 --size 25 \\
                 --seed 'drawn on 2026-07-03' --method random
    """
    from collector.ask.samples import Wanted, sample_of
    from collector.ask.samples import draw as record
    from collector.sample import Method

    if method not in list(Method):
        raise QueryError(f"a sample is not drawn {method!r}", hint=f"Methods: {', '.join(Method)}.")
    wanted = Wanted(Method(method), seed, size, stratum, minimum, every)
    with recording(config) as (settings, store):
        act = record(store, population, wanted, settings.samples, actor=actor(by))
        found = sample_of(store, str(act.id))
    _answer(found, as_json=as_json)


@app.command("show")
def show_(
    sample: Annotated[str, typer.Argument(metavar="SAMPLE", help="As the list names it: sample:9.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a sample, drawn again to compare.

    \b
    Example: evidenced sample show sample:9
    """
    from collector.ask.samples import sample_of

    with opened_store(config) as store:
        found = sample_of(store, sample)
    _answer(found, as_json=as_json)


@app.command("list")
def list_(engagement: InEngagementOption = "", config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List every sample that was ever drawn.

    \b
    Example: evidenced sample list --engagement soc2-2026
    """
    from collector.act import ActKind
    from collector.ask.engagements import acts_of

    with opened_store(config) as store:
        found, names = acts_of(store, ActKind.SAMPLE, engagement)
    if as_json:
        show_json({"samples": [{**said_of(each), "engagement": names[each.engagement]} for each in found]})
        return
    rows = [
        [
            f"sample:{each.id}",
            names[each.engagement],
            f"population:{each.about}",
            each.document["method"],
            len(each.document["drawn"]),
            each.document["among"],
            each.document["seed"],
            each.at,
            each.actor,
        ]
        for each in found
    ]
    columns = ["sample", "engagement", "population", "method", "drawn", "of", "seed", "at", "by"]
    show(Table(columns, rows, right=["drawn", "of"]), "", plural(len(rows), "sample"))


def _answer(found: Sample, *, as_json: bool) -> None:
    if as_json:
        show_json(sample_document(found))
    else:
        show(*_shown(found))


def _shown(found: Sample) -> Iterator[Part]:
    said = found.act.document
    of = f"population:{found.population.id}, {found.population.document['kind']}"
    size = f"{len(said['drawn'])} of {said['among']:,}"
    more = f" (stratum {said['stratum']}, at least {said['minimum']})" if "stratum" in said else ""
    yield from lines(
        [
            ("sample", f"sample:{found.act.id}"),
            ("of", of),
            ("method", said["method"] + more + (f" {said['every']}" if "every" in said else "")),
            ("size", size if said["size"] <= said["among"] else f"{size}: there are no more"),
            ("seed", said["seed"]),
            ("drawn", f"{found.act.at:%Y-%m-%dT%H:%M:%SZ} by {found.act.actor}"),
            ("rows", f"sha256:{said['population']['rows']}"),
            ("drawn again", "the same" if found.reproduced else "NOT the same: the record contradicts itself"),
        ]
    )
    yield ""
    if found.dates:
        due = ("due", "collected", "failed", "missed", "excluded")
        yield Table(["date", *due], [[each.label, *(each.counts[name] for name in due)] for each in found.dates], due)
    elif found.items:
        rows = [[each.key, each.source, each.scope, each.at or each.first_seen, each.id] for each in found.items]
        yield Table(["key", "source", "scope", "at" if found.items[0].at else "first seen", "id"], rows)
    for each in said.get("strata", ()):
        yield f"stratum {each['name']}: {each['drawn']} of {each['of']}"
    if found.others:
        yield ""
        yield f"This is draw {found.number} of {len(found.others) + 1} from this population; each stays on record:"
    for other in found.others:
        drawn = other.document
        yield f"  sample:{other.id}  {drawn['method']}, {len(drawn['drawn'])}, seed {drawn['seed']}"
