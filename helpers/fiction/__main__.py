"""`python -m helpers.fiction FOLDER`: writes both databases and the stores' files, and prints a count per table."""

import argparse
import sys
from pathlib import Path

from helpers.fiction import FictionError, bank_records, hospital_records, retail_files
from helpers.fiction.database import counts


def main(arguments: list[str] | None = None) -> int:
    """Write the databases and the folder `retail`; errors are told in a sentence, without a traceback."""
    folder = parser().parse_args(arguments).folder
    try:
        for path in (hospital_records(folder / "hospital.sqlite"), bank_records(folder / "bank.sqlite")):
            print(path)
            for table, rows in counts(path).items():
                print(f"  {table:<14}{rows:>7,}")
        print(folder / "retail")
        for path in retail_files(folder / "retail"):
            print(f"  {path.name:<14}{len(path.read_text('utf-8').splitlines()) - 1:>7,}")
    except (FictionError, OSError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    parser = argparse.ArgumentParser(prog="python -m helpers.fiction", description="The kit's invented data")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where to write them")
    return parser


if __name__ == "__main__":
    sys.exit(main())
