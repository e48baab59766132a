"""`python -m fake_convai` is the `fake-convai` command."""

from fake_convai.cli.main import main

if __name__ == "__main__":
    main()
