"""Long runs against the promises of docs/trust.md: `./run soak BAR`. Not tests of pytest."""
