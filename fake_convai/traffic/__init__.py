"""Recording what a client and the real service say to each other, and holding the fake against it."""
