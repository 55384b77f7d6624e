"""Settings, agents and logging: data first, the lowest floor."""
