"""Supervision: child specs, strategies, supervisors, the application tree."""

from supervisors.child_spec import (
    BRUTAL_KILL,
    INFINITY,
    ChildSpec,
    StartLink,
    check_childspecs,
    child,
)
from supervisors.dynamic_supervisor import DynamicSupervisor
from supervisors.errors import SupervisorError
from supervisors.partition_supervisor import PartitionSupervisor
from supervisors.plan import RESTARTING, ChildCounts, ChildInfo, SupervisorStatistics
from supervisors.singleton import Singleton, singleton
from supervisors.supervisor import Supervisor
from supervisors.task_supervisor import TaskOutcome, TaskSupervisor

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
    "TaskOutcome",
    "TaskSupervisor",
    "check_childspecs",
    "child",
    "singleton",
]
