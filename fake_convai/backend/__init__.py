"""What routes and live sessions work with: accounts, faults, the journal, errors and answers."""
