"""The specification's tools, each over a thin client of what stands behind it."""
