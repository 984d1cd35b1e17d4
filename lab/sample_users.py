"""Invented employees: the same for the same cluster, no two clusters alike."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

FIRST_NAMES = """
adam agnes albert alice amina andre anna anton aria arthur astrid ben bianca bruno carla
carmen cedric chloe clara daniel david diana edgar elena elif emil emma eric eva fatima
felix fiona frank frida gabriel georg grace hana hans helen henri hugo ida igor ines
iris ivan jack jana jasper jean joana johan jonas julia kai karin karl katya lara lars
laura lea leon lina louis lucas luisa mara marc maria mario martin maya mei mia milan
mira nadia nils nina noah nora olga oscar paul petra rafael rosa ruth sam sara simon
sofia stefan tara theo tom vera viktor wanda yara yuki zoe
"""
LAST_NAMES = """
abbott adler ahmed albers andersen arnold bach baker barros bauer becker bell berg
bianchi blanc bond braun brown burke carter castro chen clark cohen costa cruz dahl
davis diaz dietz dubois duran eaton ebert ellis engel evans faber farah ferrari fischer
fleming fontaine ford fox franco frank fuchs garcia gibson gomez grant gray greco green
haas hahn hall hansen harris hart hayes henry herman hill hoffman holm howard huber
hughes hunt ibrahim ito jacobs jansen jensen jung kaiser keller kelly khan kim king
klein koch kovacs kraus krueger kumar lambert lang larsen laurent lee lehmann leone
lewis lin lopez lund maier marino marsh martel martinez mason meyer miller mills moore
moreau morris mueller murphy nagy neumann nguyen nolan novak olsen ortiz owens palmer
park patel perez peters petit porter pohl quinn ramos reed reyes ricci rossi roth russo
ryan sanchez santos sato schmidt schulz scott silva simon singh smith stein stone suzuki
tanaka taylor thomas torres turner vargas vogel wagner walker wang ward weber wells west
white winter wolf wong wood wright yang young zhang ziegler zimmer
"""
FIRST = tuple(FIRST_NAMES.split())
LAST = tuple(LAST_NAMES.split())
USER_COLUMNS: tuple[str, ...] = (
    "pkid",
    "userid",
    "imaddress",
    "directoryuri",
    "mailid",
    "fkdirectorypluginconfig",
    "primarynodeid",
    "telephonenumber",
)
# A prime that shares no factor with the number of names: every pair comes up once.
STRIDE = 7919


@dataclass(frozen=True)
class SamplePerson:
    """One employee as the directory knows them."""

    userid: str
    telephone: str
    domain: str

    @property
    def directory_uri(self) -> str:
        return f"{self.userid}@{self.domain}"

    @property
    def mail(self) -> str:
        return f"{self.userid}@mail.{self.domain}"


def person_at(ordinal: int, number: int, domain: str) -> SamplePerson:
    """Return the person of a place that is the only one of its kind in the lab."""
    lap, place = divmod(ordinal, len(FIRST) * len(LAST))
    last, first = divmod(place * STRIDE % (len(FIRST) * len(LAST)), len(FIRST))
    suffix = str(lap + 1) if lap else ""
    telephone = str(1000 + number if number < 9000 else 10_000 + number)
    return SamplePerson(f"{FIRST[first]}.{LAST[last]}{suffix}", telephone, domain)


def employees_of(
    cluster: int, clusters: int, start: int, count: int, domain: str
) -> Iterator[SamplePerson]:
    """Yield `count` people of a cluster; clusters interleave and so never meet."""
    stride = max(clusters, 64)
    for number in range(start, start + count):
        yield person_at(number * stride + cluster, number, domain)


def pkid_of(text: str) -> str:
    """Return the key that a thing of a name has in every lab."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    return (
        f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"
    )
