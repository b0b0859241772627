"""The command line as a module, `python -m edgeecho`, which `torchrun -m edgeecho` needs."""

from edgeecho.cli import main

if __name__ == "__main__":
    main()
