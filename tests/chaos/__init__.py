"""Chaos: clusters under random faults, with invariants that are checked at every step.

python -m tests.chaos.simulation --seed 1 --hours 1      virtual time, thousands of steps a second
python -m tests.chaos.cluster --seed 1 --minutes 10      real processes
python -m tests.chaos.connections --connections 10000    strangers at the cluster's ports
"""
