"""`cupadminctl`, and `python -m cupadminctl`."""

from cupadminctl.commands import cli


def main() -> None:
    cli(prog_name="cupadminctl")


if __name__ == "__main__":
    main()
