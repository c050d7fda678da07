"""Which sites there are and what lies between them, as data: a TOML file that a learner can edit.

    topology = Topology.read("data/two-campuses.toml")

A site is an Outpost, a Local Zone or a Region. A link joins two sites; its latency is that of one direction.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from helpers.sites.errors import TopologyInvalid, UnknownSite

Kind = Literal["outpost", "local-zone", "region"]
State = Literal["up", "cut", "silent"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
STRICT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Conditions(BaseModel):
    """What a link is like. Latency and jitter in milliseconds one way, bandwidth in Mbit/s each way (None: no limit).

    `cut` refuses and resets connections at once, as when a router answers that there is no way; `silent` swallows
    what is sent until the link is up again, as when a fibre is pulled out: only a time limit of the caller ends that.
    """

    model_config = STRICT

    latency_ms: float = Field(0, ge=0, le=10_000)
    jitter_ms: float = Field(0, ge=0, le=10_000)
    bandwidth_mbit: float | None = Field(None, gt=0)
    state: State = "up"


class SiteSpec(BaseModel):
    """One site: its kind, and where it is."""

    model_config = STRICT

    kind: Kind
    place: str = ""


class LinkSpec(Conditions):
    """One link between two sites, and what it is like at first."""

    between: tuple[Name, Name]


class Topology(BaseModel):
    """Sites and links."""

    model_config = STRICT

    name: Name
    sites: dict[Name, SiteSpec] = Field(min_length=1)
    links: list[LinkSpec] = []

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """The topology in a TOML file.

        Raises:
            TopologyInvalid: the file is missing, is not TOML, or describes no topology.
        """
        try:
            return cls.model_validate(tomllib.loads(Path(path).read_text(encoding="utf-8-sig")))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise TopologyInvalid(f"{path} cannot be read as TOML: {error}. Compare it with the kit's own.") from error
        except ValidationError as error:
            raise TopologyInvalid(f"{path} describes no topology: {_faults(error)}. Correct these lines.") from error

    @model_validator(mode="after")
    def _links_join_two_sites_once(self) -> Self:
        seen: set[frozenset[str]] = set()
        for link in self.links:
            pair = frozenset(link.between)
            unknown = pair - set(self.sites)
            if unknown:
                raise ValueError(f"a link leads to {', '.join(sorted(unknown))}, which is no site")
            if len(pair) == 1:
                raise ValueError(f"a link joins {link.between[0]} to itself")
            if pair in seen:
                raise ValueError(f"two links join {' and '.join(sorted(pair))}")
            seen.add(pair)
        return self

    def require(self, site: str) -> SiteSpec:
        """The site of that name.

        Raises:
            UnknownSite: there is none.
        """
        if site not in self.sites:
            raise UnknownSite(f"There is no site {site!r} in {self.name}; there are {', '.join(self.sites)}.")
        return self.sites[site]


def _faults(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, e['loc'])) or 'the file'}: {e['msg']}" for e in error.errors())
