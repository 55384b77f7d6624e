"""What the commands of `aybiza diagnose` decide: pure, from records, journals, traces and audio."""
