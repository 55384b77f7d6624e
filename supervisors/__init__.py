"""Supervision: child specs, strategies, supervisors, the application tree."""

from aybiza.supervisors.child_spec import (
    BRUTAL_KILL,
    INFINITY,
    ChildSpec,
    StartLink,
    check_childspecs,
    child,
)
from aybiza.supervisors.dynamic_supervisor import DynamicSupervisor
from aybiza.supervisors.errors import SupervisorError
from aybiza.supervisors.partition_supervisor import PartitionSupervisor
from aybiza.supervisors.plan import RESTARTING, ChildCounts, ChildInfo, SupervisorStatistics
from aybiza.supervisors.singleton import Singleton, singleton
from aybiza.supervisors.supervisor import Supervisor
from aybiza.supervisors.task_supervisor import TaskSupervisor

__all__ = [
    "BRUTAL_KILL",
    "INFINITY",
    "RESTARTING",
    "ChildCounts",
    "ChildInfo",
    "ChildSpec",
    "DynamicSupervisor",
    "PartitionSupervisor",
    "Singleton",
    "StartLink",
    "Supervisor",
    "SupervisorError",
    "SupervisorStatistics",
    "TaskSupervisor",
    "check_childspecs",
    "child",
    "singleton",
]
