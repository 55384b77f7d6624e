"""The front desk of a clinic: hears plain words, keeps the state of a talk, answers in speech."""
