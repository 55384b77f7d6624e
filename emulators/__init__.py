"""Loopback providers for demonstrations, tests and benchmarks: Bedrock, Deepgram, a phone."""
